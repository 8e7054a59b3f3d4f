import { MessageChannel, SHARE_ENV, Worker, type MessagePort } from 'node:worker_threads';
import { SublaceError } from '@sublace/errors';
import type { FactoriseThreadData, PartOrder, StartPart, ThreadStarted } from './factorise-messages.ts';

/** True when these are the sources that Node runs as they are, false in the bundle. */
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

interface Started {
  readonly threads: number;
  readonly worker: Worker;
  /** Name, version and device of the runtime, once it has started. */
  readonly ready: Promise<string>;
}

/**
 * The thread that factorises, started with the first part: a reducer that never factorises has no tensor runtime. It stays, since the runtime loads once per
 * process.
 */
export class FactoriseThread {
  #started: Started | undefined;
  #onGone: (error: SublaceError) => void = () => undefined;

  /**
   * Told when the thread has died, with all its parts.
   *
   * @param onGone  Once.
   */
  onGone(onGone: (error: SublaceError) => void): void {
    this.#onGone = onGone;
  }

  /**
   * Starts a part.
   *
   * @param order  What to do. The runtime gets its threads from the first one.
   * @param wanted  Threads and name of the runtime.
   * @param wanted.threads  Threads.
   * @param wanted.runtime  Name, version and device.
   * @returns  The port of everything about it.
   * @throws {SublaceError} INVALID_ARGUMENT for another runtime, or another number of threads than before: the bits of a factor may depend on them.
   */
  async start(order: PartOrder, { threads, runtime }: { readonly threads: number; readonly runtime: string }): Promise<MessagePort> {
    const started = (this.#started ??= this.#spawn(threads));
    if (started.threads !== threads) {
      throw new SublaceError(
        'INVALID_ARGUMENT',
        `factorise: expected ${started.threads} threads as in this reducer's first factorisation, got ${threads}; give all workers the same --threads, or fit with --factorise one`,
      );
    }
    const own = await started.ready;
    if (own !== runtime) {
      throw new SublaceError(
        'INVALID_ARGUMENT',
        `factorise: expected the runtime of the worker, ${runtime}, got ${own} at a reducer; start them alike, or fit with --factorise one`,
      );
    }
    const { port1, port2 } = new MessageChannel();
    started.worker.postMessage({ order, port: port2 } satisfies StartPart, [port2]);
    return port1;
  }

  /** Ends the thread. */
  async stop(): Promise<void> {
    await this.#started?.worker.terminate();
  }

  #spawn(threads: number): Started {
    const data: FactoriseThreadData = { threads };
    // The native runtime reads its settings from the process's environment: a thread's own copy of it would never reach the library.
    const worker = new Worker(new URL(`./factorise-thread.${extension}`, import.meta.url), { workerData: data, env: SHARE_ENV });
    const ready = new Promise<string>((resolve, reject) => {
      const gone = (error: SublaceError): void => {
        reject(error);
        this.#onGone(error);
      };
      worker.once('error', (error: Error) => gone(new SublaceError('INTERNAL', `factorise thread: ${error.message}`, { cause: error })));
      worker.once('exit', (status) => gone(new SublaceError('INTERNAL', `factorise thread: expected it to stay, got exit code ${status}`)));
      worker.once('message', (message: ThreadStarted) => {
        if (message.type === 'ready') resolve(message.runtime);
        else reject(new SublaceError(message.error.code, message.error.message));
      });
    });
    ready.catch(() => undefined);
    return { threads, worker, ready };
  }
}
