import { connect } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedis, type RedisServer } from '@sublace/test-servers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SublaceError } from '@sublace/errors';
import { isOutOfReach, untilStored } from './open-store.ts';
import { readOptions } from './options.ts';
import { runCoordinator, type RunningCoordinator } from './run-coordinator.ts';

let redis: RedisServer;
let root: string;
const running: RunningCoordinator[] = [];
beforeAll(async () => void (redis = await startRedis()), 300_000);
afterAll(() => redis.stop());
beforeEach(async () => void (root = await mkdtemp(join(tmpdir(), 'open-store-'))));
afterEach(async () => {
  for (const coordinator of running.splice(0)) await coordinator.stop();
  await rm(root, { recursive: true, force: true });
});

async function start(store: string, name: string): Promise<RunningCoordinator> {
  const args = ['--port', '0', '--log-level', 'silent', '--lease-duration-ms', '400', '--store', store, '--state-dir', join(root, name)];
  const coordinator = await runCoordinator(readOptions(args, {})!);
  running.push(coordinator);
  return coordinator;
}

describe('a coordinator with its jobs in Redis', () => {
  it('ends at once, saying so in one line, when there is no Redis', async () => {
    const error = await start('redis://127.0.0.1:1', 'a').catch((thrown: unknown) => SublaceError.from(thrown));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', exitCode: 1, message: 'Redis at 127.0.0.1:1/0: connect ECONNREFUSED 127.0.0.1:1' });
  });

  it('is the only one, and ends when another one has taken over', async () => {
    const first = await start(redis.url, 'a');
    const refused = await start(redis.url, 'b').catch((thrown: unknown) => SublaceError.from(thrown));
    expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT', exitCode: 42 });
    expect((refused as SublaceError).message).toContain(`got one alive: process ${process.pid} on `);
    expect((refused as SublaceError).message).toContain(`listening on ${first.address}; stop that one`);

    // As if its lock had run out while it could not reach Redis.
    await removeLock();
    await start(redis.url, 'b');
    expect(await first.failed).toMatchObject({
      code: 'FENCED',
      exitCode: 1,
      message: expect.stringContaining('taken over by another') as string,
    });
  });

  it('outlives Redis', async () => {
    const { failed } = await start(`${redis.url}?namespace=outlives`, 'a');
    await redis.kill();
    // Long enough for the timer to find out, several times.
    expect(await Promise.race([failed, new Promise((resolve) => setTimeout(resolve, 600, 'still there'))])).toBe('still there');
    await redis.restart();
  });
});

describe('untilStored', () => {
  it('repeats a change while the store is out of reach, and nothing else', async () => {
    let tries = 0;
    const change = async (): Promise<string> => {
      if (++tries < 3) throw new SublaceError('UNAVAILABLE', 'away');
      return 'stored';
    };
    expect([await untilStored(change), tries]).toEqual(['stored', 3]);
    const fenced = new SublaceError('FENCED', 'somebody else has it');
    expect(isOutOfReach(fenced)).toBe(false);
    await expect(untilStored(() => Promise.reject(fenced))).rejects.toBe(fenced);
    const away = new SublaceError('UNAVAILABLE', 'away');
    await expect(untilStored(() => Promise.reject(away), AbortSignal.timeout(20))).rejects.toBe(away);
  });
});

async function removeLock(): Promise<void> {
  const socket = connect(redis.port, '127.0.0.1', () => socket.write('DEL sublace:{default}:leader\r\n'));
  await new Promise((resolve) => socket.once('data', resolve));
  socket.destroy();
}
