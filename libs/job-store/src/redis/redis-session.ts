import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { SublaceError } from '@sublace/errors';
import type { StoreObserver } from '../store-observer.ts';
import { RedisConnection } from './redis-connection.ts';
import type { RedisTarget } from './redis-target.ts';
import type { ScriptName } from './scripts.ts';

/** How much of what the owner knows Redis still has after a break. */
export type Resumption = 'same' | 'ahead' | 'lost';

/** What a session needs from the store that uses it. */
export interface SessionParts {
  target: RedisTarget;
  /** How long the lock lasts without renewal, ms. */
  lockMs: number;
  /** Longest time to connect, and longest silence while an answer is due, ms. */
  timeoutMs: number;
  log: (level: 'info' | 'warn', message: string) => void;
  /** Told of every round trip and connection. */
  observer?: StoreObserver | undefined;
}

/** What a store tells a session, and hears from it, when a connection is back. */
export interface SessionUser {
  /** The last revision and the highest token known here, and the expiry of every lease from now on. */
  known(): { revision: number; highestToken: number; leaseExpiresAtMs: number };
  /** Called before any other script runs on the new connection. What it resolves to is called once scripts can run. */
  resumed(resumption: Resumption, revision: number, connection: RedisConnection): Promise<() => void>;
  /** The namespace belongs to another coordinator; nothing more can be done here. */
  lost(reason: SublaceError): void;
}

/** Ownership of a namespace: the lock that keeps others out, the epoch that fences them, and one connection at a time. */
export class RedisSession {
  readonly #parts: SessionParts;
  readonly #user: SessionUser;
  readonly #id = randomBytes(8).toString('hex');
  readonly #key: string;
  #address = '';
  #epoch = 0;
  #session = '';
  #connection: RedisConnection | undefined;
  /** Why no script can run now. */
  #down: SublaceError | undefined;
  #isOver = false;
  #renewal: NodeJS.Timeout | undefined;

  /**
   * @param parts  Which Redis, times, where to tell.
   * @param user  The store.
   */
  constructor(parts: SessionParts, user: SessionUser) {
    this.#parts = parts;
    this.#user = user;
    this.#key = `${prefixOf(parts.target)}meta`;
  }

