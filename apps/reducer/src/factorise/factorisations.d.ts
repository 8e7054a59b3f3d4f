import { SublaceError } from '@sublace/errors';
import type { Block } from '@sublace/partials';
import { leaseRefOf, type CallContext, type FactoriseReport, type Security } from '@sublace/protocol';
import type { LeaseRef } from '@sublace/scheduling';
/** What is factorised, and who may ask for it. */
export interface FactorisationsOptions {
    /** The slot of this process. */
    readonly slot: () => {
        readonly slot: number;
        readonly slotCount: number;
    } | undefined;
    /** An own tile of the sums of a job. Borrowed. */
    readonly tileOf: (jobId: string, row: number, column: number) => Float64Array;
    /** Throws FENCED unless the lease is current. */
    readonly checkLease: (lease: LeaseRef) => Promise<void>;
    readonly security: Security;
    /** Told when a part begins and how it ends. */
    readonly onNote: (note: FactoriseNote) => void;
}
/** What happened to a part. */
export interface FactoriseNote {
    readonly jobId: string;
    readonly what: 'begins' | 'is done' | 'has failed';
    readonly tileCount: number;
    readonly seconds: number;
    readonly error?: SublaceError;
}
/** A message of the wire. */
export interface FactoriseMessage {
    readonly lease: Parameters<typeof leaseRefOf>[0];
    readonly number: number;
    readonly reducers: readonly string[];
    readonly size: number;
    readonly tileSize: number;
    readonly divisor: number;
    readonly diagonal: Uint8Array;
    readonly threads: number;
    readonly runtime: string;
}
/** A message back. */
export type FactoriseAnswer = Omit<FactoriseReport, 'failure'> & {
    failure: NonNullable<FactoriseReport['failure']> | null;
};
/**
 * The parts that this reducer takes in factorisations, one per job at a time. The token of the finalise lease, and under it the number of the
 * factorisation, fence: a later one ends what an earlier one began, and an earlier one is refused. A part lives as long as the call that began it.
 */
export declare class Factorisations {
    #private;
    /**
     * @param options  Slot, sums, fences.
     */
    constructor(options: FactorisationsOptions);
    /**
     * Takes a part, from the call's first message to its end.
     *
     * @param message  What to factorise.
     * @param context  The call.
     * @yields  A report for every change.
     * @throws {SublaceError} FENCED for a lease that is not current; UNAVAILABLE when a peer or its own slot is lost; INVALID_ARGUMENT.
     */
    factorise(message: FactoriseMessage, context: CallContext): AsyncGenerator<FactoriseAnswer>;
    /**
     * A tile of a factor, as soon as it is finished.
     *
     * @param lease  The finalise lease.
     * @param name  `factor/number/row/column`.
     * @returns  The tile, or position and pivot, [2], where the matrix has no factor.
     * @throws {SublaceError} FENCED for an earlier lease; UNAVAILABLE when no factorisation begins; why it ended.
     */
    block(lease: LeaseRef, name: string): Promise<Block>;
    /** Ends all parts and the thread. */
    stop(): Promise<void>;
}
//# sourceMappingURL=factorisations.d.ts.map