import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openObjectStore, type ObjectStore } from '@sublace/artifact-store';
import { SublaceError } from '@sublace/errors';
import type { Block } from '@sublace/partials';
import { Checkpoint } from './checkpoint.ts';
import { JobSums } from './job-sums.ts';
import { keysOf } from './testdata/keys-of.ts';

const basis = { maxDiagonal: 40, digest: 'of a selection' };
const tiles = ['ggn/0/0', 'ggn/1/0', 'ggn/1/1'];
const [jobId, holder] = ['job-1', 'reducer-0-of-1'];

let folder: string;
let store: ObjectStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'checkpoint-'));
  store = openObjectStore(folder);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Values over many binary orders of magnitude, the same for the same name and shard. */
function values(name: string, shard: number): Float32Array {
  let state = Array.from(`${name}/${shard}`).reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 0x01000193), 0x811c9dc5);
  return Float32Array.from({ length: 7 }, (_, i) => {
    state = Math.imul(state ^ (state >>> 13), 0x5bd1e995) + i;
    return ((state >>> 0) / 2 ** 32 - 0.5) * 2 ** (-(state >>> 5) % 24);
  });
}

function blockOf(name: string, shard: number): Block {
  return { name, shape: [7], data: values(name, shard) };
}

function addScores(sums: JobSums, shard: number): void {
  for (const name of sums.missing('score', shard, ['score/a/0'])) sums.commit('score', shard, blockOf(name, shard));
}

function addTiles(sums: JobSums, shard: number, names = tiles): void {
  sums.missing('accumulate', shard, tiles, basis);
  for (const name of names) sums.commit('accumulate', shard, blockOf(name, shard));
}

/** Every bit of what the sums would hand out. */
function bitsOf(sums: JobSums): Record<string, string> {
  return Object.fromEntries(
    sums.inputNames('finalise').map((name) => {
      const { buffer, byteOffset, byteLength } = sums.input(name).data;
      return [name, Buffer.from(buffer, byteOffset, byteLength).toString('hex')];
    }),
  );
}

function open(): Checkpoint {
  return new Checkpoint(store, jobId, holder);
}

async function objects(): Promise<string[]> {
  return (await readdir(join(folder, jobId, holder, 'blocks'))).filter((name) => !name.startsWith('.'));
}

