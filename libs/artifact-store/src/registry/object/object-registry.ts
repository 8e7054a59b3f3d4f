import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SublaceError } from '@sublace/errors';
import type { ObjectStore } from '../../object-store/object-store.ts';
import { readWithEtag } from '../../object-store/read-with-etag.ts';
import {
  checkExpected,
  checkInput,
  checkLabel,
  checkName,
  checkShare,
  checkVersion,
  noLabel,
  noVersion,
  parsePointers,
  parseVersion,
} from '../check-names.ts';
import type { Pointers, RegisteredVersion, Registry, SetPointerOptions, VersionInput, WatchOptions } from '../registry.ts';
import { watchPointers } from '../watch-pointers.ts';
import { FolderHints } from './folder-hints.ts';

/** Between two looks of a watch. */
const POLL_MS = 1000;
/** Others that change the same labels at the same time, before it is given up. */
const ATTEMPTS_MAX = 100;
/** Versions read at once. */
const READS_AT_ONCE = 16;

/**
 * A registry in an object store: `registry/NAME/versions/00000001.json`, each written once, and `registry/NAME/pointers.json`, exchanged under a
 * condition.
 *
 * @param store  The store; closed with the registry.
 * @returns  The registry.
 */
export function openObjectRegistry(store: ObjectStore): Registry {
  return new ObjectRegistry(store);
}

class ObjectRegistry implements Registry {
  readonly #store: ObjectStore;
  readonly #closed = new AbortController();
  /** Versions never change, so what was read once is known. */
  readonly #known = new Map<string, RegisteredVersion>();

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  async register(name: string, input: VersionInput): Promise<RegisteredVersion> {
    const checked = checkInput(input);
    let next = 1;
    for (const known of await this.list(name)) {
      if (known.digest === checked.digest) return known;
      next = known.version + 1;
    }
    for (; ; next++) {
      const registered = { version: next, ...checked, registeredAt: new Date().toISOString() };
      try {
        await this.#store.put(versionKey(name, next), bytesOf(registered), { ifAbsent: true });
        return registered;
      } catch (error) {
        if (SublaceError.from(error).code !== 'CONFLICT') throw error;
        const other = await this.get(name, next);
        if (other.digest === checked.digest) return other;
      }
    }
  }

  async names(): Promise<string[]> {
    const names = new Set<string>();
    for await (const { key } of this.#store.list('registry/')) if (key.includes('/versions/')) names.add(key.split('/')[1]);
    return [...names];
  }

  async list(name: string): Promise<RegisteredVersion[]> {
    const versions: number[] = [];
    for await (const { key } of this.#store.list(`registry/${checkName(name)}/versions/`)) {
      const match = /\/(\d{8})\.json$/.exec(key);
      if (match) versions.push(Number(match[1]));
    }
    const found: RegisteredVersion[] = [];
    for (let start = 0; start < versions.length; start += READS_AT_ONCE)
      found.push(...(await Promise.all(versions.slice(start, start + READS_AT_ONCE).map((version) => this.get(name, version)))));
    return found;
  }

  async get(name: string, version: number): Promise<RegisteredVersion> {
    const key = versionKey(checkName(name), checkVersion(version));
    const known = this.#known.get(key);
    if (known) return known;
    const bytes = await this.#store.get(key).catch((error: unknown) => {
      throw SublaceError.from(error).code === 'NOT_FOUND' ? noVersion(name, version) : error;
    });
    const found = parseVersion(Buffer.from(bytes).toString('utf8'), `${this.#store.uri} ${key}`);
    this.#known.set(key, found);
    return found;
  }

  async pointers(name: string): Promise<Pointers> {
    return (await this.#read(name)).pointers;
  }

  async setPointer(name: string, label: string, version: number | null, { expected, share }: SetPointerOptions = {}): Promise<Pointers> {
    checkLabel(label);
    if (share !== undefined) checkShare(share);
    if (version !== null) await this.get(name, version);
    for (let attempt = 1; ; attempt++) {
      const { pointers, etag } = await this.#read(name);
      checkExpected(name, label, pointers.labels[label], expected);
      const { [label]: _replaced, ...others } = pointers.labels;
      // The revision is also what makes the content another one each time, which an exchange in a folder relies on.
      const after = {
        revision: pointers.revision + 1,
        labels: version === null ? others : { ...others, [label]: version },
        ...sharesAfter(pointers.shares, label, version === null ? null : share),
      };
      try {
        await this.#store.put(pointersKey(name), bytesOf(after), etag === undefined ? { ifAbsent: true } : { ifMatch: etag });
        return after;
      } catch (error) {
        if (SublaceError.from(error).code !== 'CONFLICT' || attempt === ATTEMPTS_MAX) throw error;
      }
    }
  }

  async resolve(name: string, label: string): Promise<RegisteredVersion> {
    const version = (await this.pointers(name)).labels[checkLabel(label)];
    if (version === undefined) throw noLabel(name, label);
    return this.get(name, version);
  }

  async *watch(name: string, signal: AbortSignal, options: WatchOptions = {}): AsyncGenerator<Pointers> {
    const { uri } = this.#store;
    let look = (): void => undefined;
    // A folder tells by itself, mostly; looking every second is for the rest.
    const hints = uri.startsWith('file:')
      ? new FolderHints(join(fileURLToPath(uri), 'registry', checkName(name)), () => look())
      : undefined;
    const read = (): Promise<Pointers> => {
      hints?.ensure();
      return this.pointers(name);
    };
    try {
      const ended = AbortSignal.any([signal, this.#closed.signal]);
      const what = `${uri}, '${name}'`;
      yield* watchPointers({ ...options, what, read, pollMs: POLL_MS, signal: ended, onHint: (hint) => (look = hint) });
    } finally {
      hints?.close();
    }
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#store.close();
  }

  async #read(name: string): Promise<{ pointers: Pointers; etag?: string }> {
    const key = pointersKey(checkName(name));
    const found = await readWithEtag(this.#store, key);
    if (found === undefined) return { pointers: { revision: 0, labels: {} } };
    return { pointers: parsePointers(found.text, `${this.#store.uri} ${key}`), etag: found.etag };
  }
}

/** Shares once a label has another: undefined leaves it as it is, null takes it away. */
function sharesAfter(shares: Pointers['shares'] = {}, label: string, share: number | null | undefined): Pick<Pointers, 'shares'> {
  const { [label]: before, ...others } = shares;
  const now = share === undefined ? before : share;
  const after = typeof now === 'number' ? { ...others, [label]: now } : others;
  return Object.keys(after).length > 0 ? { shares: after } : {};
}

const versionKey = (name: string, version: number): string => `registry/${name}/versions/${String(version).padStart(8, '0')}.json`;
const pointersKey = (name: string): string => `registry/${name}/pointers.json`;
const bytesOf = (value: unknown): Uint8Array => Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
