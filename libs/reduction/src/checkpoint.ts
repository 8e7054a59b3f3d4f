import { randomBytes } from 'node:crypto';
import type { ObjectStore } from '@sublace/artifact-store';
import { SublaceError } from '@sublace/errors';
import { decodeManifest, digestOf, encodeManifest, type CheckpointManifest, type SavedBlock } from './checkpoint-manifest.ts';
import { decodeContent, encodeContent, type HeldBlock } from './held-block.ts';
import { JobSums } from './job-sums.ts';
import { ShardSet } from './shard-set.ts';

/** Tries to take over a checkpoint whose writer was killed, or has not yet noticed that it has a successor. */
const TAKE_OVERS_MAX = 5;

/**
 * The sums of one job at one holder, in an object store: one object per block under the digest of its content, and one manifest that names them.
 * The manifest is written last and replaces the one before, so a process that is killed at any point leaves a whole checkpoint: the new one or the
 * old one. A block and the set of shards in it are copied at the same instant, hence each block is consistent by itself, and what one block lacks is
 * asked for again.
 *
 * Two processes may believe that they are the same holder, when one was stopped and has been replaced. Each reads before it writes and replaces only
 * the manifest that it knows, so the older one fails with CONFLICT, and removes nothing.
 */
export class Checkpoint {
  readonly #store: ObjectStore;
  readonly #jobId: string;
  readonly #holder: string;
  readonly #writer = randomBytes(8).toString('hex');
  /** Of the manifest that this process wrote or took over; undefined when there was none. */
  #etag: string | undefined;
  #saved = new Map<string, SavedBlock & { version: number }>();
  /** Digests of the objects that may lie in the store, those of writes that did not get as far as their manifest included. */
  readonly #objects = new Set<string>();
  #savedVersion = -1;

  /**
   * @param store  Where it is kept.
   * @param jobId  The job.
   * @param holder  Whose sums: letters, digits and dashes.
   */
  constructor(store: ObjectStore, jobId: string, holder: string) {
    this.#store = store;
    this.#jobId = jobId;
    this.#holder = holder;
  }

