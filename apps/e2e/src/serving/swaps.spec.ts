import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openRegistry, type Registry } from '@sublace/artifact-store';
import { startRedis, type RedisServer } from '@sublace/test-servers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runSublace } from '../command-line/run-sublace.ts';
import { ServingProcess } from './serving-process.ts';
import { fitTwoToyPosteriors, type ToyPosterior } from './toy-posterior.ts';
import { VersionLoad, inputs, restCaller, type ExpectedAnswers } from './version-load.ts';

/** Swaps under load. */
const SWAPS = { folder: 100, Redis: 20 };
/** Swaps after which memory does not grow any more: by then the allocator has what it needs. */
const SETTLED = 60;
/** The graphs of the other 40, were they not freed, would take many times this. */
const GROWTH_MAX_BYTES = 60e6;
const patience = { timeout: 60_000, interval: 10 };
/** For 100 swaps where others use the machine too; alone it takes half a minute. */
const swapsTimeoutMs = 600_000;

let folder: string;
let toys: [ToyPosterior, ToyPosterior];
let redis: RedisServer;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sublace-swaps-'));
  redis = await startRedis();
  toys = await fitTwoToyPosteriors(folder);
}, 300_000);
afterAll(async () => {
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
});

const places = {
  folder: () => join(folder, `registry-${count++}`),
  Redis: () => `${redis.url}?namespace=swaps${count++}`,
};

describe.each(['folder', 'Redis'] as const)('a registry in a %s', (kind) => {
  const newUri = places[kind];
  let uri: string;
  let registry: Registry;
  let server: ServingProcess;
  /** Of versions 1 and 2, each asked alone. */
  let expected: Map<string, ExpectedAnswers>;
  let load: VersionLoad | undefined;

  const start = (...args: string[]): Promise<ServingProcess> => ServingProcess.start(['--registry', uri, '--serve', 'toy', ...args]);
  const versionNow = async (of = server): Promise<string> => (await restCaller(of, 'toy').ask('', [0])).version;
  const index = async (): Promise<{ version: string; state: string; reason: string }[]> =>
    (await (await fetch(`${server.url}/v2/repository/index`, { method: 'POST' })).json()) as never;
  const register = (place: string, digest: string): Promise<{ version: number }> => registry.register('toy', { uri: place, digest });
  const underLoad = (): VersionLoad => (load = new VersionLoad(server, 'toy', expected, 3));
  const swapped = (to: number): Promise<void> =>
    expect.poll(() => load?.failures.length !== 0 || load.isAt(String(to)), patience).toBe(true);

  beforeEach(async () => {
    uri = newUri();
    registry = openRegistry(uri);
    for (const { place, digest } of toys) await register(place, digest);
    await registry.setPointer('toy', 'stable', 1);
    await registry.setPointer('toy', 'canary', 2);
    server = await start();
    await expect.poll(async () => (await index()).filter(({ state }) => state === 'READY').length, patience).toBe(2);
    const caller = restCaller(server, 'toy');
    expected = new Map([
      ['1', await caller.ask('1', inputs)],
      ['2', await caller.ask('canary', inputs)],
    ]);
    expect(Math.abs(expected.get('1')!.mean[3] - expected.get('2')!.mean[3])).toBeGreaterThan(0.01);
    caller.close();
    await registry.setPointer('toy', 'canary', null);
  });

  afterEach(async () => {
    await load?.stop();
    load = undefined;
    await server.stop();
    await registry.close();
  });

  it(
    'swaps under load with no failed and no mixed answer, and frees what it replaces',
    async () => {
      const running = underLoad();
      let settledBytes = 0;
      for (let swap = 1; swap <= SWAPS[kind]; swap++) {
        const to = 1 + (swap % 2);
        await registry.setPointer('toy', 'stable', to);
        await swapped(to);
        expect(running.failures).toEqual([]);
        if (swap === SETTLED) settledBytes = server.residentBytes;
      }
      if (settledBytes > 0) expect(server.residentBytes - settledBytes).toBeLessThan(GROWTH_MAX_BYTES);
      // A quick series ends at its last.
      for (const to of [2, 1, 2, 1, 2]) await registry.setPointer('toy', 'stable', to);
      await swapped(2);
      await load?.stop();
      expect(running.failures).toEqual([]);
      await expect.poll(async () => (await index()).filter(({ state }) => state !== 'UNAVAILABLE').map(({ version }) => version), patience).toEqual(['2']); // prettier-ignore
      expect(running.exactCount).toBeGreaterThan(0);
    },
    swapsTimeoutMs,
  );

  it('gives the canary exactly its share, and changes it without a restart', async () => {
    const caller = restCaller(server, 'toy');
    const canaries = async (requests: number): Promise<number> => {
      let answered = 0;
      for (let i = 0; i < requests; i++) if ((await caller.ask('', [0])).version === '2') answered += 1;
      return answered;
    };
    await registry.setPointer('toy', 'canary', 2, { share: 0.25 });
    await server.logged(/"shares":\{"canary":0.25\}/); // before that it may still be the canary that beforeEach has taken away
    await expect.poll(async () => (await caller.ask('canary', [0]).catch(() => undefined))?.version, patience).toBe('2');
    expect(await canaries(200)).toBe(50);
    await registry.setPointer('toy', 'canary', 2, { share: 0 });
    await server.logged(/"shares":\{"canary":0\}/);
    expect(await canaries(20)).toBe(0);
    expect((await caller.ask('canary', [0])).version).toBe('2');
    expect((await caller.ask('stable', [0])).version).toBe('1');
    await expect(caller.ask('3', [0])).rejects.toThrow(/404: .*expected version 1 or 2, got '3'/);
    caller.close();
  });

  it('keeps a broken artifact from traffic, says why, and takes it once it is mended; rolls back', async () => {
    const running = underLoad();
    const copy = join(folder, `copy-${count++}`);
    await cp(toys[1].place, copy, { recursive: true });
    const factor = join(copy, 'factor.safetensors');
    const bytes = await readFile(factor);
    await writeFile(
      factor,
      bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte)),
    );
    // The same digest would be the same version, so the mended copy stands for version 2 elsewhere.
    const broken = [
      { place: join(folder, 'nowhere'), digest: '1'.repeat(64), reason: /no such folder/ },
      { place: toys[0].place, digest: '2'.repeat(64), reason: /expected the posterior of digest 2{16}/ },
    ];
    for (const { place, digest, reason } of broken) {
      const { version } = await register(place, digest);
      await registry.setPointer('toy', 'stable', version);
      await expect
        .poll(async () => (await index()).find((each) => each.version === String(version)), patience)
        .toMatchObject({
          state: 'UNAVAILABLE',
          reason: expect.stringMatching(reason) as string,
        });
      await server.logged(new RegExp(`"version":"${version}".*could not be loaded`));
    }
    expect((await fetch(`${server.url}/v2/health/ready`)).status).toBe(200);
    await registry.setPointer('toy', 'stable', 2);
    await swapped(2);
    const rollBack = await runSublace(['registry', 'set', 'toy', 'stable', '1', '--registry', uri]);
    expect(rollBack, rollBack.stderr).toMatchObject({ status: 0 });
    await swapped(1);
    await load?.stop();
    expect(running.failures).toEqual([]);

    // Another registry, in which version 1 is damaged from the beginning.
    const damagedUri = newUri();
    const damaged = openRegistry(damagedUri);
    await damaged.register('toy', { uri: copy, digest: toys[1].digest });
    await damaged.setPointer('toy', 'stable', 1);
    await damaged.close();
    const waiting = ServingProcess.launch(['--registry', damagedUri, '--serve', 'toy']);
    expect(await waiting.logged(/could not be loaded/)).toMatch(/factor\.safetensors: expected sha256/);
    await writeFile(factor, bytes);
    await waiting.whenReady();
    expect(await versionNow(waiting)).toBe('1');
    expect(await waiting.stop()).toBe(0);
  });

  it('serves the last published version after kill -9 in the middle of a swap', async () => {
    for (const [round, delayMs] of [0, 15, 40].entries()) {
      const to = 1 + ((round + 1) % 2);
      await registry.setPointer('toy', 'stable', to);
      await sleep(delayMs);
      await server.kill();
      server = await start();
      expect(await versionNow()).toBe(String(to));
    }
  });
});

