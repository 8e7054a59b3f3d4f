import { SublaceError } from '@sublace/errors';
import { RedisConnection } from './redis-connection.ts';
import { prefixOf } from './redis-session.ts';
import { parseRedisUrl, type RedisTarget } from './redis-target.ts';

/** How logs in Redis are kept. */
export interface RedisLogOptions {
  /** As of the store. */
  url: string;
  password?: string | undefined;
  /** Lines that a log keeps at least; the oldest go first. 10,000 when left out. */
  linesMax?: number;
  /** How long a log outlives its last line, ms; 30 days when left out. */
  keptMs?: number;
  /** Longest time to connect, and longest silence while an answer is due, ms; 5 s when left out. */
  timeoutMs?: number;
}

/** A connection that failed is not tried again for so long, so that a log never piles up calls that wait for a server that is gone. */
const RETRY_PAUSE_MS = 1000;

const DAY_MS = 86_400_000;

/** Logs of lines in Redis, a stream each. They need no lock: only the coordinator of the namespace writes them. */
export class RedisLog {
  readonly #target: RedisTarget;
  readonly #options: Required<Pick<RedisLogOptions, 'linesMax' | 'keptMs' | 'timeoutMs'>>;
  #connection: Promise<RedisConnection> | undefined;
  #failed: { atMs: number; error: SublaceError } | undefined;

  /**
   * @param options  Which Redis, and how much is kept. Nothing is connected before the first use.
   * @throws SublaceError INVALID_ARGUMENT for an address that is none.
   */
  constructor({ url, password, linesMax = 10_000, keptMs = 30 * DAY_MS, timeoutMs = 5000 }: RedisLogOptions) {
    this.#target = parseRedisUrl(url, password);
    this.#options = { linesMax, keptMs, timeoutMs };
  }

  /**
   * Adds lines, in one round trip.
   *
   * @param name  The log.
   * @param lines  The lines.
   * @throws SublaceError UNAVAILABLE when Redis cannot be reached; others by its error.
   */
  async append(name: string, lines: readonly string[]): Promise<void> {
    const { linesMax, keptMs } = this.#options;
    const key = this.#key(name);
    const connection = await this.#open();
    await this.#sent(
      ...lines.map((line) => connection.send('XADD', key, 'MAXLEN', '~', String(linesMax), '*', 'line', line)),
      connection.send('PEXPIRE', key, String(keptMs)),
    );
  }

  /**
   * The lines of a log.
   *
   * @param name  The log.
   * @returns  Lines, oldest first; none for a log that is not there.
   * @throws SublaceError UNAVAILABLE when Redis cannot be reached; others by its error.
   */
  async read(name: string): Promise<string[]> {
    const connection = await this.#open();
    const [entries] = await this.#sent(connection.send('XRANGE', this.#key(name), '-', '+'));
    return (entries as [id: string, fields: string[]][]).map(([, fields]) => fields[1]);
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    (await this.#connection?.catch(() => undefined))?.close();
  }

  #key(name: string): string {
    return `${prefixOf(this.#target)}log:${name}`;
  }

  async #open(): Promise<RedisConnection> {
    const { timeoutMs } = this.#options;
    if (this.#failed && performance.now() - this.#failed.atMs < RETRY_PAUSE_MS) throw this.#failed.error;
    this.#connection ??= RedisConnection.open(this.#target, timeoutMs);
    const connecting = this.#connection;
    const [connection] = await this.#sent(connecting);
    return connection;
  }

  /** What commands answer; after a failure the next use connects anew. */
  async #sent<T extends Promise<unknown>[]>(...commands: T): Promise<{ [I in keyof T]: Awaited<T[I]> }> {
    try {
      return await Promise.all(commands);
    } catch (thrown) {
      const error = SublaceError.from(thrown);
      this.#failed = { atMs: performance.now(), error };
      void this.#connection?.then((connection) => connection.close()).catch(() => undefined);
      this.#connection = undefined;
      throw error;
    }
  }
}