describe('a checkpoint', () => {
  it('gives back every sum and kept block with its bits, and the sums go on as if nothing had been', async () => {
    const sums = new JobSums();
    for (const shard of [0, 1, 2]) addScores(sums, shard);
    sums.missing('select', 0, ['indices/0']);
    sums.commit('select', 0, { name: 'indices/0', shape: [3], data: Int32Array.of(4, 8, -1) });
    for (const shard of [1, 40]) addTiles(sums, shard);
    await open().write(sums);
    const restored = (await open().restore())!;
    expect(bitsOf(restored)).toEqual(bitsOf(sums));
    expect(restored.input('indices/0')).toEqual({ name: 'indices/0', shape: [3], data: Int32Array.of(4, 8, -1) });
    for (const phase of ['score', 'select', 'accumulate'] as const)
      expect(restored.wholeShards(phase, 64)).toEqual(sums.wholeShards(phase, 64));
    for (const each of [sums, restored]) {
      addScores(each, 3);
      addTiles(each, 2);
    }
    expect(bitsOf(restored)).toEqual(bitsOf(sums));
    expect(() => restored.missing('accumulate', 5, tiles, { ...basis, digest: 'of another' })).toThrow(/selection/);
    expect(() => restored.missing('accumulate', 5, ['ggn/0/0'], basis)).toThrow(/3 blocks/);
  });

  it('ends in the same bits wherever it was written between the shards, and in whatever order they come', async () => {
    const straight = new JobSums();
    for (const shard of [0, 1, 2, 3]) addTiles(straight, shard);
    for (const order of [
      [3, 1, 0, 2],
      [2, 3, 1, 0],
    ]) {
      for (const [cut] of order.entries()) {
        let sums = new JobSums();
        for (const [i, shard] of order.entries()) {
          addTiles(sums, shard);
          if (i !== cut) continue;
          await open().write(sums);
          sums = (await open().restore())!;
        }
        expect(bitsOf(sums)).toEqual(bitsOf(straight));
        await open().remove();
      }
    }
  });

  it('keeps a shard that is half committed, of which only the rest is asked for again', async () => {
    const sums = new JobSums();
    addTiles(sums, 0);
    addTiles(sums, 1, ['ggn/1/0']);
    await open().write(sums);
    const restored = (await open().restore())!;
    expect(restored.wholeShards('accumulate', 2)).toEqual([0]);
    expect(restored.missing('accumulate', 1, tiles, basis)).toEqual(['ggn/0/0', 'ggn/1/1']);
  });

  it('writes what has changed, and removes what it replaces', async () => {
    const [sums, checkpoint] = [new JobSums(), open()];
    addTiles(sums, 0);
    expect(await checkpoint.write(sums)).toBe(3 * 56);
    expect(await checkpoint.write(sums)).toBe(0);
    addTiles(sums, 1, ['ggn/1/1']);
    expect(await checkpoint.write(sums)).toBe(56);
    expect(await objects()).toHaveLength(3);
    const successor = open();
    const restored = (await successor.restore())!;
    addTiles(restored, 1);
    expect(await successor.write(restored)).toBe(2 * 56);
    expect(await objects()).toHaveLength(3);
    await successor.remove();
    expect(await keysOf(store)).toEqual([]);
    expect(await open().restore()).toBeUndefined();
  });

  it('of before is read when its writer is killed after some objects, or just before the manifest', async () => {
    const [sums, checkpoint] = [new JobSums(), open()];
    addTiles(sums, 0);
    await checkpoint.write(sums);
    const before = bitsOf(sums);
    for (const survived of [0, 1, 2, 3]) {
      addTiles(sums, survived + 1);
      let puts = 0;
      const dying = new Proxy(store, {
        get: (target, name) =>
          name === 'put'
            ? async (...args: Parameters<ObjectStore['put']>) => {
                if (puts++ === survived) throw new SublaceError('UNAVAILABLE', 'killed');
                return target.put(...args);
              }
            : (Reflect.get(target, name) as () => unknown).bind(target),
      });
      const writer = new Checkpoint(dying, jobId, holder);
      puts = -1; // The manifest that is taken over.
      await writer.restore();
      await expect(writer.write(sums)).rejects.toThrow('killed');
      const restored = (await open().restore())!;
      expect(bitsOf(restored)).toEqual(before);
      expect(restored.wholeShards('accumulate', 9)).toEqual([0]);
    }
    // What they left goes with the next checkpoint that is written.
    const last = open();
    const restored = (await last.restore())!;
    addTiles(restored, 1);
    await last.write(restored);
    expect(await objects()).toHaveLength(3);
  });

  it.each([
    ['a block with one bit flipped', async (file: string) => writeFile(file, flip(await readFile(file)))],
    ['a block cut short', async (file: string) => writeFile(file, (await readFile(file)).subarray(8))],
    ['a block that is missing', async (file: string) => rm(file)],
  ])('is refused with %s', async (_, damage) => {
    const sums = new JobSums();
    addTiles(sums, 0);
    await open().write(sums);
    await damage(join(folder, jobId, holder, 'blocks', (await objects())[1]));
    await expect(open().restore()).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  it('is refused with a damaged manifest, or one of somebody else', async () => {
    const sums = new JobSums();
    addTiles(sums, 0);
    await open().write(sums);
    const manifest = await store.get(`${jobId}/${holder}/manifest`);
    await store.put(`${jobId}/reducer-1-of-2/manifest`, manifest);
    await expect(new Checkpoint(store, jobId, 'reducer-1-of-2').restore()).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    await store.put(`${jobId}/${holder}/manifest`, flip(manifest));
    await expect(open().restore()).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  it('cannot be written by a process that was replaced, which removes nothing either', async () => {
    const [sums, zombie] = [new JobSums(), open()];
    addTiles(sums, 0);
    await zombie.write(sums);
    const successor = open();
    const restored = (await successor.restore())!;
    addTiles(restored, 1);
    await successor.write(restored);
    addTiles(sums, 2);
    await expect(zombie.write(sums)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(bitsOf((await open().restore())!)).toEqual(bitsOf(restored));
  });

  it('is read again when the last write of its killed writer comes into force meanwhile', async () => {
    const sums = new JobSums();
    addScores(sums, 0);
    await new Checkpoint(store, jobId, holder).write(sums);
    let isFirst = true;
    const put: ObjectStore['put'] = async (key, bytes, options) => {
      // Somebody's write of the same key, between this one's look at it and its own write.
      if (isFirst) await store.put(key, await store.get(key));
      isFirst = false;
      return store.put(key, bytes, options);
    };
    const contended: ObjectStore = {
      ...{ uri: store.uri, put, putFile: store.putFile.bind(store), getFile: store.getFile.bind(store), sweep: store.sweep.bind(store) },
      ...{ get: store.get.bind(store), head: store.head.bind(store), list: store.list.bind(store), delete: store.delete.bind(store) },
      close: store.close.bind(store),
    };
    expect((await new Checkpoint(contended, jobId, holder).restore())!.wholeShards('score', 1)).toEqual([0]);
    expect(isFirst).toBe(false);
  });

  it('holds sums that grow while it is written: each block with the shards that are in it', async () => {
    const [sums, straight] = [new JobSums(), new JobSums()];
    for (const shard of [0, 1, 2]) addTiles(straight, shard);
    addTiles(sums, 0);
    const slow = new Proxy(store, {
      get: (target, name) =>
        name === 'put'
          ? async (...args: Parameters<ObjectStore['put']>) => {
              addTiles(sums, 1);
              return target.put(...args);
            }
          : (Reflect.get(target, name) as () => unknown).bind(target),
    });
    await new Checkpoint(slow, jobId, holder).write(sums);
    const restored = (await open().restore())!;
    expect(restored.wholeShards('accumulate', 3)).toEqual([0]);
    expect(restored.missing('accumulate', 1, tiles, basis)).toEqual(['ggn/0/0']);
    for (const shard of [1, 2])
      for (const name of restored.missing('accumulate', shard, tiles, basis)) restored.commit('accumulate', shard, blockOf(name, shard));
    expect(bitsOf(restored)).toEqual(bitsOf(straight));
  });
});

function flip(bytes: Uint8Array): Uint8Array {
  const damaged = Uint8Array.from(bytes);
  damaged[damaged.length >> 1] ^= 4;
  return damaged;
}
