import { SublaceError, type ErrorCode } from '@sublace/errors';
import type { createClient } from 'redis';
import type { StoreObserver } from '../store-observer.ts';
import type { RedisTarget } from './redis-target.ts';
import { scripts, type ScriptName } from './scripts.ts';

/** Errors of Redis that pass, or that another server of the same name would not give. */
const PASSING = /\b(LOADING|BUSY|MISCONF|NOREPLICAS|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOSCRIPT)\b/;

/**
 * One connection, from its beginning to its end: it never reconnects by itself, so that no command can reach a server whose data were not
 * looked at. Commands are answered in the order in which they were sent.
 */
export class RedisConnection {
  readonly #target: RedisTarget;
  readonly #client: ReturnType<typeof makeClient>;
  readonly #watchdog: NodeJS.Timeout;
  readonly #timeoutMs: number;
  readonly #observer: StoreObserver | undefined;
  #unanswered = 0;
  #lastAnswerMs = 0;
  #end: SublaceError | undefined;
  #tellEnd: (reason: SublaceError) => void = () => undefined;
  /** Resolves when the connection is over, with the reason. */
  readonly ended: Promise<SublaceError>;

  private constructor(target: RedisTarget, timeoutMs: number, client: ReturnType<typeof makeClient>, observer: StoreObserver | undefined) {
    this.#target = target;
    this.#timeoutMs = timeoutMs;
    this.ended = new Promise((resolve) => (this.#tellEnd = resolve));
    this.#client = client;
    this.#observer = observer;
    this.#client.on('error', (error: Error) => this.#finish(this.#errorOf(error)));
    this.#watchdog = setInterval(() => this.#checkAnswers(), Math.max(50, timeoutMs / 4));
    this.#watchdog.unref();
  }

  /**
   * Connects, checks the version, and loads the scripts.
   *
   * @param target  Which Redis.
   * @param timeoutMs  Longest time to connect, and longest silence while an answer is due.
   * @param observer  Told of every round trip, and of the connection.
   * @returns  The connection; the caller closes it.
   * @throws SublaceError UNAVAILABLE, UNAUTHENTICATED, INVALID_ARGUMENT (too old, no such database).
   */
  static async open(target: RedisTarget, timeoutMs: number, observer?: StoreObserver): Promise<RedisConnection> {
    // Loaded by those who use Redis only: it takes a fifth of a second.
    const { createClient } = await import('redis');
    const connection = new RedisConnection(target, timeoutMs, makeClient(createClient, target, timeoutMs), observer);
    try {
      await connection.#client.connect();
      await connection.#checkVersion();
      await Promise.all(Object.values(scripts()).map(({ source }) => connection.send('SCRIPT', 'LOAD', source)));
      observer?.connected();
      return connection;
    } catch (error) {
      const reason = connection.#errorOf(error);
      connection.#finish(reason);
      throw reason;
    }
  }

  /**
   * Sends a command.
   *
   * @param command  Its words.
   * @returns  The reply: a string, a number, null, or an array of these.
   * @throws SublaceError UNAVAILABLE when the connection breaks: the command may or may not have been executed; others by Redis's error.
   */
  async send(...command: string[]): Promise<unknown> {
    if (this.#end) throw this.#end;
    if (this.#unanswered++ === 0) this.#lastAnswerMs = performance.now();
    const startMs = performance.now();
    try {
      const answer: unknown = await this.#client.sendCommand(command);
      this.#observer?.answered((performance.now() - startMs) / 1000);
      return answer;
    } catch (error) {
      throw this.#end ?? this.#errorOf(error);
    } finally {
      this.#unanswered--;
      this.#lastAnswerMs = performance.now();
    }
  }

  /**
   * Runs a script in one round trip.
   *
   * @param name  The script.
   * @param key  Its one key.
   * @param args  Its arguments.
   * @returns  Its reply.
   * @throws SublaceError as {@link send}.
   */
  async run(name: ScriptName, key: string, args: readonly string[]): Promise<(string | number)[]> {
    return (await this.send('EVALSHA', scripts()[name].sha1, '1', key, ...args)) as (string | number)[];
  }

  /** Ends the connection; commands under way fail. */
  close(): void {
    this.#finish(new SublaceError('UNAVAILABLE', `Redis at ${this.#target.name}: the connection was closed`));
  }

  #finish(reason: SublaceError): void {
    if (this.#end) return;
    this.#end = reason;
    clearInterval(this.#watchdog);
    if (this.#client.isOpen) this.#client.destroy();
    this.#tellEnd(reason);
  }

  /** A server that is stopped or cut off keeps the socket open and says nothing. */
  #checkAnswers(): void {
    if (this.#unanswered === 0 || performance.now() - this.#lastAnswerMs < this.#timeoutMs) return;
    this.#finish(
      new SublaceError('UNAVAILABLE', `Redis at ${this.#target.name}: expected an answer within ${this.#timeoutMs} ms, got none`),
    );
  }

  async #checkVersion(): Promise<void> {
    const info = await this.send('INFO', 'server').catch(() => '');
    const version = /^redis_version:(\d+)\.(\d+)\S*/m.exec(String(info));
    if (version && Number(version[1]) * 100 + Number(version[2]) < 602) {
      const found = version[0].slice('redis_version:'.length);
      throw new SublaceError('INVALID_ARGUMENT', `Redis at ${this.#target.name}: expected version 6.2 or newer, got ${found}`);
    }
  }

  #errorOf(thrown: unknown): SublaceError {
    if (thrown instanceof SublaceError) return thrown;
    const { message, code } = thrown as NodeJS.ErrnoException;
    const text = message === '' ? (code ?? 'the connection broke') : message;
    const error = (kind: ErrorCode, advice = ''): SublaceError =>
      new SublaceError(kind, `Redis at ${this.#target.name}: ${text}${advice}`, { cause: thrown });
    if (/\b(WRONGPASS|NOAUTH|NOPERM)\b|AUTH <password>/.test(text))
      return error('UNAUTHENTICATED', '; give the password in the address or in SUBLACE_REDIS_PASSWORD');
    if (/CERT|UNABLE_TO_/.test(code ?? '')) return error('INVALID_ARGUMENT', '; name the authority that signed it in NODE_EXTRA_CA_CERTS');
    if (text.startsWith('MOVED ')) return error('INVALID_ARGUMENT', '; name the cluster node that owns this namespace');
    if (text.includes('DB index is out of range')) return error('INVALID_ARGUMENT');
    if (/\bOOM command not allowed/.test(text)) return error('RESOURCE_EXHAUSTED', '; give Redis more memory (maxmemory)');
    // What is no reply of Redis comes from the socket.
    const isReply = /^-?[A-Z]+ /.test(text);
    return error(!isReply || PASSING.test(text) ? 'UNAVAILABLE' : 'INTERNAL');
  }
}

function makeClient(create: typeof createClient, { url }: RedisTarget, timeoutMs: number) {
  return create({
    url,
    // Protocol and commands are those of Redis 6.2, so that Valkey and managed services work.
    RESP: 2,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    disableOfflineQueue: true,
    socket: { reconnectStrategy: false, connectTimeout: timeoutMs },
  });
}
