import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRegistry } from './open-registry.ts';
import type { Pointers, Registry, VersionInput } from './registry.ts';

const code = (expected: string, message = /./): object =>
  expect.objectContaining({ code: expected, message: expect.stringMatching(message) as string }) as object;
const inputOf = (text: string): VersionInput => ({
  uri: `/posteriors/${text}`,
  digest: createHash('sha256').update(text).digest('hex'),
  facts: { of: text },
});

/** What a process of testdata/compete.ts saw. */
interface Competitor {
  own: number[];
  shared: number[];
  moved: number;
}

/**
 * The laws of the Registry contract, as tests. Every implementation calls this from a spec.
 *
 * @param name  Of the implementation.
 * @param newUri  URI of an empty registry.
 */
export function registryConformance(name: string, newUri: () => Promise<string>): void {
  describe(`${name} keeps the Registry contract`, () => {
    let uri: string;
    let registry: Registry;
    const opened: Registry[] = [];
    const another = (): Registry => {
      opened.push(openRegistry(uri));
      return opened.at(-1)!;
    };

    beforeEach(async () => {
      uri = await newUri();
      registry = another();
    });

    afterEach(async () => {
      for (const each of opened.splice(0)) await each.close();
    });

    it('counts versions from 1, and gives a digest the version that it has', async () => {
      expect([await registry.names(), await registry.list('m')]).toEqual([[], []]);
      const first = await registry.register('m', inputOf('a'));
      expect(first).toEqual({ version: 1, ...inputOf('a'), registeredAt: expect.stringMatching(/^\d{4}-.*Z$/) as string });
      expect((await registry.register('m', inputOf('b'))).version).toBe(2);
      expect(await another().register('m', { ...inputOf('a'), uri: '/elsewhere' })).toEqual(first);
      expect((await registry.register('n', inputOf('a'))).version).toBe(1);
      expect((await another().list('m')).map(({ version, facts }) => [version, facts])).toEqual([
        [1, { of: 'a' }],
        [2, { of: 'b' }],
      ]);
      expect(await another().names()).toEqual(['m', 'n']);
      expect(await registry.get('m', 1)).toEqual(first);
      await expect(registry.get('m', 3)).rejects.toEqual(code('NOT_FOUND', /version 3 of 'm', got none/));
      await expect(registry.get('other', 1)).rejects.toEqual(code('NOT_FOUND'));
    });

    it('moves a label, under a condition if asked', async () => {
      const [a, b] = [await registry.register('m', inputOf('a')), await registry.register('m', inputOf('b'))];
      expect(await registry.pointers('m')).toEqual({ revision: 0, labels: {} });
      await expect(registry.resolve('m', 'stable')).rejects.toEqual(code('NOT_FOUND', /'m' labelled 'stable', got none/));
      expect(await registry.setPointer('m', 'stable', 1, { expected: null })).toEqual({ revision: 1, labels: { stable: 1 } });
      expect(await another().resolve('m', 'stable')).toEqual(a);
      await expect(registry.setPointer('m', 'stable', 2, { expected: null })).rejects.toEqual(
        code('CONFLICT', /stand for no version, got version 1/),
      );
      await expect(registry.setPointer('m', 'stable', 1, { expected: 2 })).rejects.toEqual(
        code('CONFLICT', /stand for version 2, got version 1/),
      );
      await expect(registry.setPointer('m', 'canary', 1, { expected: 2 })).rejects.toEqual(code('CONFLICT', /version 2, got no version/));
      await registry.setPointer('m', 'stable', 2, { expected: 1 });
      expect(await registry.resolve('m', 'stable')).toEqual(b);
      await registry.setPointer('m', 'canary', 1);
      await registry.setPointer('m', 'canary', null, { expected: 1 });
      expect(await another().pointers('m')).toEqual({ revision: 4, labels: { stable: 2 } });
      await expect(registry.setPointer('m', 'stable', 3)).rejects.toEqual(code('NOT_FOUND', /version 3/));
      await expect(registry.setPointer('none', 'stable', 1)).rejects.toEqual(code('NOT_FOUND'));
    });

    it('keeps the share of a label with it, from one step to the next', async () => {
      await registry.register('m', inputOf('a'));
      await registry.register('m', inputOf('b'));
      await registry.setPointer('m', 'stable', 1);
      expect(await registry.setPointer('m', 'canary', 2, { share: 0.125 })).toEqual({
        revision: 2,
        labels: { stable: 1, canary: 2 },
        shares: { canary: 0.125 },
      });
      expect(await another().pointers('m')).toHaveProperty('shares', { canary: 0.125 });
      await registry.setPointer('m', 'canary', 1);
      expect((await another().pointers('m')).shares, 'another version, the same share').toEqual({ canary: 0.125 });
      await registry.setPointer('m', 'canary', 1, { share: 0 });
      expect((await another().pointers('m')).shares).toEqual({ canary: 0 });
      await registry.setPointer('m', 'canary', null);
      expect(await another().pointers('m')).toEqual({ revision: 5, labels: { stable: 1 } });
      await registry.setPointer('m', 'canary', 2);
      expect(await another().pointers('m'), 'gone with its label').toEqual({ revision: 6, labels: { stable: 1, canary: 2 } });
      for (const share of [-0.1, 1.1, NaN])
        await expect(registry.setPointer('m', 'canary', 2, { share })).rejects.toEqual(code('INVALID_ARGUMENT', /share from 0 to 1/));
    });

    it('refuses names, labels, versions and places that are none', async () => {
      const invalid = code('INVALID_ARGUMENT', /^registry: expected /);
      for (const wrong of ['', '..', '../x', 'a/b', '-a', 'ä', 'x'.repeat(129)]) {
        await expect(registry.register(wrong, inputOf('a')), wrong).rejects.toEqual(invalid);
        await expect(registry.list(wrong), wrong).rejects.toEqual(invalid);
        await expect(registry.pointers(wrong), wrong).rejects.toEqual(invalid);
        await expect(registry.setPointer(wrong, 'stable', 1), wrong).rejects.toEqual(invalid);
      }
      await registry.register('m', inputOf('a'));
      for (const wrong of ['', 'Stable', 'a b', '-x']) await expect(registry.setPointer('m', wrong, 1), wrong).rejects.toEqual(invalid);
      for (const wrong of [0, -1, 1.5, NaN, 1e9]) await expect(registry.get('m', wrong)).rejects.toEqual(invalid);
      await expect(registry.register('m', { ...inputOf('b'), digest: 'abc' })).rejects.toEqual(invalid);
      await expect(registry.register('m', { ...inputOf('b'), uri: 'relative' })).rejects.toEqual(invalid);
      expect(await registry.list('m')).toHaveLength(1);
    });

    it('lets a watch see a label change, once each time, and end', async () => {
      const stop = new AbortController();
      const seen: Pointers[] = [];
      const watching = (async () => {
        for await (const pointers of another().watch('m', stop.signal)) seen.push(pointers);
      })();
      await expect.poll(() => seen, { timeout: 10_000 }).toEqual([{ revision: 0, labels: {} }]);
      await registry.register('m', inputOf('a'));
      await registry.setPointer('m', 'stable', 1);
      await expect.poll(() => seen.at(-1), { timeout: 10_000 }).toEqual({ revision: 1, labels: { stable: 1 } });
      await registry.setPointer('m', 'canary', 1);
      await expect.poll(() => seen.length, { timeout: 10_000 }).toBe(3);
      stop.abort();
      await watching;
      const closing = another();
      const closed = (async () => {
        for await (const _ of closing.watch('m', new AbortController().signal)) await closing.close();
      })();
      await closed;
    });

    it('never gives a number twice, and loses no step of a label, whichever process is faster', async () => {
      const [processCount, versionCount] = [4, 12];
      const script = fileURLToPath(new URL('testdata/compete.ts', import.meta.url));
      const readers = new AbortController();
      const steps: number[] = [];
      const reading = (async () => {
        for await (const { labels } of registry.watch('m', readers.signal)) if (labels.steps) steps.push(labels.steps);
      })();
      const outputs = await Promise.all(
        Array.from({ length: processCount }, (_, index) =>
          promisify(execFile)(process.execPath, [script, uri, String(index), String(versionCount)]),
        ),
      );
      const competitors = outputs.map(({ stdout }) => JSON.parse(stdout) as Competitor);
      const own = competitors.flatMap((each) => each.own);
      expect(new Set(competitors.map(({ shared }) => shared.join())).size, 'all were told the same of what they shared').toBe(1);
      const all = [...own, ...competitors[0].shared].sort((a, b) => a - b);
      expect(all).toEqual(Array.from({ length: (processCount + 1) * versionCount }, (_, i) => i + 1));
      expect((await registry.list('m')).map(({ version }) => version)).toEqual(all);
      const moved = competitors.reduce((sum, each) => sum + each.moved, 0);
      expect(await registry.pointers('m')).toEqual({ revision: moved, labels: { steps: moved } });
      readers.abort();
      await reading;
      expect(steps, 'never backwards').toEqual([...steps].sort((a, b) => a - b));
    });
  });
}
