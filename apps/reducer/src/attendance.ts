import { setTimeout as sleep } from 'node:timers/promises';
import { SublaceError } from '@sublace/errors';
import type { ReducerAttendance } from '@sublace/protocol';
import type { Logger } from '@sublace/telemetry';
import type { ReducerOptions } from './options.ts';
import type { SlotSums } from './slot-sums.ts';

/** Pause after a call that found no coordinator. */
const RETRY_PAUSE_MS = 250;

/** What attending takes. */
export interface AttendanceParts {
  client: ReducerAttendance;
  reducerId: string;
  /** Where this reducer serves. */
  address: string;
  sums: SlotSums;
  options: ReducerOptions;
  logger: Logger;
}

/** The presence of this reducer at its coordinator: a stream that is opened again whenever it ends, with the slot that it had. */
export class Attendance {
  readonly #parts: AttendanceParts;
  readonly #leave = new AbortController();
  #failure: SublaceError | undefined;

  /**
   * @param parts  Whose presence, and where.
   */
  constructor(parts: AttendanceParts) {
    this.#parts = parts;
  }

  /**
   * Attends until it leaves, or the coordinator has been out of reach for too long.
   *
   * @returns  Undefined after {@link leave}, else why it ended.
   */
  async run(): Promise<SublaceError | undefined> {
    const { client, reducerId, address, sums, options, logger } = this.#parts;
    const { signal } = this.#leave;
    let missedMs: number | undefined;
    while (!signal.aborted) {
      const startMs = Date.now();
      try {
        await client.attend(
          { reducerId, address, held: sums.slot, jobIds: sums.jobIds },
          (slot) => {
            missedMs = undefined;
            sums.take(slot);
            logger.info({ slot: slot.slot, slotCount: slot.slotCount }, `has slot ${slot.slot} of ${slot.slotCount}`);
          },
          signal,
        );
        missedMs = undefined;
      } catch (thrown) {
        const error = SublaceError.from(thrown);
        // A coordinator that shuts down cancels the calls it has.
        if (!error.isRetryable && error.code !== 'CANCELLED') return error;
        missedMs ??= Date.now();
        // A stream that lasted was no failure to reach it.
        if (Date.now() - startMs > options.coordinatorTimeoutMs) missedMs = Date.now();
        if (Date.now() - missedMs >= options.coordinatorTimeoutMs) return this.#tooLong(error);
      }
      await sleep(RETRY_PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
    return this.#failure;
  }

  /** Ends the presence. */
  leave(): void {
    this.#leave.abort();
  }

  /**
   * Ends the presence because this process cannot go on.
   *
   * @param failure  Why.
   */
  end(failure: SublaceError): void {
    this.#failure ??= new SublaceError('UNAVAILABLE', `another reducer has taken this one's slot: ${failure.message}`, { cause: failure });
    this.#leave.abort();
  }

  #tooLong(error: SublaceError): SublaceError {
    const { coordinator, coordinatorTimeoutMs } = this.#parts.options;
    const message = `coordinator ${coordinator}: expected an answer within ${coordinatorTimeoutMs} ms, got none; check that it runs`;
    return new SublaceError('UNAVAILABLE', message, { cause: error });
  }
}
