import { crc32 } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { SublaceError } from '@sublace/errors';
import type { Block } from '@sublace/partials';
import { blocksService, implement, services, startServer, type RunningServer } from '@sublace/protocol';
import type { LeaseRef } from '@sublace/scheduling';
import { JobSums } from './job-sums.ts';
import { ShardPuller, UnusableShard } from './shard-puller.ts';

const names = ['ggn/0/0', 'ggn/1/0', 'ggn/1/1'];
const basis = { maxDiagonal: 100, digest: 'of a selection' };
const signal = new AbortController().signal;
const servers: RunningServer[] = [];
const puller = new ShardPuller({});

afterEach(async () => {
  puller.close();
  for (const server of servers.splice(0)) await server.close(0);
});

/** A worker that offers three tiles and fails from the given one on. */
async function worker(failing?: string, seen: string[] = []): Promise<string> {
  const service = blocksService((_lease, name): Block => {
    seen.push(name);
    if (name === failing) throw new SublaceError('UNAVAILABLE', 'the worker died');
    return { name, shape: [2], data: Float32Array.of(names.indexOf(name), 1) };
  });
  const server = await startServer({ services: [service] });
  servers.push(server);
  return `127.0.0.1:${server.port}`;
}

/** A worker whose first answers have one bit flipped on the way. */
async function damagingWorker(damagedCount: number): Promise<string> {
  let answers = 0;
  const service = implement(services.Blocks.service, {
    async *pullBlocks() {
      const bytes = Buffer.from(Float32Array.of(7, 1).buffer);
      const common = { name: 'ggn/0/0', shape: [2], dtype: 'float32', offset: 0, totalBytes: 8, crc32: crc32(bytes) };
      if (answers++ < damagedCount) bytes[3] ^= 4;
      yield { ...common, bytes };
    },
  });
  const server = await startServer({ services: [service] });
  servers.push(server);
  return `127.0.0.1:${server.port}`;
}

function lease(leaseToken: number): LeaseRef {
  return { jobId: 'a', phase: 'accumulate', shard: 0, leaseToken };
}

describe('ShardPuller', () => {
  it('keeps what came before a failure and pulls only the rest from the next worker', async () => {
    const sums = new JobSums();
    const dying = puller.pull({ lease: lease(1), blocksAddress: await worker('ggn/1/1'), names, basis }, sums, signal);
    await expect(dying).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const seen: string[] = [];
    const report = await puller.pull({ lease: lease(2), blocksAddress: await worker(undefined, seen), names, basis }, sums, signal);
    expect(seen).toEqual(['ggn/1/1']);
    expect(report).toMatchObject({ pulledCount: 1, pulledBytes: 8 });
    expect(names.map((name) => [...sums.input(name).data])).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ]);
  });

  it('counts a shard once when a zombie and its successor offer it at the same time', async () => {
    const sums = new JobSums();
    const addresses = await Promise.all([worker(), worker()]);
    await Promise.all(addresses.map((blocksAddress, i) => puller.pull({ lease: lease(i), blocksAddress, names, basis }, sums, signal)));
    expect(names.map((name) => [...sums.input(name).data])).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ]);
  });

  it('says apart what no other attempt can mend', async () => {
    const tooSmall = { maxDiagonal: 1e-9, digest: 'of another' };
    const pull = puller.pull({ lease: lease(1), blocksAddress: await worker(), names, basis: tooSmall }, new JobSums(), signal);
    const error = await pull.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnusableShard);
    expect(error).toMatchObject({ code: 'SUM_OVERFLOW' });
  });

  it('pulls a damaged block again, and gives up when it is damaged every time', async () => {
    const sums = new JobSums();
    const offer = (blocksAddress: string) => ({ lease: lease(1), blocksAddress, names: ['ggn/0/0'], basis });
    await puller.pull(offer(await damagingWorker(2)), sums, signal);
    expect([...sums.input('ggn/0/0').data]).toEqual([7, 1]);
    const hopeless = puller.pull(offer(await damagingWorker(3)), new JobSums(), signal);
    await expect(hopeless).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' });
  });

  it('gives up on a worker that cannot be reached', async () => {
    const pull = puller.pull({ lease: lease(1), blocksAddress: '127.0.0.1:1', names, basis }, new JobSums(), signal);
    await expect(pull).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