  /**
   * Reads the checkpoint and takes it over: whoever wrote it before cannot write any more.
   *
   * @returns  The sums, with the bits that they were saved with; undefined when there is no checkpoint.
   * @throws SublaceError DIGEST_MISMATCH when it is damaged or not whole.
   */
  async restore(): Promise<JobSums | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#takeOver();
      } catch (error) {
        // Its writer was killed in the middle of its last write, which has come into force now: that is what counts.
        if (SublaceError.from(error).code !== 'CONFLICT' || attempt === TAKE_OVERS_MAX) throw error;
      }
    }
  }

  async #takeOver(): Promise<JobSums | undefined> {
    const head = await this.#store.head(this.#manifestKey);
    if (!head) return undefined;
    this.#etag = head.etag;
    const manifest = decodeManifest(await this.#store.get(this.#manifestKey), { jobId: this.#jobId, holder: this.#holder });
    // With its etag of before: had somebody written in between, it would not be the manifest that was read.
    this.#etag = (
      await this.#store.put(this.#manifestKey, encodeManifest({ ...manifest, writer: this.#writer }), { ifMatch: head.etag })
    ).etag;
    const blocks: HeldBlock[] = [];
    for (const saved of manifest.blocks) {
      const { name, phase, shape } = saved;
      const content = decodeContent(saved.content, shape, await this.#bytesOf(saved));
      blocks.push({ name, phase, shape, content, shards: ShardSet.fromText(manifest.shardSets[saved.shards]), version: 0 });
      this.#saved.set(name, { ...saved, version: 0 });
    }
    // What a writer left that was killed before its manifest goes with the next write.
    for await (const { key } of this.#store.list(`${this.#folder}/blocks/`)) this.#objects.add(key.slice(key.lastIndexOf('/') + 1));
    const sums = new JobSums({ blocks, frame: manifest.frame });
    this.#savedVersion = sums.version;
    return sums;
  }

  /**
   * Writes what has changed since the last time.
   *
   * @param sums  The sums; they may go on growing meanwhile.
   * @returns  Bytes that were written.
   * @throws SublaceError CONFLICT when another process has taken this holder's place; others when the store cannot be written.
   */
  async write(sums: JobSums): Promise<number> {
    const { version } = sums;
    if (version === this.#savedVersion) return 0;
    const saved = new Map<string, SavedBlock & { version: number }>();
    const setTexts = new Map<string, number>();
    let written = 0;
    for (const held of sums.blocks()) {
      const before = this.#saved.get(held.name);
      // Copied together, within one turn: the bytes and the shards that are in them.
      const { name, phase, shape, version: blockVersion } = held;
      const text = held.shards.toText();
      const shards = setTexts.get(text) ?? setTexts.size;
      setTexts.set(text, shards);
      if (before?.version === blockVersion) {
        saved.set(name, { ...before, shards });
        continue;
      }
      const { kind, bytes } = encodeContent(held.content);
      const sha256 = digestOf(bytes);
      saved.set(name, { name, phase, shape, content: kind, shards, sha256, bytes: bytes.length, version: blockVersion });
      this.#objects.add(sha256);
      await this.#store.put(this.#objectKey(sha256), bytes);
      written += bytes.length;
    }
    await this.#writeManifest(sums, saved, [...setTexts.keys()]);
    this.#saved = saved;
    this.#savedVersion = version;
    const kept = new Set([...saved.values()].map(({ sha256 }) => sha256));
    for (const sha256 of [...this.#objects].filter((each) => !kept.has(each))) {
      await this.#store.delete(this.#objectKey(sha256));
      this.#objects.delete(sha256);
    }
    return written;
  }

  /** Removes the checkpoint with everything that any writer of it has left. */
  async remove(): Promise<void> {
    await removeObjects(this.#store, `${this.#folder}/`);
    this.#etag = undefined;
    this.#saved.clear();
    this.#objects.clear();
    this.#savedVersion = -1;
  }

  get #folder(): string {
    return `${this.#jobId}/${this.#holder}`;
  }

  get #manifestKey(): string {
    return `${this.#folder}/manifest`;
  }

  #objectKey(sha256: string): string {
    return `${this.#folder}/blocks/${sha256}`;
  }

  async #writeManifest(sums: JobSums, saved: Map<string, SavedBlock & { version: number }>, shardSets: string[]): Promise<void> {
    const manifest: CheckpointManifest = {
      formatVersion: 1,
      jobId: this.#jobId,
      holder: this.#holder,
      writer: this.#writer,
      frame: sums.frame(),
      shardSets,
      blocks: [...saved.values()].map(({ version: _version, ...block }) => block),
    };
    const condition = this.#etag === undefined ? { ifAbsent: true } : { ifMatch: this.#etag };
    this.#etag = (await this.#store.put(this.#manifestKey, encodeManifest(manifest), condition)).etag;
  }

  async #bytesOf({ name, sha256 }: SavedBlock): Promise<Uint8Array> {
    const where = `checkpoint ${this.#folder}: block ${name}`;
    const bytes = await this.#store.get(this.#objectKey(sha256)).catch((error: unknown) => {
      if (SublaceError.from(error).code !== 'NOT_FOUND') throw error;
      throw new SublaceError('DIGEST_MISMATCH', `${where}: expected object ${sha256}, got none`, { cause: error });
    });
    if (digestOf(bytes) === sha256) return bytes;
    throw new SublaceError('DIGEST_MISMATCH', `${where}: expected content of sha256 ${sha256}, got ${digestOf(bytes)}`);
  }
}

/**
 * Removes every object under a prefix.
 *
 * @param store  The store.
 * @param prefix  A job's folder, with its slash.
 */
export async function removeObjects(store: ObjectStore, prefix: string): Promise<void> {
  const keys = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  // Manifests first: half-way through, there is no checkpoint rather than one that lacks blocks.
  for (const key of keys.sort((a, b) => Number(b.endsWith('/manifest')) - Number(a.endsWith('/manifest')))) await store.delete(key);
  await store.sweep(prefix, 0);
}
