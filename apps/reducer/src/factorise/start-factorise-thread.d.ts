import { type MessagePort } from 'node:worker_threads';
import { SublaceError } from '@sublace/errors';
import type { PartOrder } from './factorise-messages.ts';
/**
 * The thread that factorises, started with the first part: a reducer that never factorises has no tensor runtime. It stays, since the runtime loads once per
 * process.
 */
export declare class FactoriseThread {
    #private;
    /**
     * Told when the thread has died, with all its parts.
     *
     * @param onGone  Once.
     */
    onGone(onGone: (error: SublaceError) => void): void;
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
    start(order: PartOrder, { threads, runtime }: {
        readonly threads: number;
        readonly runtime: string;
    }): Promise<MessagePort>;
    /** Ends the thread. */
    stop(): Promise<void>;
}
//# sourceMappingURL=start-factorise-thread.d.ts.map