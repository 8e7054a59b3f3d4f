import { SublaceError } from '@sublace/errors';
import type { Block } from '@sublace/partials';
import { leaseRefOf, type CallContext, type FactoriseReport, type Security } from '@sublace/protocol';
import type { LeaseRef } from '@sublace/scheduling';
import { FactorisePart } from './factorise-part.ts';
import { FactoriseThread } from './start-factorise-thread.ts';

/** How long a peer waits for this reducer to be told of a factorisation: the holder of the lease tells all of them at once. */
const START_WAIT_MS = 60_000;

/** What is factorised, and who may ask for it. */
export interface FactorisationsOptions {
  /** The slot of this process. */
  readonly slot: () => { readonly slot: number; readonly slotCount: number } | undefined;
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
export type FactoriseAnswer = Omit<FactoriseReport, 'failure'> & { failure: NonNullable<FactoriseReport['failure']> | null };

/** One of the factorisations that there may be of a job. */
type Attempt = Pick<FactorisePart, 'lease' | 'number'>;

/**
 * The parts that this reducer takes in factorisations, one per job at a time. The token of the finalise lease, and under it the number of the
 * factorisation, fence: a later one ends what an earlier one began, and an earlier one is refused. A part lives as long as the call that began it.
 */
export class Factorisations {
  readonly #options: FactorisationsOptions;
  readonly #thread = new FactoriseThread();
  readonly #parts = new Map<string, FactorisePart>();
  readonly #begun = new Set<() => void>();

  /**
   * @param options  Slot, sums, fences.
   */
  constructor(options: FactorisationsOptions) {
    this.#options = options;
    this.#thread.onGone((error) => this.#closeAll(error));
  }

  /**
   * Takes a part, from the call's first message to its end.
   *
   * @param message  What to factorise.
   * @param context  The call.
   * @yields  A report for every change.
   * @throws {SublaceError} FENCED for a lease that is not current; UNAVAILABLE when a peer or its own slot is lost; INVALID_ARGUMENT.
   */
  async *factorise(message: FactoriseMessage, context: CallContext): AsyncGenerator<FactoriseAnswer> {
    const lease = leaseRefOf(message.lease);
    await this.#options.checkLease(lease);
    const part = await this.#begin(lease, message);
    const end = (): void => part.close(new SublaceError('CANCELLED', `job ${lease.jobId}: the factorisation was given up`));
    context.signal.addEventListener('abort', end, { once: true });
    const startMs = performance.now();
    const note = (what: FactoriseNote['what'], tileCount: number, error?: SublaceError): void =>
      this.#options.onNote({ jobId: lease.jobId, what, tileCount, seconds: (performance.now() - startMs) / 1000, ...(error && { error }) });
    note('begins', 0);
    try {
      if (context.signal.aborted) return;
      for await (const { failure = null, ...report } of part.reports()) {
        if (failure ?? report.tilesDone === report.tilesTotal) note('is done', report.tilesDone);
        yield { ...report, failure };
      }
    } catch (error) {
      note('has failed', 0, SublaceError.from(error));
      throw error;
    } finally {
      end();
      if (this.#parts.get(lease.jobId) === part) this.#parts.delete(lease.jobId);
    }
  }

  /**
   * A tile of a factor, as soon as it is finished.
   *
   * @param lease  The finalise lease.
   * @param name  `factor/number/row/column`.
   * @returns  The tile, or position and pivot, [2], where the matrix has no factor.
   * @throws {SublaceError} FENCED for an earlier lease; UNAVAILABLE when no factorisation begins; why it ended.
   */
  async block(lease: LeaseRef, name: string): Promise<Block> {
    const number = Number(/^factor\/(\d{1,9})\/\d{1,9}\/\d{1,9}$/.exec(name)?.[1] ?? Number.NaN);
    if (Number.isNaN(number)) throw new SublaceError('INVALID_ARGUMENT', `block ${name}: expected factor/NUMBER/ROW/COLUMN`);
    const wanted = { lease, number };
    const deadlineMs = performance.now() + START_WAIT_MS;
    for (;;) {
      const part = this.#current(wanted);
      if (part && compareAttempts(wanted, part) === 0) return part.block(name);
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) {
        const seconds = START_WAIT_MS / 1000;
        throw new SublaceError('UNAVAILABLE', `job ${lease.jobId}: expected a factorisation within ${seconds} s, got none`);
      }
      await this.#begins(leftMs);
    }
  }

  /** Ends all parts and the thread. */
  async stop(): Promise<void> {
    this.#closeAll(new SublaceError('UNAVAILABLE', 'reducer: is about to end'));
    await this.#thread.stop();
  }

  async #begin(lease: LeaseRef, message: FactoriseMessage): Promise<FactorisePart> {
    const { size, tileSize, divisor, reducers, number } = message;
    const slot = this.#options.slot();
    if (slot?.slotCount !== reducers.length) {
      const got = slot ? `one of ${slot.slotCount}` : 'none yet';
      throw new SublaceError('UNAVAILABLE', `job ${lease.jobId}: expected a slot of ${reducers.length}, got ${got}`);
    }
    const diagonal = new Float64Array(Uint8Array.from(message.diagonal).buffer);
    if (diagonal.length !== size) {
      throw new SublaceError('INVALID_ARGUMENT', `factorise: expected ${size} elements of the diagonal, got ${diagonal.length}`);
    }
    const order = { slot: slot.slot, slotCount: slot.slotCount, size, tileSize, divisor, diagonal };
    const port = await this.#thread.start(order, message);
    const tileOf = (row: number, column: number): Float64Array => this.#options.tileOf(lease.jobId, row, column);
    const part = new FactorisePart({ lease, number, order, reducers, tileOf, security: this.#options.security }, port);
    try {
      this.#current({ lease, number })?.close(new SublaceError('FENCED', `job ${lease.jobId}: a later factorisation has begun`));
    } catch (error) {
      part.close(SublaceError.from(error));
      throw error;
    }
    this.#parts.set(lease.jobId, part);
    for (const wake of this.#begun) wake();
    return part;
  }

  /** The part in a job's factorisation, if there is one. */
  #current(wanted: Attempt): FactorisePart | undefined {
    const part = this.#parts.get(wanted.lease.jobId);
    if (!part || compareAttempts(part, wanted) <= 0) return part;
    const [expected, got] = [part, wanted].map(({ lease, number }) => `${lease.leaseToken}, number ${number}`);
    throw new SublaceError(
      'FENCED',
      `job ${wanted.lease.jobId}: expected the factorisation of lease ${expected}, which goes on, got ${got}`,
    );
  }

  #begins(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#begun.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      this.#begun.add(wake);
    });
  }

  #closeAll(error: SublaceError): void {
    for (const part of this.#parts.values()) part.close(error);
    this.#parts.clear();
  }
}

/** Positive when a factorisation is later than another one of its job. */
function compareAttempts(a: Attempt, b: Attempt): number {
  return a.lease.leaseToken - b.lease.leaseToken || a.number - b.number;
}
