import { RedisConnection } from './redis-connection.ts';
import type { RedisTarget } from './redis-target.ts';

/** What durability needs. */
export interface DurableWritesParts {
  target: RedisTarget;
  timeoutMs: number;
  log: (level: 'info' | 'warn', message: string) => void;
}

/**
 * Waits until the server has its file on the disk, where it can (WAITAOF, Redis 7.2 and newer). On a connection of its own: the command blocks
 * the connection that it comes over, up to a second with `appendfsync everysec`, and leases must be renewed meanwhile.
 */
export class DurableWrites {
  readonly #parts: DurableWritesParts;
  #canWait = false;
  #connection: Promise<RedisConnection> | undefined;
  #hasWarned = false;

  /**
   * @param parts  Which Redis, times, where to tell.
   */
  constructor(parts: DurableWritesParts) {
    this.#parts = parts;
  }

  /**
   * Looks at how the server keeps its data, and says so, once, when it may lose some.
   *
   * @param connection  Any connection to it.
   */
  async inspect(connection: RedisConnection): Promise<void> {
    const setting = async (name: string): Promise<string | undefined> => {
      // Managed services may not let anybody look.
      const found = await connection.send('CONFIG', 'GET', name).catch(() => []);
      return (found as string[])[1];
    };
    const { log, target } = this.#parts;
    const [appendonly, policy, memory] = [await setting('appendonly'), await setting('maxmemory-policy'), await setting('maxmemory')];
    if (appendonly === 'no')
      log('warn', `Redis at ${target.name}: it keeps no append-only file, so a restart of it loses jobs; set 'appendonly yes'`);
    if (policy !== undefined && policy !== 'noeviction' && memory !== '0')
      log(
        'warn',
        `Redis at ${target.name}: it may evict keys when memory is short (${policy}), which would break jobs; set 'maxmemory-policy noeviction'`,
      );
    // The command itself is asked rather than a version: forks count their own.
    const known = await connection.send('COMMAND', 'INFO', 'WAITAOF').catch(() => [null]);
    this.#canWait = appendonly !== 'no' && (known as unknown[])[0] !== null;
  }

  /** Waits until everything written so far is on the server's disk. Where that cannot be known, it is said once. */
  async sync(): Promise<void> {
    if (!this.#canWait) return;
    const { target, timeoutMs, log } = this.#parts;
    try {
      this.#connection ??= RedisConnection.open(target, timeoutMs);
      const connection = await this.#connection;
      // The command waits for the writes of its own connection, so it needs one that is later than those that matter.
      const key = `sublace:{${target.namespace}}:synced`;
      const [, answer] = await Promise.all([
        connection.send('SET', key, '1'),
        connection.send('WAITAOF', '1', '0', String(Math.floor(timeoutMs / 2))),
      ]);
      if ((answer as number[])[0] === 1 || this.#hasWarned) return;
      log(
        'warn',
        `Redis at ${target.name}: its file did not reach the disk within ${timeoutMs / 2} ms; a crash of its machine may lose jobs`,
      );
    } catch (error) {
      if (!this.#hasWarned) log('warn', `${(error as Error).message}: whether a job reached the disk is not known`);
      await this.reset();
    }
    this.#hasWarned = true;
  }

  /** Forgets the connection; the next wait makes a new one. */
  async reset(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined);
    this.#connection = undefined;
    connection?.close();
  }

  /** Ends the connection. */
  close(): Promise<void> {
    this.#canWait = false;
    return this.reset();
  }
}
