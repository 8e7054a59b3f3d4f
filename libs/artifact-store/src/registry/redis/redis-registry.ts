import { readFileSync } from 'node:fs';
import { SublaceError } from '@sublace/errors';
import { parseRedisUrl, type RedisTarget } from '@sublace/job-store';
import type { createClient } from 'redis';
import {
  checkExpected,
  checkInput,
  checkLabel,
  checkName,
  checkShare,
  checkVersion,
  noLabel,
  noVersion,
  parseVersion,
} from '../check-names.ts';
import type { Pointers, RegisteredVersion, Registry, SetPointerOptions, VersionInput, WatchOptions } from '../registry.ts';
import { watchPointers } from '../watch-pointers.ts';

/** A watch is told of changes; this is for what it was not told while its connection was broken. */
const POLL_MS = 5000;
const TIMEOUT_MS = 10_000;
/** Between two tries to connect again. */
const RECONNECT_MS = 500;

type Client = ReturnType<typeof createClient>;

/**
 * A registry in Redis, beside the jobs of the same namespace: keys `sublace:{NAMESPACE}:registry...`. It is as durable as that Redis is: let it write
 * an append-only file.
 *
 * @param url  `redis[s]://[[user]:password@]host[:port][/database][?namespace=name]`.
 * @param password  Where the URL has none.
 * @returns  The registry; it connects with its first call.
 * @throws SublaceError INVALID_ARGUMENT when the URL is none.
 */
export function openRedisRegistry(url: string, password?: string): Registry {
  return new RedisRegistry(parseRedisUrl(url, password));
}

class RedisRegistry implements Registry {
  readonly #target: RedisTarget;
  readonly #prefix: string;
  readonly #closed = new AbortController();
  #client: Promise<Client> | undefined;

  constructor(target: RedisTarget) {
    this.#target = target;
    this.#prefix = `sublace:{${target.namespace}}:registry`;
  }

