import type { MessagePort } from 'node:worker_threads';
import { SublaceError } from '@sublace/errors';
import type { Block } from '@sublace/partials';
import { type FactoriseReport, type Security } from '@sublace/protocol';
import type { LeaseRef } from '@sublace/scheduling';
import type { PartOrder } from './factorise-messages.ts';
/** What a part is made from. */
export interface PartOptions {
    readonly lease: LeaseRef;
    /** Of the factorisation under this lease. */
    readonly number: number;
    readonly order: PartOrder;
    /** Addresses of all participants, by slot. */
    readonly reducers: readonly string[];
    /** An own tile of the sums. Borrowed. */
    readonly tileOf: (row: number, column: number) => Float64Array;
    readonly security: Security;
}
/**
 * This reducer's part in one factorisation, on the main thread: gives the thread its tiles of the sums, pulls those of peers for it, and holds what is
 * finished for others to pull, until the part is closed.
 *
 * Memory beside the sums, which stay: as many bytes as they have of this job, for tiles that are not finished, in the thread, or finished, here; and in the
 * thread the rows of at most two strips that the own tiles need.
 */
export declare class FactorisePart {
    #private;
    readonly lease: LeaseRef;
    readonly number: number;
    /**
     * @param options  What to do.
     * @param port  Of the thread that does it.
     */
    constructor(options: PartOptions, port: MessagePort);
    /**
     * Reports, beginning with where it stands now. The last one has all tiles done, or a failure; after it the reports wait until the part is closed.
     *
     * @yields  A report for every change.
     * @throws {SublaceError} Why the part ended.
     */
    reports(): AsyncGenerator<FactoriseReport>;
    /**
     * A finished tile, as soon as it is finished.
     *
     * @param name  `factor/number/row/column`.
     * @returns  The tile; where the matrix has no factor, and the tile is not finished, position and pivot, [2].
     * @throws {SublaceError} Why the part ended; NOT_FOUND for a tile that it never has.
     */
    block(name: string): Promise<Block>;
    /**
     * Ends it, if it goes on, and lets go of what is finished.
     *
     * @param error  Why, for those who wait for it.
     */
    close(error: SublaceError): void;
}
//# sourceMappingURL=factorise-part.d.ts.map