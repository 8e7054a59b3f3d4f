import { SHARE_ENV, Worker } from 'node:worker_threads';
import { SublaceError } from '@sublace/errors';
import type { JsonObject } from '@sublace/scheduling';
import type { LoadedModel, ModelAnswer, ModelRequest } from '../models/model.ts';
import type { Call, ComputeThreadData, Reply } from './compute-messages.ts';
import type { ModelPlace } from './model-loader.ts';

/** The compute thread as the main thread sees it. */
export interface Compute {
  /** What the loader said when it started: runtime, device. */
  readonly info: JsonObject;
  /** Opens a model in the thread. Its requests are computed in the order in which they are given. */
  load(place: ModelPlace): Promise<LoadedModel>;
  /** Settles when the thread is gone; it cannot be had again in this process, since the native runtime loads once. */
  readonly gone: Promise<SublaceError>;
  stop(): Promise<void>;
}

/** A call without its id, which is given when it is sent. */
type NewCall = Call extends infer C ? (C extends Call ? Omit<C, 'id'> : never) : never;
type CallReply<T extends Reply['type']> = Extract<Reply, { type: T }>;

/** True when these are the sources that Node runs as they are, false in the bundle. */
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

/**
 * Starts the compute thread. This process must not load the tensor runtime anywhere else.
 *
 * @param options  `loader`: URL of a module whose default export is a ModelLoader, posteriors when absent; `threads` of the runtime.
 * @param options.loader  See above.
 * @param options.threads  See above.
 * @returns  The thread, ready to load models.
 * @throws SublaceError of the loader when it cannot start.
 */
export async function startCompute(options: { loader?: string | undefined; threads?: number | undefined } = {}): Promise<Compute> {
  const { threads, loader = new URL(`./posterior-loader.${extension}`, import.meta.url).href } = options;
  const data: ComputeThreadData = { loader, ...(threads === undefined ? {} : { threads }) };
  // The native runtime reads its settings from the process's environment: a thread's own copy of it would never reach the library.
  const thread = new Worker(new URL(`./compute-thread.${extension}`, import.meta.url), { workerData: data, env: SHARE_ENV });
  const waiting = new Map<number, { resolve: (reply: Reply) => void; reject: (error: Error) => void }>();
  let nextId = 1;

  const gone = new Promise<SublaceError>((resolve) => {
    thread.once('error', (error: Error) => resolve(new SublaceError('INTERNAL', `compute thread: ${error.message}`, { cause: error })));
    thread.once('exit', (status) => resolve(new SublaceError('INTERNAL', `compute thread: expected it to stay, got exit code ${status}`)));
  });
  void gone.then((error) => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  });

  const info = await new Promise<JsonObject>((resolve, reject) => {
    void gone.then(reject);
    thread.on('message', (reply: Reply) => {
      if (reply.type === 'ready') {
        resolve(reply.info);
        return;
      }
      if (reply.type === 'notReady') {
        reject(new SublaceError(reply.error.code, reply.error.message));
        return;
      }
      const call = waiting.get(reply.id);
      waiting.delete(reply.id);
      if (reply.type === 'failed') call?.reject(new SublaceError(reply.error.code, reply.error.message));
      else call?.resolve(reply);
    });
  }).catch(async (error: unknown) => {
    await thread.terminate();
    throw error;
  });

  const ask = <T extends Reply['type']>(call: NewCall, transfer: ArrayBuffer[] = []): Promise<CallReply<T>> =>
    new Promise((resolve, reject) => {
      const id = nextId++;
      waiting.set(id, { resolve: resolve as (reply: Reply) => void, reject });
      thread.postMessage({ ...call, id }, transfer);
    });

  return {
    info,
    gone,
    load: async (place) => {
      const { model, description } = await ask<'loaded'>({ type: 'load', place });
      return {
        description,
        infer: (requests) =>
          ask<'inferred'>({ type: 'infer', model, requests }, buffersOf(requests)).then(({ answers }): ModelAnswer[] => answers),
        dispose: () => ask<'disposed'>({ type: 'dispose', model }).then(() => undefined),
      };
    },
    async stop() {
      await thread.terminate();
    },
  };
}

/** Memory that moves to the thread: inputs that are alone in theirs. */
function buffersOf(requests: readonly ModelRequest[]): ArrayBuffer[] {
  const whole = requests.map(({ input }) => input).filter((input) => input.byteLength === input.buffer.byteLength);
  return [...new Set(whole.map((input) => input.buffer as ArrayBuffer))];
}