  async register(name: string, input: VersionInput): Promise<RegisteredVersion> {
    const checked = checkInput(input);
    checkName(name);
    const json = JSON.stringify({ ...checked, registeredAt: new Date().toISOString() });
    const keys = [this.#key(name, 'digests'), this.#key(name, 'versions'), this.#prefix];
    const [version, text] = (await this.#script('register', keys, [checked.digest, json, name])) as [number, string];
    return this.#version(name, version, text);
  }

  async names(): Promise<string[]> {
    return ((await this.#send('SMEMBERS', this.#prefix)) as string[]).sort();
  }

  async list(name: string): Promise<RegisteredVersion[]> {
    const texts = (await this.#send('LRANGE', this.#key(checkName(name), 'versions'), '0', '-1')) as string[];
    return texts.map((text, index) => this.#version(name, index + 1, text));
  }

  async get(name: string, version: number): Promise<RegisteredVersion> {
    const text = (await this.#send('LINDEX', this.#key(checkName(name), 'versions'), String(checkVersion(version) - 1))) as string | null;
    if (text === null) throw noVersion(name, version);
    return this.#version(name, version, text);
  }

  async pointers(name: string): Promise<Pointers> {
    return pointersOf((await this.#send('HGETALL', this.#key(checkName(name), 'pointers'))) as string[]);
  }

  async setPointer(name: string, label: string, version: number | null, { expected, share }: SetPointerOptions = {}): Promise<Pointers> {
    checkLabel(label);
    const keys = [this.#key(checkName(name), 'pointers'), this.#key(name, 'versions')];
    const wanted = version === null ? '' : String(checkVersion(version));
    const condition = expected === undefined ? '' : String(expected ?? 'none');
    const newShare = share === undefined ? '' : String(checkShare(share));
    const answer = await this.#script('set-pointer', keys, [label, wanted, condition, this.#channel(name), newShare]);
    if (answer === 'NO_VERSION') throw noVersion(name, version!);
    const words = answer as string[];
    if (words[0] === 'CONFLICT') checkExpected(name, label, words[1] === '' ? undefined : Number(words[1]), expected);
    return pointersOf(words);
  }

  async resolve(name: string, label: string): Promise<RegisteredVersion> {
    const version = (await this.pointers(name)).labels[checkLabel(label)];
    if (version === undefined) throw noLabel(name, label);
    return this.get(name, version);
  }

  async *watch(name: string, signal: AbortSignal, options: WatchOptions = {}): AsyncGenerator<Pointers> {
    checkName(name);
    let hint = (): void => undefined;
    // A connection that subscribes can do nothing else.
    const listener = (await this.#connect()).duplicate();
    listener.on('error', () => undefined);
    // Also after every new connection: what was published meanwhile was lost.
    listener.on('ready', () => hint());
    try {
      const listening = listener.connect().then(() => listener.subscribe(this.#channel(name), () => hint()));
      listening.catch(() => undefined);
      const ended = AbortSignal.any([signal, this.#closed.signal]);
      const what = `Redis at ${this.#target.name}, '${name}'`;
      const read = (): Promise<Pointers> => this.pointers(name);
      yield* watchPointers({ ...options, what, read, pollMs: POLL_MS, signal: ended, onHint: (look) => (hint = look) });
    } finally {
      listener.destroy();
    }
  }

  async close(): Promise<void> {
    this.#closed.abort();
    const client = await this.#client?.catch(() => undefined);
    this.#client = undefined;
    if (client?.isOpen === true) client.destroy();
  }

  #key(name: string, what: string): string {
    return `${this.#prefix}:${name}:${what}`;
  }

  #channel(name: string): string {
    return this.#key(name, 'changes');
  }

  #version(name: string, version: number, text: string): RegisteredVersion {
    const place = `Redis at ${this.#target.name}, version ${version} of '${name}'`;
    return parseVersion(JSON.stringify({ version, ...(JSON.parse(text) as object) }), place);
  }

  #script(name: 'register' | 'set-pointer', keys: string[], args: string[]): Promise<unknown> {
    return this.#send('EVAL', scriptOf(name), String(keys.length), ...keys, ...args);
  }

  async #send(...command: string[]): Promise<unknown> {
    try {
      const client = await this.#connect();
      return await client.sendCommand(command);
    } catch (error) {
      throw this.#errorOf(error);
    }
  }

  /** The connection; it comes back by itself, and commands wait for that no longer than their time. */
  #connect(): Promise<Client> {
    this.#client ??= connect(this.#target).catch((error: unknown) => {
      this.#client = undefined;
      throw this.#errorOf(error);
    });
    return this.#client;
  }

  #errorOf(thrown: unknown): SublaceError {
    if (thrown instanceof SublaceError) return thrown;
    const { message, code, name } = thrown as NodeJS.ErrnoException;
    const line = `Redis at ${this.#target.name}: ${message || (code ?? name)}`;
    if (/\b(WRONGPASS|NOAUTH|NOPERM)\b/.test(line))
      return new SublaceError('UNAUTHENTICATED', `${line}; give the password in the address or in SUBLACE_REDIS_PASSWORD`, {
        cause: thrown,
      });
    const isReply = /^-?(ERR|WRONGTYPE) /.test(message);
    return new SublaceError(isReply ? 'INTERNAL' : 'UNAVAILABLE', isReply ? line : `${line}; check that it runs`, { cause: thrown });
  }
}

async function connect({ url }: RedisTarget): Promise<Client> {
  // Loaded by those who use Redis only: it takes a fifth of a second.
  const redis = await import('redis');
  let isConnected = false;
  const client = redis.createClient({
    url,
    // Protocol and commands are those of Redis 6.2, so that Valkey and managed services work.
    RESP: 2,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    disableOfflineQueue: true,
    commandOptions: { timeout: TIMEOUT_MS },
    socket: { reconnectStrategy: (_retries, cause) => (isConnected ? RECONNECT_MS : cause), connectTimeout: TIMEOUT_MS },
  }) as Client;
  client.on('error', () => undefined);
  await client.connect();
  isConnected = true;
  return client;
}

/** After the label whose share it is: no label has a colon. */
const SHARE = ':share';

/** Labels, shares and revision of the words of a hash. */
function pointersOf(words: readonly string[]): Pointers {
  const labels: Record<string, number> = {};
  const shares: Record<string, number> = {};
  let revision = 0;
  for (let i = 0; i < words.length; i += 2) {
    const [field, value] = [words[i], Number(words[i + 1])];
    if (field === '') revision = value;
    else if (field.endsWith(SHARE)) shares[field.slice(0, -SHARE.length)] = value;
    else labels[field] = value;
  }
  return { revision, labels, ...(Object.keys(shares).length > 0 && { shares }) };
}

const known = new Map<string, string>();

function scriptOf(name: string): string {
  // Found through the package, not beside this file: an app's bundle lies elsewhere.
  const path = new URL(`src/registry/redis/scripts/${name}.lua`, import.meta.resolve('@sublace/artifact-store/package.json'));
  const source = known.get(name) ?? readFileSync(path, 'utf8');
  known.set(name, source);
  return source;
}
