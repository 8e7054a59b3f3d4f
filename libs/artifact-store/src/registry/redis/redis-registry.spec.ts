import { startRedis, type RedisServer } from '@sublace/test-servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registryConformance } from '../conformance.ts';
import { openRegistry } from '../open-registry.ts';
import type { Pointers } from '../registry.ts';

let server: RedisServer;
let count = 0;
beforeAll(async () => {
  server = await startRedis();
}, 300_000);
afterAll(() => server.stop());

registryConformance('the registry in Redis', async () => `${server.url}?namespace=r${count++}`);

const input = { uri: '/a', digest: '0'.repeat(64) };

describe('the registry in Redis', () => {
  it('comes back when Redis does, and so do its watches', async () => {
    const registry = openRegistry(`${server.url}?namespace=again`);
    await registry.register('m', input);
    const seen: Pointers[] = [];
    const stop = new AbortController();
    const watching = (async () => {
      for await (const pointers of registry.watch('m', stop.signal)) seen.push(pointers);
    })();
    await expect.poll(() => seen.length, { timeout: 15_000 }).toBe(1);
    // Its file is synced every second.
    await new Promise((resolve) => setTimeout(resolve, 1200));
    await server.kill();
    await expect(registry.list('m')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await server.restart();
    await expect.poll(() => registry.list('m').then((all) => all.length, () => -1), { timeout: 15_000 }).toBe(1); // prettier-ignore
    await registry.setPointer('m', 'stable', 1);
    await expect.poll(() => seen.at(-1)?.labels, { timeout: 15_000 }).toEqual({ stable: 1 });
    stop.abort();
    await watching;
    await registry.close();
  });

  it('says that it cannot be reached, or that its password is missing', async () => {
    await expect(openRegistry('redis://127.0.0.1:1').names()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/^Redis at 127\.0\.0\.1:1\/0: .*ECONNREFUSED/) as string,
    });
    const guarded = await startRedis({ password: 'secret' });
    const bare = guarded.url.replace(':secret@', '');
    await expect(openRegistry(bare).names()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    const registry = openRegistry(bare, { SUBLACE_REDIS_PASSWORD: 'secret' });
    expect(await registry.names()).toEqual([]);
    await registry.close();
    await guarded.stop();
    expect(() => openRegistry('redis://host/0?x=1')).toThrow(/parameter 'x'/);
  });
});
