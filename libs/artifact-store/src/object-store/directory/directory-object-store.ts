import { randomUUID } from 'node:crypto';
import { createReadStream, type Dirent } from 'node:fs';
import { link, mkdir, open, readdir, rename, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { SublaceError } from '@sublace/errors';
import { errnoOf } from '../../check-writable.ts';
import { syncToDisk } from '../../sync-to-disk.ts';
import { checkKey, checkPrefix, checkRange, conflict, noObject, requireFile } from '../keys.ts';
import type { ByteRange, ListedObject, ObjectHead, ObjectStore, PutOptions } from '../object-store.ts';
import { etagOfFile } from './etag-of-file.ts';
import { CLAIMED, exchange, keepClaim } from './exchange.ts';

/** Between the name of an object and a random one, in the name of a file that is being written: no part of a key starts with a dot. */
const WRITING = '.writing-';

/** Folders may be removed while a file is about to be made in them. */
const ATTEMPTS_MAX = 10;

/**
 * Objects as the files of a folder, one each, at the path that the key says. Writing makes a file beside it, brings it to the disk and renames it.
 * Any number of processes may share the folder, on one machine or through a file system that has hard links and an atomic rename.
 *
 * @param root  The folder; it is made with the first object.
 * @returns  The store.
 */
export function openDirectoryObjectStore(root: string): ObjectStore {
  return new DirectoryObjectStore(resolve(root));
}

class DirectoryObjectStore implements ObjectStore {
  readonly uri: string;
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
    this.uri = pathToFileURL(root).href;
  }

  async put(key: string, bytes: Uint8Array, options: PutOptions = {}): Promise<{ etag: string }> {
    return this.#write(key, () => Readable.from([bytes]), options);
  }

  async get(key: string, { start = 0, end }: ByteRange = {}): Promise<Uint8Array> {
    const path = this.#path(key);
    checkRange(path, start, end);
    const handle = await open(path, 'r').catch((cause: unknown) => {
      throw isAbsence(cause) ? noObject(path) : unreadable(path, cause);
    });
    try {
      // The file that is open stays what it is; another may take its name.
      const entry = await handle.stat();
      if (!entry.isFile()) throw noObject(path);
      const { size } = entry;
      const wanted = new Uint8Array(Math.max(0, Math.min(end ?? size, size) - start));
      let done = 0;
      while (done < wanted.length) {
        const { bytesRead } = await handle.read(wanted, done, wanted.length - done, start + done);
        if (bytesRead === 0) throw new SublaceError('UNAVAILABLE', `${path}: expected ${size} bytes, got the end at ${start + done}`);
        done += bytesRead;
      }
      return wanted;
    } catch (error) {
      throw error instanceof SublaceError ? error : unreadable(path, error);
    } finally {
      await handle.close();
    }
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    const path = this.#path(key);
    return etagOfFile(path).catch((cause: unknown) => {
      throw unreadable(path, cause);
    });
  }

  async *list(prefix: string): AsyncGenerator<ListedObject> {
    checkPrefix(prefix);
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    yield* this.#walk(folder, prefix);
  }

  async delete(key: string): Promise<void> {
    const path = this.#path(key);
    await unlink(path).catch((cause: unknown) => {
      if (!isAbsence(cause)) throw unwritable(path, cause);
    });
    // As in a bucket, a folder is there only while something is in it.
    for (let folder = dirname(path); folder.length > this.#root.length; folder = dirname(folder)) {
      const isGone = await rmdir(folder).then(
        () => true,
        () => false,
      );
      if (!isGone) break;
    }
  }

  async putFile(key: string, path: string, options: PutOptions = {}): Promise<{ etag: string }> {
    checkKey(key);
    await requireFile(path);
    return this.#write(key, () => createReadStream(path, { highWaterMark: 1 << 20 }), options);
  }

  async getFile(key: string, path: string): Promise<void> {
    const source = this.#path(key);
    if ((await this.head(key)) === undefined) throw noObject(source);
    const target = resolve(path);
    const copy = join(dirname(target), `.${basename(target)}${WRITING}${randomUUID()}`);
    try {
      await fill(copy, createReadStream(source, { highWaterMark: 1 << 20 }));
      await rename(copy, target);
    } catch (cause) {
      await rm(copy, { force: true });
      throw unwritable(target, cause);
    }
  }

  async sweep(prefix: string, olderThanMs: number): Promise<number> {
    checkPrefix(prefix);
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    const names = await readdir(join(this.#root, folder), { recursive: true }).catch(() => []);
    // Claims come before the files that they name.
    names.sort((a, b) => (basename(a) < basename(b) ? -1 : 1));
    let count = 0;
    for (const name of names) {
      const [parent, file] = [dirname(name) === '.' ? '' : `${dirname(name)}/`, basename(name)];
      const at = Math.max(file.indexOf(WRITING), file.indexOf(CLAIMED));
      if (at < 1 || !file.startsWith('.') || !`${folder}${parent}${file.slice(1, at)}`.startsWith(prefix)) continue;
      const path = join(this.#root, folder, name);
      const entry = await stat(path).catch(() => undefined);
      if (entry === undefined || Date.now() - entry.mtimeMs < olderThanMs) continue;
      const isClaim = file.startsWith(CLAIMED, at);
      if (isClaim) await keepClaim(join(dirname(path), file.slice(1, at)), file.slice(at + CLAIMED.length), path);
      await rm(path, { force: true });
      count++;
    }
    return count;
  }

  close(): void {
    // Nothing stays open.
  }

  #path(key: string): string {
    return join(this.#root, checkKey(key));
  }

  async #write(key: string, content: () => Readable, { ifAbsent, ifMatch }: PutOptions): Promise<{ etag: string }> {
    const path = this.#path(key);
    for (let attempt = 1; ; attempt++) {
      const written = join(dirname(path), `.${basename(path)}${WRITING}${randomUUID()}`);
      try {
        await mkdir(dirname(path), { recursive: true });
        await fill(written, content());
        const after = await etagOfFile(written);
        if (ifMatch !== undefined) await exchange(path, ifMatch, written);
        else if (ifAbsent === true) await link(written, path);
        else await rename(written, path);
        // Where the folder is gone, the object has been deleted since.
        await syncToDisk(dirname(path)).catch(() => undefined);
        return { etag: after!.etag };
      } catch (cause) {
        if (cause instanceof SublaceError) throw cause;
        if (ifAbsent === true && errnoOf(cause) === 'EEXIST') throw conflict(path, true);
        if (errnoOf(cause) !== 'ENOENT' || attempt === ATTEMPTS_MAX) throw unwritable(path, cause);
      } finally {
        await rm(written, { force: true }).catch(() => undefined);
      }
    }
  }

  async *#walk(folder: string, prefix: string): AsyncGenerator<ListedObject> {
    const entries = await readdir(join(this.#root, folder), { withFileTypes: true }).catch((cause: unknown) => {
      if (isAbsence(cause)) return [] as Dirent[];
      throw unreadable(join(this.#root, folder), cause);
    });
    const nameOf = (entry: Dirent): string => (entry.isDirectory() ? `${entry.name}/` : entry.name);
    const shown = entries.filter(({ name }) => !name.startsWith('.')).map((entry) => [folder + nameOf(entry), entry] as const);
    // Names are plain ASCII, so the order of their characters is that of their bytes.
    for (const [key, entry] of shown.sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (entry.isDirectory()) {
        if (key.startsWith(prefix)) yield* this.#walk(key, prefix);
      } else if (key.startsWith(prefix)) {
        const found = await stat(join(this.#root, key)).catch(() => undefined);
        if (found?.isFile()) yield { key, bytes: found.size };
      }
    }
  }
}

/** Writes a new file and brings it to the disk. */
async function fill(path: string, content: Readable): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isAbsence(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(errnoOf(error));
}

function unreadable(path: string, cause: unknown): SublaceError {
  if (cause instanceof SublaceError) return cause;
  return new SublaceError('UNAVAILABLE', `${path}: expected to read it, got ${errnoOf(cause)}; check the folder`, { cause });
}

function unwritable(path: string, cause: unknown): SublaceError {
  return new SublaceError('OUTPUT_UNWRITABLE', `${path}: expected to write it, got ${errnoOf(cause)}; check the folder`, { cause });
}
