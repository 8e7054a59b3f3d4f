import { SHARE_ENV, Worker } from 'node:worker_threads';
import { isErrorCode, SublaceError } from '@sublace/errors';
import type { JsonObject } from '@sublace/scheduling';
import type { ComputeThreadData, RunnerResult, RunnerTask, ThreadError, ThreadMessage } from './task-runner.ts';

/** The compute thread as the main thread sees it. */
export interface Compute {
  /** What the runner said when it started: runtime, device. */
  info: JsonObject;
  /** Whether the runner pulls the tiles that reducers have. */
  pullsTiles: boolean;
  /**
   * Computes one task; one at a time. Results are moved from the thread. Inputs are moved to it, so that gigabytes are never there twice, save those
   * that the caller keeps, by name, which are copied.
   */
  run(task: RunnerTask, onProgress: (done: number, total: number) => void, isKept?: (name: string) => boolean): Promise<RunnerResult>;
  /** Settles when the thread is gone; it cannot be had again in this process, since the native runtime loads once. */
  gone: Promise<SublaceError>;
  stop(): Promise<void>;
}

/** True when these are the sources that Node runs as they are, false in the bundle. */
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

/**
 * Starts the compute thread. This process must not load the tensor runtime anywhere else.
 *
 * @param options  Module URL of the task runner (the fit pipeline when absent), and threads of the runtime.
 * @returns  The thread, ready for tasks.
 * @throws SublaceError of the runner when it cannot start.
 */
export async function startCompute(options: { runner?: string | undefined; threads?: number | undefined }): Promise<Compute> {
  const { threads, runner = new URL(`./pipeline-runner.${extension}`, import.meta.url).href } = options;
  const data: ComputeThreadData = { runner, ...(threads === undefined ? {} : { threads }) };
  // The native runtime reads its settings from the process's environment: a thread's own copy of it would never reach the library.
  const thread = new Worker(new URL(`./compute-thread.${extension}`, import.meta.url), { workerData: data, env: SHARE_ENV });
  let running:
    | {
        id: number;
        onProgress: (done: number, total: number) => void;
        resolve: (result: RunnerResult) => void;
        reject: (error: Error) => void;
      }
    | undefined;
  let nextId = 1;

  const gone = new Promise<SublaceError>((resolve) => {
    thread.once('error', (error: Error) => resolve(new SublaceError('INTERNAL', `compute thread: ${error.message}`, { cause: error })));
    thread.once('exit', (status) => resolve(new SublaceError('INTERNAL', `compute thread: expected it to stay, got exit code ${status}`)));
  });
  void gone.then((error) => running?.reject(error));

  const { info, pullsTiles } = await new Promise<{ info: JsonObject; pullsTiles: boolean }>((resolve, reject) => {
    void gone.then(reject);
    thread.on('message', (message: ThreadMessage) => {
      if (message.type === 'ready') resolve(message);
      else if (message.type === 'notReady') reject(errorOf(message.error));
      else if (message.id === running?.id) {
        if (message.type === 'progress') running.onProgress(message.done, message.total);
        else if (message.type === 'done') running.resolve(message.result);
        else running.reject(errorOf(message.error));
      }
    });
  }).catch(async (error: unknown) => {
    await thread.terminate();
    throw error;
  });
  return {
    info,
    pullsTiles,
    gone,
    run: (task, onProgress, isKept = () => false) =>
      new Promise<RunnerResult>((resolve, reject) => {
        running = { id: nextId++, onProgress, resolve, reject };
        const moved = task.inputs.filter((block) => !isKept(block.name)).map((block) => block.data.buffer as ArrayBuffer);
        thread.postMessage({ id: running.id, task }, moved);
      }),
    async stop() {
      await thread.terminate();
    },
  };
}

function errorOf({ code, message }: ThreadError): SublaceError {
  return new SublaceError(isErrorCode(code) ? code : 'INTERNAL', message);
}
