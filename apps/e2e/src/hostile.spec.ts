/** A peer that has the token and means harm, or is merely broken: a real coordinator goes on, and writes nowhere but where it should. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, relative } from 'node:path';
import { credentials, Metadata, status, type Client, type ServiceError } from '@grpc/grpc-js';
import { createWorkerClient, implement, services, startServer, type RunningServer } from '@sublace/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster } from './distribution/cluster.ts';

/** Seeded, so that a failure can be had again. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const STRINGS = [
  '', '..', '../../escaped', '/tmp/sublace-escaped', 'a/../../escaped', 'C:\\x', '%2e%2e%2fx', '__proto__', 'constructor', 'toString',
  'ggn/0/0', 'ggn/../0', 'score/a/0', 'indices/0', 'plan', 'score', 'finalise', 'job-1', '\u0000', 'a\nb', '\ud800', '💥'.repeat(50), 'x'.repeat(20_000),
  '127.0.0.1:1', 'unix:/etc/passwd', 'http://127.0.0.1', '[::1]:99999', '{}', '[]', 'null', '{"shards":[]}', '{"__proto__":{"a":1}}',
  '{"shards":[{"start":-1,"count":1e308}]}', '{"maxDiagonal":"x","files":[{"name":"../../x"}]}', `${'['.repeat(5000)}${']'.repeat(5000)}`,
]; // prettier-ignore
const NUMBERS = [0, 1, -1, 2 ** 31, 2 ** 32 - 1, 2 ** 53, 1e308, NaN, Infinity, -Infinity, 0.5];

/** Values of the fields that requests have, by no rule. */
function randomRequest(random: () => number): object {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)];
  const lease = () => ({ jobId: pick(STRINGS), phase: pick(STRINGS), shard: pick(NUMBERS), leaseToken: pick(NUMBERS) });
  const value: Record<string, () => unknown> = {
    jobId: () => pick(STRINGS),
    workerId: () => pick(STRINGS),
    reducerId: () => pick(STRINGS),
    address: () => pick(STRINGS),
    blocksAddress: () => pick(STRINGS),
    specJson: () => pick(STRINGS),
    summaryJson: () => pick(STRINGS),
    reason: () => pick(STRINGS),
    code: () => pick(STRINGS),
    message: () => pick(STRINGS),
    names: () => Array.from({ length: Math.floor(random() * 5) }, () => pick(STRINGS)),
    jobIds: () => Array.from({ length: Math.floor(random() * 5) }, () => pick(STRINGS)),
    lease,
    waitMs: () => pick([0, 1]),
    priority: () => pick(NUMBERS),
    done: () => pick(NUMBERS),
    total: () => pick(NUMBERS),
    computeSeconds: () => pick(NUMBERS),
    retryable: () => random() < 0.5,
    follow: () => false,
  };
  return Object.fromEntries(
    Object.entries(value)
      .filter(() => random() < 0.8)
      .map(([field, make]) => [field, make()]),
  );
}

/** Everything below a folder, with sizes. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `${relative(folder, path)} ${statSync(path).size}`)
    .sort();
}

let cluster: Cluster;
const cleanups: (() => unknown)[] = [];

beforeEach(async () => {
  cluster = new Cluster();
  writeFileSync(join(cluster.folder, 'secret'), 'not for workers');
  await cluster.startCoordinator('--state-dir', join(cluster.folder, 'state'), '--lease-duration-ms', '60000');
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
  await cluster.dispose();
});

/** Any method of any service, with any request; the answer's status. */
function caller(): (path: string, request: object) => Promise<status> {
  const client = new services.Coordinator(cluster.coordinator.ready.address, credentials.createInsecure()) as unknown as Client;
  cleanups.push(() => client.close());
  return (name, request) => {
    const method = Object.values({ ...services.Coordinator.service, ...services.Blocks.service }).find(({ path }) =>
      path.endsWith(`/${name}`),
    );
    if (!method) throw new Error(`no method ${name}`);
    const { path, requestSerialize, responseDeserialize, responseStream } = method as never as {
      path: string;
      requestSerialize: (request: object) => Buffer;
      responseDeserialize: (bytes: Buffer) => object;
      responseStream: boolean;
    };
    const deadline = { deadline: Date.now() + (responseStream ? 300 : 20_000) };
    return new Promise((resolve) => {
      if (responseStream) {
        const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, new Metadata(), deadline);
        stream.on('data', () => undefined);
        stream.on('error', (error: ServiceError) => resolve(error.code));
        stream.on('end', () => resolve(status.OK));
        return;
      }
      const answer = (error: ServiceError | null): void => resolve(error ? error.code : status.OK);
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, new Metadata(), deadline, answer);
    });
  };
}

/** The coordinator answers, has logged no defect, and nothing was written that does not belong to it. */
async function expectUnharmed(): Promise<void> {
  expect(await cluster.client.listJobs()).toBeInstanceOf(Array);
  expect(cluster.coordinator.child.exitCode).toBeNull();
  const strange = filesOf(cluster.folder).filter((file) => !file.startsWith('state/') && file !== 'secret 15');
  expect(strange).toEqual([]);
  expect(readFileSync(join(cluster.folder, 'secret'), 'utf8')).toBe('not for workers');
}

