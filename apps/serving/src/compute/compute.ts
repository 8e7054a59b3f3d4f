import { SHARE_ENV, Worker } from 'node:worker_threads';
import { SublaceError } from '@sublace/errors';
import type { JsonObject } from '@sublace/scheduling';
import type { LoadedModel, ModelAnswer } from '../models/model.ts';
import type { ComputeThreadData, Reply } from './compute-messages.ts';
import type { ModelPlace } from './model-loader.ts';
import { ThreadCalls } from './thread-calls.ts';
import { requestsToMove } from './thread-memory.ts';

/** The compute thread as the main thread sees it. */
export interface Compute {
  /** What the loader said when it started: runtime, device. */
  readonly info: JsonObject;
  /** What a model would keep in memory, told before it is loaded: bytes; 0 where its loader cannot tell. */
  estimateBytes(place: ModelPlace): Promise<number>;
  /** Opens a model in the thread. Its requests are computed in the order in which they are given, also while another model is loaded. */
  load(place: ModelPlace): Promise<LoadedModel>;
  /**
   * Settles when the thread has crashed, ended or hung; whatever waits for it has failed then, and so does whatever is asked of it. It cannot be had
   * again in this process, since the native runtime loads once. Stays open when it was stopped.
   */
  readonly gone: Promise<SublaceError>;
  /** Ends the thread, whatever it does. */
  stop(): Promise<void>;
}

/** How to start the compute thread. */
export interface ComputeOptions {
  /** URL of a module whose default export is a ModelLoader. Default: that of posteriors. */
  loader?: string | undefined;
  /** Threads of one operation of the tensor runtime. Default: what suits the models. */
  threads?: number | undefined;
  /** Models that will be loaded first, as far as they are known. */
  places?: readonly ModelPlace[];
  /** Most examples that are computed together, which models may be prepared for. Default: whatever comes. */
  maxBatchSize?: number | undefined;
  /** How long an inference may wait for its answer with nothing heard of the thread, milliseconds, before the thread counts as hung. Default 300,000. */
  hangTimeoutMs?: number | undefined;
}

/**
 * Of the compute thread, MiB. V8's own limit is 192, reached in large steps long after the start, for objects that are gone before the next collection. The main
 * thread's is given when the process starts (`nodeOptionsOf` in libs/roles).
 */
const YOUNG_GENERATION_MIB = 48;

/** True when these are the sources that Node runs as they are, false in the bundle. */
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

/**
 * Starts the compute thread. This process must not load the tensor runtime anywhere else.
 *
 * @param options  Loader, threads, batches, time limit.
 * @returns  The thread, ready to load models.
 * @throws SublaceError of the loader when it cannot start.
 */
export async function startCompute(options: ComputeOptions = {}): Promise<Compute> {
  const {
    threads,
    places,
    maxBatchSize,
    loader = new URL(`./posterior-loader.${extension}`, import.meta.url).href,
    hangTimeoutMs = 300_000,
  } = options;
  const data: ComputeThreadData = {
    loader,
    options: { ...(threads !== undefined && { threads }), ...(places && { places }), ...(maxBatchSize !== undefined && { maxBatchSize }) },
  };
  // The native runtime reads its settings from the process's environment: a thread's own copy of it would never reach the library.
  const thread = new Worker(new URL(`./compute-thread.${extension}`, import.meta.url), {
    workerData: data,
    env: SHARE_ENV,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
  });
  const calls = new ThreadCalls((call, memory) => thread.postMessage(call, memory));

  let leave: (error: SublaceError) => void = () => undefined;
  let isStopped = false;
  const gone = new Promise<SublaceError>((resolve) => {
    leave = (error) => {
      calls.end(error);
      if (!isStopped) resolve(error);
    };
  });
  const lost = (text: string, cause?: unknown): void => leave(new SublaceError('INTERNAL', `compute thread: ${text}`, { cause }));
  thread.once('error', (error: Error) => lost(error.message, error));
  thread.once('messageerror', (error: Error) => lost(error.message, error));
  thread.once('exit', (status) => lost(`expected it to stay, got exit code ${status}`));
  const watch = setInterval(() => {
    if (calls.silence <= hangTimeoutMs) return;
    lost(`expected an answer within ${hangTimeoutMs / 1000} s, got none; start the process again`);
    void thread.terminate();
  }, hangTimeoutMs / 4).unref();
  thread.once('exit', () => clearInterval(watch));

  const stop = async (): Promise<void> => {
    isStopped = true;
    leave(new SublaceError('UNAVAILABLE', 'compute thread: expected it to run, got one that was stopped'));
    await thread.terminate();
  };

  const info = await new Promise<JsonObject>((resolve, reject) => {
    void gone.then(reject);
    thread.on('message', (reply: Reply) => {
      if (reply.type === 'ready') resolve(reply.info);
      else if (reply.type === 'notReady') reject(new SublaceError(reply.error.code, reply.error.message));
      else calls.reply(reply);
    });
  }).catch(async (error: unknown) => {
    await stop();
    throw error;
  });

  return {
    info,
    gone,
    stop,
    estimateBytes: (place) => calls.ask<'estimated'>({ type: 'estimate', place }).then(({ bytes }) => bytes),
    load: async (place) => {
      const { model, description } = await calls.ask<'loaded'>({ type: 'load', place });
      return {
        description,
        infer: (requests) => {
          const { moved, memory } = requestsToMove(requests);
          return calls.ask<'inferred'>({ type: 'infer', model, requests: moved }, memory).then(({ answers }): ModelAnswer[] => answers);
        },
        dispose: () => calls.ask<'disposed'>({ type: 'dispose', model }).then(() => undefined),
      };
    },
  };
}