  /**
   * Connects and becomes the owner of the namespace. A lock left by a process that was killed runs out; one that is renewed meanwhile has a
   * living holder.
   *
   * @returns  The connection, on which nothing else runs before {@link start}.
   * @throws SublaceError INVALID_ARGUMENT when another coordinator is alive; those of RedisConnection.open.
   */
  async takeOver(): Promise<RedisConnection> {
    const { target, lockMs, timeoutMs, log, observer } = this.#parts;
    const connection = await RedisConnection.open(target, timeoutMs, observer);
    try {
      let left = Number.POSITIVE_INFINITY;
      for (;;) {
        const answer = await connection.run('take-over', this.#key, [this.#id, this.#description(), String(lockMs)]);
        if (answer[0] === 'taken') {
          [this.#epoch, this.#session] = [Number(answer[1]), String(answer[2])];
          this.#connection = connection;
          return connection;
        }
        const [holder, holderLeft] = [describeHolder(String(answer[1])), Number(answer[2])];
        if (holderLeft > left) {
          const where = `namespace '${target.namespace}' of Redis at ${target.name}`;
          const advice = 'stop that one, or give this one a namespace of its own (?namespace=name)';
          throw new SublaceError('INVALID_ARGUMENT', `${where}: expected no other coordinator, got one alive: ${holder}; ${advice}`);
        }
        if (left === Number.POSITIVE_INFINITY)
          log('info', `waiting up to ${holderLeft} ms for the lock of the last coordinator: ${holder}`);
        left = holderLeft;
        await pause(Math.min(200, holderLeft + 1));
      }
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Lets scripts run, renews the lock, and reconnects from now on. */
  start(): void {
    void this.#follow(this.#connection!);
    this.#renewal = setInterval(() => void this.#renew().catch(() => undefined), this.#parts.lockMs / 3);
    this.#renewal.unref();
  }

  /**
   * Tells others where the coordinator listens.
   *
   * @param address  HOST:PORT.
   */
  async advertise(address: string): Promise<void> {
    this.#address = address;
    await this.#renew();
  }

  /**
   * Runs a script as the owner of the namespace.
   *
   * @param name  The script.
   * @param args  Its arguments, the session left out.
   * @param use  Takes the answer. Called in the order in which Redis ran the scripts.
   * @returns  What `use` returned.
   * @throws SublaceError UNAVAILABLE while there is no connection, FENCED when another coordinator has taken over; those of
   *   RedisConnection.send.
   */
  run<T>(name: ScriptName, args: readonly string[], use: (answer: (string | number)[]) => T): Promise<T> {
    const connection = this.#connection;
    if (this.#down || !connection) return Promise.reject(this.#down ?? new SublaceError('UNAVAILABLE', 'job store: not connected'));
    return connection.run(name, this.#key, [this.#session, ...args]).then((answer) => {
      if (answer[0] !== 'stale') return use(answer);
      const [epoch, owner] = String(answer[1]).split(':');
      // Own session of another connection, or an older one brought back by a restored file: looked at when connecting again.
      if (owner !== this.#id && Number(epoch) >= this.#epoch) throw this.#lose('');
      throw this.breakConnection('a session that is not the current one');
    });
  }

  /**
   * Ends the connection because what came over it cannot be; a new one starts with a look at what is there.
   *
   * @param why  What came.
   * @returns  The error for the caller.
   */
  breakConnection(why: string): SublaceError {
    this.#connection?.close();
    return new SublaceError('UNAVAILABLE', `Redis at ${this.#parts.target.name}: ${why}; connecting again`);
  }

  /** Gives the namespace up and disconnects. */
  async close(): Promise<void> {
    if (this.#isOver) return;
    clearInterval(this.#renewal);
    const released = this.run('release-leader', [], () => undefined);
    this.#isOver = true;
    await released.catch(() => undefined);
    this.#down = new SublaceError('UNAVAILABLE', 'job store: expected an open store, got a closed one');
    this.#connection?.close();
  }

  async #renew(): Promise<void> {
    await this.run('renew-leader', [this.#description(), String(this.#parts.lockMs)], () => undefined);
  }

  /** Waits for the end of a connection, then for a new one, for ever. */
  async #follow(connection: RedisConnection): Promise<void> {
    const { log, target } = this.#parts;
    for (;;) {
      const reason = await connection.ended;
      if (this.#isOver) return;
      this.#connection = undefined;
      this.#down = new SublaceError('UNAVAILABLE', `${reason.message}; the coordinator goes on when Redis is back`, { cause: reason });
      log('warn', this.#down.message);
      const next = await this.#reconnect();
      if (!next) return;
      connection = next;
      log('info', `Redis at ${target.name}: connected again`);
    }
  }

  async #reconnect(): Promise<RedisConnection | undefined> {
    for (let delayMs = 50; ; delayMs = Math.min(2000, delayMs * 2)) {
      // Spread, so that many clients do not come back at the same instant.
      await pause(delayMs * (0.5 + Math.random() / 2));
      if (this.#isOver) return undefined;
      let connection: RedisConnection | undefined;
      try {
        connection = await RedisConnection.open(this.#parts.target, this.#parts.timeoutMs, this.#parts.observer);
        await this.#resume(connection);
        return connection;
      } catch (error) {
        connection?.close();
        if (this.#isOver) return undefined;
        // What went wrong last is what callers are told.
        const { message } = SublaceError.from(error);
        this.#down = new SublaceError('UNAVAILABLE', `${message}; the coordinator goes on when Redis is back`, { cause: error });
      }
    }
  }

  async #resume(connection: RedisConnection): Promise<void> {
    const { lockMs } = this.#parts;
    const { revision, highestToken, leaseExpiresAtMs } = this.#user.known();
    const [epoch, id, count] = this.#session.split(':');
    const next = `${epoch}:${id}:${Number(count) + 1}`;
    const known = [String(revision), String(highestToken), String(leaseExpiresAtMs)];
    const sessions = [String(this.#epoch), this.#session, next];
    const answer = await connection.run('resume', this.#key, [this.#id, this.#description(), String(lockMs), ...sessions, ...known]);
    if (answer[0] === 'fenced') throw this.#lose(String(answer[1]));
    const goOn = await this.#user.resumed(answer[0] as Resumption, Number(answer[1]), connection);
    this.#session = next;
    this.#connection = connection;
    this.#down = undefined;
    goOn();
  }

  #lose(holder: string): SublaceError {
    const { target } = this.#parts;
    const where = `namespace '${target.namespace}' of Redis at ${target.name}`;
    const by = holder === '' ? 'another coordinator' : `another coordinator: ${describeHolder(holder)}`;
    const reason = new SublaceError('FENCED', `${where}: expected to own it, got taken over by ${by}; this coordinator ends`);
    this.#down ??= reason;
    if (this.#isOver) return reason;
    this.#isOver = true;
    this.#down = reason;
    clearInterval(this.#renewal);
    this.#connection?.close();
    this.#user.lost(reason);
    return reason;
  }

  #description(): string {
    return JSON.stringify({ id: this.#id, host: hostname(), pid: process.pid, address: this.#address });
  }
}

/**
 * What every key of a namespace starts with. The braces put them all into one slot of a cluster.
 *
 * @param target  The namespace.
 * @returns  The prefix.
 */
export function prefixOf({ namespace }: RedisTarget): string {
  return `sublace:{${namespace}}:`;
}

function describeHolder(description: string): string {
  if (description === '') return 'unknown';
  const { host, pid, address } = JSON.parse(description) as { host: string; pid: number; address: string };
  return `process ${pid} on ${host}${address === '' ? '' : `, listening on ${address}`}`;
}