describe('a coordinator', () => {
  it('answers 1,500 random requests with a clear status each', { timeout: 300_000 }, async () => {
    const call = caller();
    const random = generator(4);
    const names = [...Object.keys(services.Coordinator.service), 'PullBlocks'];
    const seen = new Map<status, number>();
    for (let batch = 0; batch < 150; batch++) {
      const codes = await Promise.all(
        Array.from({ length: 10 }, () =>
          call(names[Math.floor(random() * names.length)], randomRequest(random)).catch(() => status.INVALID_ARGUMENT),
        ),
      );
      for (const code of codes) seen.set(code, (seen.get(code) ?? 0) + 1);
    }
    expect([status.INTERNAL, status.UNKNOWN, status.UNAVAILABLE].filter((code) => seen.has(code))).toEqual([]);
    expect(seen.get(status.INVALID_ARGUMENT)).toBeGreaterThan(100);
    await expectUnharmed();
  });

  it('survives bytes that are no gRPC, and connections that say nothing', { timeout: 120_000 }, async () => {
    const [host, port] = cluster.coordinator.ready.address.split(':');
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    const senders = Array.from({ length: 60 }, (_, i) => {
      const bytes = [randomBytes(2000), Buffer.concat([preface, randomBytes(500)]), Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.alloc(0)][
        i % 4
      ];
      return new Promise<void>((resolve) => {
        const socket = connect(Number(port), host, () => socket.write(bytes));
        socket.on('error', () => undefined);
        socket.on('close', () => resolve());
        socket.setTimeout(500, () => socket.destroy());
        socket.resume();
      });
    });
    await Promise.all(senders);
    await expectUnharmed();
  });

  it('fails a job whose finalise task names files elsewhere, and publishes nothing', { timeout: 120_000 }, async () => {
    const { jobId, offer } = await leasedUpTo('finalise');
    await offer({ digest: 'x', files: [{ name: '../../secret', sha256: '0'.repeat(64), bytes: 15 }] }, []);
    const last = await cluster.finish(jobId);
    expect([last.state, last.failure?.code]).toEqual(['failed', 'DATA_INVALID']);
    expect(cluster.outputs()).toEqual([]);
    await expectUnharmed();
  });

  it('goes on with whatever a plan says', { timeout: 120_000 }, async () => {
    const plans: object[] = [
      {},
      { shards: 'x' },
      { shards: { length: 1e9 } },
      { shards: [null] },
      { shards: [{ start: 'a', count: -1 }] },
      { shards: [], toString: 1 },
    ];
    for (const plan of plans) {
      const { jobId, offer } = await leasedUpTo('plan');
      await offer(plan, []).catch(() => undefined);
      await cluster.client.cancelJob(jobId);
      expect((await cluster.client.listJobs()).find((job) => job.jobId === jobId)?.state).toMatch(/^(failed|cancelled)$/);
    }
    await expectUnharmed();
  });

  it('refuses blocks that are not what was offered, however they are wrong', { timeout: 120_000 }, async () => {
    const wrong: Record<string, object> = {
      'another name': { name: 'score/b/0', shape: [1], dtype: 'float32', totalBytes: 4, bytes: Buffer.alloc(4) },
      'a path': { name: '../../x', shape: [1], dtype: 'float32', totalBytes: 4, bytes: Buffer.alloc(4) },
      'more than there is': { name: 'score/a/0', shape: [2 ** 31], dtype: 'float64', totalBytes: 2 ** 34, bytes: Buffer.alloc(8) },
      'a strange type': { name: 'score/a/0', shape: [1], dtype: '__proto__', totalBytes: 4, bytes: Buffer.alloc(4) },
      'a damaged one': { name: 'score/a/0', shape: [1], dtype: 'float32', totalBytes: 4, crc32: 1, bytes: Buffer.alloc(4) },
    };
    const { offer } = await leasedUpTo('score');
    for (const [what, chunk] of Object.entries(wrong)) {
      const worker = await serveChunk(chunk);
      await expect(offer({}, ['score/a/0'], `127.0.0.1:${worker.port}`), what).rejects.toMatchObject({
        code: expect.any(String) as string,
      });
    }
    await expectUnharmed();
  });
});

/** A worker that sends one chunk, whatever it is asked for. */
async function serveChunk(chunk: object): Promise<RunningServer> {
  const service = implement(services.Blocks.service, {
    async *pullBlocks() {
      yield chunk;
    },
  });
  const server = await startServer({ services: [service] });
  cleanups.push(() => server.close(0));
  return server;
}

/** Walks a job without any blocks to a phase and leases its task. */
async function leasedUpTo(phase: string) {
  const worker = createWorkerClient(cluster.coordinator.ready.address);
  cleanups.push(() => worker.close());
  const jobId = await cluster.submit();
  const summaries: Record<string, object> = { plan: { shards: [{ start: 0, count: 1 }] }, select: { maxDiagonal: 1 } };
  for (;;) {
    const task = await worker.claimShard('hostile', 10_000);
    if (!task) throw new Error(`expected a task on the way to ${phase}`);
    const offer = (summary: object, names: string[], blocksAddress = '127.0.0.1:1') =>
      worker.offerTiles(task.lease, { blocksAddress, names, summary: summary as Record<string, never>, computeSeconds: 0 });
    if (task.lease.phase === phase) return { jobId, task, offer };
    await offer(summaries[task.lease.phase] ?? {}, []);
  }
}
