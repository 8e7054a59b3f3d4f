import { SublaceError } from '@sublace/errors';
import type { LogLine } from '@sublace/protocol';

/** A line before it has its place in the log. */
export type NewLogLine = Omit<LogLine, 'sequence'>;

/** Where lines are kept, by the name of their log. */
export interface LogBacking {
  append(name: string, lines: readonly string[]): Promise<void>;
  /** Oldest first. */
  read(name: string): Promise<string[]>;
  close(): Promise<void>;
}

/** Longest message; a worker may send whatever it wants. */
const MESSAGE_LENGTH_MAX = 2000;

/** The log of a job that this process writes or reads. */
interface OpenLog {
  /** Position of the last line; unknown before the first look. */
  sequence: number | undefined;
  /** Lines that wait for those before them to be written; then they go all at once. */
  waiting: NewLogLine[];
  /** Settles when every line before is written. */
  written: Promise<void>;
  followers: Set<(line: LogLine) => void>;
}

/** What happened to each job, a line each, kept so that it survives the coordinator. */
export class JobLog {
  readonly #backing: LogBacking;
  readonly #onLost: (jobId: string, error: SublaceError) => void;
  readonly #logs = new Map<string, OpenLog>();

  /**
   * @param backing  Where lines are kept; closed with this log.
   * @param onLost  Told of a line that could not be written: that is no reason to end a fit.
   */
  constructor(backing: LogBacking, onLost: (jobId: string, error: SublaceError) => void) {
    this.#backing = backing;
    this.#onLost = onLost;
  }

  /**
   * Adds a line, after those that were added before.
   *
   * @param jobId  The job.
   * @param line  The line.
   * @throws SublaceError INVALID_ARGUMENT for an id that is no file name.
   */
  append(jobId: string, line: NewLogLine): void {
    const log = this.#open(jobId);
    const message = line.message.length > MESSAGE_LENGTH_MAX ? `${line.message.slice(0, MESSAGE_LENGTH_MAX)}...` : line.message;
    log.waiting.push({ ...line, message });
    if (log.waiting.length === 1) log.written = log.written.then(() => this.#write(jobId, log));
  }

  /**
   * The lines of a job.
   *
   * @param jobId  The job.
   * @param options  `follow`: given, also the lines to come, until it says that one was the last, or the signal aborts.
   * @param options.isLast  Whether nothing comes after a line.
   * @param options.signal  Ends the reading.
   * @yields Lines, oldest first.
   * @throws SublaceError INVALID_ARGUMENT for an id that is no file name; what the place of the lines throws.
   */
  async *read(jobId: string, options?: { isLast: (line: LogLine) => boolean; signal: AbortSignal }): AsyncGenerator<LogLine> {
    const log = this.#open(jobId);
    const queue: LogLine[] = [];
    let wake = (): void => undefined;
    const follower = (line: LogLine): void => {
      queue.push(line);
      wake();
    };
    const stop = (): void => wake();
    if (options) {
      log.followers.add(follower);
      options.signal.addEventListener('abort', stop);
    }
    try {
      await log.written;
      let [sequence, isOver] = [0, false];
      const take = (line: LogLine): LogLine => {
        sequence = line.sequence;
        isOver ||= options?.isLast(line) === true;
        return line;
      };
      for (const line of await this.#lines(jobId)) yield take(line);
      while (options && !options.signal.aborted && !isOver) {
        const line = queue.shift();
        if (!line) await new Promise<void>((resolve) => (wake = resolve));
        else if (line.sequence > sequence) yield take(line);
      }
    } finally {
      log.followers.delete(follower);
      options?.signal.removeEventListener('abort', stop);
    }
  }

  /** Writes what is still to be written, and closes the place. */
  async close(): Promise<void> {
    await Promise.all([...this.#logs.values()].map(({ written }) => written));
    await this.#backing.close();
  }

  async #write(jobId: string, log: OpenLog): Promise<void> {
    try {
      log.sequence ??= (await this.#lines(jobId)).at(-1)?.sequence ?? 0;
      const last = log.sequence;
      const entries = log.waiting.splice(0).map((line, index): LogLine => ({ sequence: last + index + 1, ...line }));
      await this.#backing.append(
        jobId,
        entries.map((entry) => JSON.stringify(entry)),
      );
      log.sequence = last + entries.length;
      for (const entry of entries) for (const follower of log.followers) follower(entry);
    } catch (error) {
      log.waiting.length = 0;
      this.#onLost(jobId, SublaceError.from(error));
    }
  }

  /** A place is named after the id only when that can lead nowhere else. */
  #open(jobId: string): OpenLog {
    if (!/^[a-zA-Z0-9][a-zA-Z0-9-]{0,99}$/.test(jobId))
      throw new SublaceError('INVALID_ARGUMENT', `job ${JSON.stringify(jobId)}: expected an id of letters, digits and dashes`);
    const log = this.#logs.get(jobId) ?? { sequence: undefined, waiting: [], written: Promise.resolve(), followers: new Set() };
    this.#logs.set(jobId, log);
    return log;
  }

  /** The lines of a job, without those that a dying process left unfinished. */
  async #lines(jobId: string): Promise<LogLine[]> {
    const lines = await this.#backing.read(jobId);
    return lines.flatMap((line) => {
      try {
        return [JSON.parse(line) as LogLine];
      } catch {
        return [];
      }
    });
  }
}