describe('a registry that cannot be reached', () => {
  it('leaves what is served as it is; a start then goes on with what is known, or waits', async () => {
    const own = await startRedis();
    const registry = openRegistry(own.url);
    for (const { place, digest } of toys) await registry.register('toy', { uri: place, digest });
    await registry.setPointer('toy', 'stable', 2);
    const known = join(folder, 'known', 'labels.json');
    const args = ['--registry', own.url, '--serve', 'toy'];
    const first = await ServingProcess.start([...args, '--last-known-file', known]);
    const caller = restCaller(first, 'toy');
    await sleep(1200); // until Redis has written its file
    await own.kill();
    await first.logged(/registry cannot be read; what is served stays served/);
    expect((await caller.ask('', [0])).version).toBe('2');
    caller.close();
    await first.kill();

    const second = await ServingProcess.start([...args, '--last-known-file', known]);
    const again = restCaller(second, 'toy');
    expect((await again.ask('', [0])).version).toBe('2');
    const third = ServingProcess.launch(args);
    await third.logged(/registry cannot be read/);
    await own.restart();
    await third.whenReady();
    await registry.setPointer('toy', 'stable', 1);
    await expect.poll(async () => (await again.ask('', [0])).version, patience).toBe('1');
    await second.logged(/registry can be read again/);
    again.close();
    expect(await Promise.all([second.stop(), third.stop()])).toEqual([0, 0]);
    await registry.close();
    await own.stop();
  });
});
