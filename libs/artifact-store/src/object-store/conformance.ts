import { createHash } from 'node:crypto';
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ListedObject, ObjectStore } from './object-store.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const bytesOf = (value: string): Uint8Array => Buffer.from(value);
const code = (expected: string, message = /./): object =>
  expect.objectContaining({ code: expected, message: expect.stringMatching(message) as string }) as object;

/**
 * The laws of the ObjectStore contract, as tests. Every implementation calls this from a spec.
 *
 * @param name  Of the implementation.
 * @param openStore  Opens an empty store; called with a store for a second client of that one.
 */
export function objectStoreConformance(name: string, openStore: (sameAs?: ObjectStore) => Promise<ObjectStore>): void {
  describe(`${name} keeps the ObjectStore contract`, () => {
    let store: ObjectStore;
    let folder: string;
    const opened: ObjectStore[] = [];
    const another = async (): Promise<ObjectStore> => {
      opened.push(await openStore(store));
      return opened.at(-1)!;
    };

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'object-store-'));
      store = await openStore();
    });

    afterEach(async () => {
      for (const each of [store, ...opened.splice(0)]) each.close();
      await rm(folder, { recursive: true, force: true });
    });

    const listed = async (prefix: string): Promise<ListedObject[]> => {
      const objects: ListedObject[] = [];
      for await (const object of store.list(prefix)) objects.push(object);
      return objects;
    };

    it('gives back what was put, and what is known of it', async () => {
      expect(await store.head('a/b.bin')).toBeUndefined();
      const { etag } = await store.put('a/b.bin', bytesOf('first'));
      expect(text(await store.get('a/b.bin'))).toBe('first');
      expect(await store.head('a/b.bin')).toEqual({ bytes: 5, etag });
      const second = await store.put('a/b.bin', bytesOf('second one'));
      expect(second.etag).not.toBe(etag);
      expect(text(await (await another()).get('a/b.bin'))).toBe('second one');
      await store.put('empty', new Uint8Array(0));
      expect(await store.get('empty')).toHaveLength(0);
      expect((await store.head('empty'))?.bytes).toBe(0);
    });

    it('reads ranges, cut where the object ends', async () => {
      await store.put('digits', bytesOf('0123456789'));
      const part = async (start?: number, end?: number): Promise<string> =>
        text(await store.get('digits', { ...(start !== undefined && { start }), ...(end !== undefined && { end }) }));
      expect(await Promise.all([part(3, 5), part(8), part(0, 2), part(8, 99), part(10), part(25, 30), part(4, 4)])).toEqual(
        ['34', '89', '01', '89', '', '', ''], // prettier-ignore
      );
      await expect(part(5, 4)).rejects.toEqual(code('INVALID_ARGUMENT', /start <= end, got 5 to 4/));
      await expect(part(-1)).rejects.toEqual(code('INVALID_ARGUMENT'));
      await expect(store.get('none', { start: 4, end: 4 })).rejects.toEqual(code('NOT_FOUND'));
    });

    it('tells a missing object', async () => {
      await expect(store.get('none')).rejects.toEqual(code('NOT_FOUND', /none: expected an object, got none/));
      await expect(store.getFile('none', join(folder, 'copy'))).rejects.toEqual(code('NOT_FOUND'));
      await expect(store.putFile('x', join(folder, 'no file'))).rejects.toEqual(code('NOT_FOUND', /expected a file to store/));
      expect(await readdir(folder)).toEqual([]);
      await store.delete('none');
    });

    it('lists by prefix, in the order of bytes', async () => {
      for (const key of ['b', 'a/2', 'a/10', 'a-b/x', 'a.b', 'ab/c/d', 'A', 'a/sub/deep', '_x']) await store.put(key, bytesOf(key));
      const keys = async (prefix: string): Promise<string[]> => (await listed(prefix)).map(({ key }) => key);
      expect(await keys('')).toEqual(['A', '_x', 'a-b/x', 'a.b', 'a/10', 'a/2', 'a/sub/deep', 'ab/c/d', 'b']);
      expect(await keys('a/')).toEqual(['a/10', 'a/2', 'a/sub/deep']);
      expect(await keys('a/s')).toEqual(['a/sub/deep']);
      expect(await keys('a')).toEqual(['a-b/x', 'a.b', 'a/10', 'a/2', 'a/sub/deep', 'ab/c/d']);
      expect(await keys('c/')).toEqual([]);
      expect(await listed('a/sub')).toEqual([{ key: 'a/sub/deep', bytes: 10 }]);
    });

    it('forgets what was deleted, and what only it was in', async () => {
      await store.put('a/b/c', bytesOf('x'));
      await store.delete('a/b/c');
      await store.delete('a/b/c');
      expect([await store.head('a/b/c'), await listed('')]).toEqual([undefined, []]);
      await store.put('a/b', bytesOf('a folder before'));
      expect(text(await store.get('a/b'))).toBe('a folder before');
    });

    it('writes under a condition', async () => {
      const { etag } = await store.put('pointer', bytesOf('1'), { ifAbsent: true });
      await expect(store.put('pointer', bytesOf('2'), { ifAbsent: true })).rejects.toEqual(
        code('CONFLICT', /expected no object yet, got one/),
      );
      const next = await store.put('pointer', bytesOf('2'), { ifMatch: etag });
      await expect(store.put('pointer', bytesOf('3'), { ifMatch: etag })).rejects.toEqual(code('CONFLICT', /somebody else wrote it/));
      expect(text(await store.get('pointer'))).toBe('2');
      await store.delete('pointer');
      await expect(store.put('pointer', bytesOf('3'), { ifMatch: next.etag })).rejects.toEqual(code('CONFLICT'));
      await expect(store.put('pointer', bytesOf('3'), { ifMatch: '../x' })).rejects.toEqual(code('CONFLICT'));
      expect(await listed('')).toEqual([]);
      await writeFile(join(folder, 'file'), '4');
      const fourth = await store.putFile('pointer', join(folder, 'file'), { ifAbsent: true });
      await expect(store.putFile('pointer', join(folder, 'file'), { ifAbsent: true })).rejects.toEqual(code('CONFLICT'));
      await store.putFile('pointer', join(folder, 'file'), { ifMatch: fourth.etag });
    });

    it('lets one of many win who write under the same condition', async () => {
      const clients = [store, await another(), await another()];
      const winners = async (options: (round: number) => Promise<object>): Promise<void> => {
        for (let round = 0; round < 5; round++) {
          const condition = await options(round);
          const outcomes = await Promise.allSettled(
            Array.from({ length: 12 }, async (_, i) => clients[i % 3].put('contended', bytesOf(`${round}/${i}`), condition)),
          );
          const won = outcomes.flatMap((outcome, i) => (outcome.status === 'fulfilled' ? [`${round}/${i}`] : []));
          expect(won).toEqual([text(await store.get('contended'))]);
          for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toEqual(code('CONFLICT'));
        }
      };
      await winners(async () => {
        await store.delete('contended');
        return { ifAbsent: true };
      });
      await winners(async () => ({ ifMatch: (await store.head('contended'))!.etag }));
    });

    it('counts right when many add to one number', async () => {
      await store.put('count', bytesOf('0'));
      const clients = [store, await another(), await another(), await another()];
      const addTo = async (client: ObjectStore): Promise<void> => {
        for (let done = 0; done < 8;) {
          const head = await client.head('count');
          const value = Number(text(await client.get('count')));
          // Read in two steps: only with the etag of both before and after is it known which value it belongs to.
          if ((await client.head('count'))?.etag !== head?.etag) continue;
          const isDone = await client.put('count', bytesOf(String(value + 1)), { ifMatch: head!.etag }).then(
            () => true,
            (error: unknown) => {
              expect(error).toEqual(code('CONFLICT'));
              return false;
            },
          );
          if (isDone) done++;
        }
      };
      await Promise.all(clients.map(addTo));
      expect(text(await store.get('count'))).toBe('32');
    });

    it('shows readers the old bytes or the new ones, never a mixture and never none', async () => {
      const size = 20_000;
      const versions = ['a', 'b', 'c'].map((letter) => bytesOf(letter.repeat(size)));
      await store.put('shared', versions[0]);
      let isWriting = true;
      const read = async (): Promise<void> => {
        while (isWriting) {
          const content = text(await store.get('shared'));
          expect(content === content[0].repeat(size), 'one version, whole').toBe(true);
        }
      };
      const reading = Promise.all([read(), read(), read()]);
      reading.catch(() => undefined);
      for (let round = 0; round < 60; round++) await store.put('shared', versions[round % 3]);
      isWriting = false;
      await reading;
    });

    it('moves files larger than one part, and leaves nothing beside them', async () => {
      const [source, copy] = [join(folder, 'source'), join(folder, 'copy')];
      const hash = createHash('sha256');
      const handle = await open(source, 'w');
      for (let mebibyte = 0; mebibyte < 19; mebibyte++) {
        const piece = new Uint8Array((1 << 20) + 3).map((_, i) => (i * 31 + mebibyte * 7) & 255);
        hash.update(piece);
        await handle.write(piece);
      }
      await handle.close();
      const digest = hash.digest('hex');
      const { etag } = await store.putFile('large/file.bin', source);
      expect(await store.head('large/file.bin')).toEqual({ bytes: 19 * ((1 << 20) + 3), etag });
      await store.getFile('large/file.bin', copy);
      expect(createHash('sha256').update(await readFile(copy)).digest('hex')).toBe(digest); // prettier-ignore
      expect(await store.get('large/file.bin', { start: (1 << 20) + 3, end: (1 << 20) + 5 })).toEqual(new Uint8Array([7, 38]));
      expect((await readdir(folder)).sort()).toEqual(['copy', 'source']);
      expect((await listed('')).map(({ key }) => key)).toEqual(['large/file.bin']);
      await expect(store.getFile('large/file.bin', join(folder, 'no', 'copy'))).rejects.toEqual(code('OUTPUT_UNWRITABLE'));
    });

    it.each(['', '/', '/a', 'a/', 'a//b', '..', '../a', 'a/../b', '.a', 'a/.b', '-a', 'a b', 'a\\b', 'a\0', 'ä', 'a/' + 'x'.repeat(161)])(
      'refuses the key %j',
      async (key) => {
        const invalid = code('INVALID_ARGUMENT', /expected parts of letters, digits/);
        for (const act of [
          () => store.put(key, bytesOf('x')),
          () => store.get(key),
          () => store.head(key),
          () => store.delete(key),
          () => store.putFile(key, join(folder, 'x')),
          () => store.getFile(key, join(folder, 'x')),
        ]) {
          await expect(act()).rejects.toEqual(invalid);
        }
        if (!['', 'a/'].includes(key)) await expect(listed(key)).rejects.toEqual(invalid);
      },
    );
  });
}
