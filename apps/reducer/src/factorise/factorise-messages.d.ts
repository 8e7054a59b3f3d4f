import type { MessagePort } from 'node:worker_threads';
import type { ErrorCode } from '@sublace/errors';
/** A participant's part in a factorisation, as its thread is told. */
export interface PartOrder {
    slot: number;
    slotCount: number;
    /** S. */
    size: number;
    tileSize: number;
    /** The matrix is H / divisor + diag(diagonal). */
    divisor: number;
    /** [S] */
    diagonal: Float64Array;
}
/** Row of the first pivot that is not positive, and that pivot. */
export interface Pivot {
    position: number;
    pivot: number;
}
/** Where a tile is. */
export interface Place {
    row: number;
    column: number;
}
/** An error that crossed a thread. */
export interface ThreadError {
    code: ErrorCode;
    message: string;
}
/** How the main thread starts the thread that factorises. */
export interface FactoriseThreadData {
    threads: number;
}
/** To the thread: a part to take, and the port of everything about it. */
export interface StartPart {
    order: PartOrder;
    port: MessagePort;
}
/** From the thread, once. */
export type ThreadStarted = {
    type: 'ready';
    runtime: string;
} | {
    type: 'notReady';
    error: ThreadError;
};
/** To a part. */
export type PartInput = 
/** A tile of the matrix that was read. */
{
    type: 'tile';
    place: Place;
    values: Float64Array;
}
/** The next tile of a pull; the end of it. */
 | {
    type: 'pulled';
    pull: number;
    values: Float64Array | Pivot;
} | {
    type: 'pullEnded';
    pull: number;
    error?: ThreadError;
}
/** The part is to end. */
 | {
    type: 'end';
    error: ThreadError;
};
/** From a part. */
export type PartOutput = {
    type: 'read';
    place: Place;
} | {
    type: 'pull';
    pull: number;
    owner: number;
    places: Place[];
} | {
    type: 'offer';
    place: Place;
    values: Float64Array;
} | {
    type: 'progress';
    done: number;
    total: number;
}
/** The last one. */
 | {
    type: 'ended';
    failure?: Pivot;
    error?: ThreadError;
};
//# sourceMappingURL=factorise-messages.d.ts.map