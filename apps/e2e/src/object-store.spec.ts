import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localArtifact, openObjectStore, readManifestAt, sha256OfFile, type ObjectStore } from '@sublace/artifact-store';
import type { ProgressEvent } from '@sublace/protocol';
import { startS3, type S3Server } from '@sublace/test-servers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runSublace } from './command-line/run-sublace.ts';
import { Cluster, leasedTo } from './distribution/cluster.ts';
import { openS3Proxy, type S3Proxy } from './object-store/s3-proxy.ts';

let server: S3Server;
/** The digest of the same fit, published to a folder. */
let undisturbed: string;
let cluster: Cluster;
let proxy: S3Proxy;
let output: string;
let count = 0;
const before = { ...process.env };

beforeAll(async () => {
  server = await startS3();
  Object.assign(process.env, server.env);
  const local = new Cluster();
  try {
    await local.startCoordinator();
    await local.startWorkers(1);
    undisturbed = (await local.finish(await local.submit({ pauseMs: 0 }))).result?.digest as string;
    expect(await sha256OfFile(join(local.output, 'sums.bin'))).toBe(undisturbed);
  } finally {
    await local.dispose();
  }
}, 300_000);

afterAll(async () => {
  process.env = before;
  await server.stop();
});

beforeEach(async () => {
  proxy = await openS3Proxy(server.endpoint);
  cluster = new Cluster();
  output = `s3://sublace-test/fits/${count++}?endpoint=${proxy.endpoint}`;
});

afterEach(async () => {
  await cluster.dispose();
  await proxy.cut();
});

/** The same output, past the proxy. */
const direct = (): string => output.replace(proxy.endpoint, server.endpoint);

async function keys(): Promise<string[]> {
  const store = openObjectStore(direct());
  const found: string[] = [];
  for await (const { key } of store.list('')) found.push(key);
  store.close();
  return found;
}

async function isEmpty(store: ObjectStore): Promise<boolean> {
  for await (const _ of store.list('')) return false;
  return true;
}

/** Checks that a fit has ended well, and was published whole, with nothing beside it. */
async function expectPublished(last: ProgressEvent): Promise<void> {
  expect([last.state, last.failure]).toEqual(['succeeded', undefined]);
  expect(last.result?.digest).toBe(undisturbed);
  const manifest = await readManifestAt(direct(), { kind: 'posterior' });
  const folder = await localArtifact(direct(), { SUBLACE_ARTIFACT_CACHE: join(cluster.folder, 'cache') });
  expect(createHash('sha256').update(await readFile(join(folder, 'sums.bin'))).digest('hex')).toBe(undisturbed); // prettier-ignore
  const names = [...manifest.files.map(({ name }) => name), 'manifest.json'].sort();
  const found = (await keys()).map((key) => key.replace(/^parts\/[^/]+/, 'parts/*'));
  expect(found).toEqual(['manifest.json', ...names.map((name) => `parts/*/${name}`)]);
}

describe('a fit that is published to a bucket', () => {
  it('has the digest of one in a folder', async () => {
    await cluster.startCoordinator();
    await cluster.startWorkers(2);
    await expectPublished(await cluster.finish(await cluster.submit({ output, pauseMs: 0 })));
    await expect(cluster.submit({ output, pauseMs: 0 })).rejects.toMatchObject({ code: 'OUTPUT_UNWRITABLE' });
    const again = { output, overwrite: true, pauseMs: 0, paddingBytes: 1000 };
    await expectPublished(await cluster.finish(await cluster.submit(again)));
  });

  it('is refused before any work when it could not be published', async () => {
    await cluster.startCoordinator();
    const refused = (place: string): Promise<string> => cluster.submit({ output: `${place}?endpoint=${server.endpoint}` });
    await expect(refused('s3://no-such-bucket/x')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(refused('s3://sublace-test')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await proxy.cut();
    await expect(cluster.submit({ output })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await cluster.client.listJobs()).toEqual([]);
  });

  it('whose worker is killed (kill -9) while it uploads changes nothing but the time', async () => {
    await cluster.startCoordinator();
    await cluster.startWorkers(2);
    const jobId = await cluster.submit({ output, pauseMs: 0, paddingBytes: 20 * 2 ** 20 });
    let holder: string | undefined;
    let victim: string | undefined;
    proxy.before = (line) => {
      if (victim !== undefined || !/^PUT .*padding\.bin$/.test(line)) return;
      victim = holder!;
      cluster.worker(victim).child.kill('SIGKILL');
    };
    const last = await cluster.finish(jobId, (event) => (holder = leasedTo(event, 'finalise') ?? holder));
    expect(victim, 'a worker was killed').toBeDefined();
    expect(holder).not.toBe(victim);
    await expectPublished(last);
  });

  it('whose worker is held up (SIGSTOP) while it uploads, past its lease, is published by another', async () => {
    await cluster.startCoordinator();
    await cluster.startWorkers(2);
    const jobId = await cluster.submit({ output, pauseMs: 0, paddingBytes: 20 * 2 ** 20 });
    let holder: string | undefined;
    let zombie: string | undefined;
    proxy.before = (line) => {
      if (zombie !== undefined || !/^PUT .*padding\.bin$/.test(line)) return;
      zombie = holder!;
      cluster.worker(zombie).child.kill('SIGSTOP');
    };
    const last = await cluster.finish(jobId, (event) => {
      holder = leasedTo(event, 'finalise') ?? holder;
      if (event.message.includes(`lease of worker ${zombie} expired`)) cluster.worker(zombie!).child.kill('SIGCONT');
    });
    expect(zombie).toBeDefined();
    await expect.poll(() => cluster.worker(zombie!).log(), { timeout: 20_000 }).toContain('shard is dropped');
    await expectPublished(last);
  });

  it('fails clearly when the server stops while a worker uploads, and publishes nothing', async () => {
    await cluster.startCoordinator();
    await cluster.startWorkers(2);
    const jobId = await cluster.submit({ output, pauseMs: 0 });
    proxy.before = (line) => (/^PUT .*sums\.bin$/.test(line) ? proxy.cut() : undefined);
    const last = await cluster.finish(jobId);
    expect(last).toMatchObject({ state: 'failed', failure: { code: 'UNAVAILABLE', phase: 'finalise' } });
    expect(last.failure?.message).toMatch(
      /gave up after 5 attempts; .*s3:\/\/sublace-test\/.*expected an answer of http.*, got ECONNREFUSED/,
    );
    expect(await keys()).not.toContain('manifest.json');
  });

  it('fails clearly when the server stops while the coordinator verifies, and publishes nothing', async () => {
    await cluster.startCoordinator();
    await cluster.startWorkers(1);
    const jobId = await cluster.submit({ output, pauseMs: 0 });
    proxy.before = (line) => (/^GET .*sums\.bin$/.test(line) ? proxy.cut() : undefined);
    const last = await cluster.finish(jobId);
    expect(last).toMatchObject({ state: 'failed', failure: { code: 'UNAVAILABLE' } });
    expect(last.failure?.message).toMatch(/expected an answer of http.*, got ECONNREFUSED; check that it runs/);
    expect((await keys()).filter((key) => !key.startsWith('parts/'))).toEqual([]);
  });

  it.each([
    ['while it verifies', /^GET .*sums\.bin$/, 'before'],
    ['right after it published', /^PUT \/sublace-test\/fits\/\d+\/manifest\.json$/, 'after'],
  ] as const)('whose coordinator is killed (kill -9) %s is published once', async (_, moment, when) => {
    const state = join(cluster.folder, 'state');
    const { ready, child } = await cluster.startCoordinator('--state-dir', state);
    await cluster.startWorkers(1);
    const jobId = await cluster.submit({ output, pauseMs: 0 });
    proxy[when] = (line) => (moment.test(line) ? child.kill('SIGKILL') : undefined);
    await cluster.coordinator.exit;
    proxy[when] = () => undefined;
    await cluster.startCoordinator('--state-dir', state, '--port', ready.address.split(':')[1]);
    await expectPublished(await cluster.finish(jobId));
  });
});

describe('reducers with checkpoints in a bucket', () => {
  it('go on from them after a kill (kill -9), and the posterior goes to the same bucket', async () => {
    const checkpoints = `s3://sublace-test/checkpoints?endpoint=${server.endpoint}`;
    await cluster.startCoordinator('--reducers', '2', '--checkpoints', checkpoints);
    await cluster.startWorkers(2);
    const options = ['--checkpoints', checkpoints, '--checkpoint-interval-ms', '200'];
    const [victim] = await cluster.startReducers(2, ...options);
    const jobId = await cluster.submit({ output, pauseMs: 100 });
    await cluster.until(jobId, (event) => event.phase === 'accumulate' && event.shardsDone >= 3);
    const store = openObjectStore(checkpoints);
    await expect.poll(() => isEmpty(store), { timeout: 20_000 }).toBe(false);
    victim.child.kill('SIGKILL');
    await victim.exit;
    await cluster.startReducers(1, ...options);
    await expectPublished(await cluster.finish(jobId));
    await expect.poll(() => isEmpty(store), { timeout: 20_000 }).toBe(true);
    store.close();
  });
});

describe('the commands, with a posterior in a bucket', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sublace-e2e-bucket-'));
  const [model, posterior, registry] = ['model', 'posterior', 'registry'].map((name) => join(folder, name));
  const bucket = 's3://sublace-test/commands/posterior';
  const data = 'digits?count=300&seed=1';
  const fit = ['fit', '--model', model, '--data', data, '--subnetwork', 'gradient-energy:60', '--workers', '1', '--prior-precision', '5'];
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function json(...args: string[]): Promise<Record<string, unknown>> {
    const { status, stdout, stderr } = await runSublace([...args, '--json']);
    expect([status, stderr]).toEqual([0, '']);
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  it('fit, predict, inspect and evaluate it as one in a folder', async () => {
    process.env.SUBLACE_ARTIFACT_CACHE = join(folder, 'cache');
    await json('train', '--data', data, '--arch', 'lenet5', '--epochs', '1', '--out', model);
    const [local, remote] = [await json(...fit, '--out', posterior), await json(...fit, '--out', bucket)];
    expect(remote['digest']).toBe(local['digest']);
    expect(remote['output']).toBe(bucket);
    for (const args of [['predict', '--input', 'digits?count=5&seed=2'], ['evaluate', '--data', 'digits?count=20&seed=2'], ['inspect']])
      expect(await json(...args, '--posterior', bucket)).toEqual(await json(...args, '--posterior', posterior));
    expect(await runSublace(['inspect', '--posterior', 's3://sublace-test/commands/none'])).toMatchObject({
      status: 42,
      stderr: expect.stringMatching(/^sublace: s3:.*expected an artifact, got no manifest\.json there/) as string,
    });
    expect(existsSync('s3:'), 'no folder of that name').toBe(false);
  });

  it('register it, label it, and find it again', async () => {
    const at = ['--registry', registry];
    const first = await json('registry', 'add', bucket, '--name', 'digits', '--label', 'stable', ...at);
    expect(first).toMatchObject({ name: 'digits', version: 1, uri: bucket, facts: { kind: 'posterior', size: 60 } });
    expect(await json('registry', 'add', posterior, '--name', 'digits', ...at), 'the same digest').toMatchObject({
      version: 1,
      uri: bucket,
    });
    await json(...fit.map((arg) => arg.replace(':60', ':40')), '--out', `${posterior}-40`);
    expect(await json('registry', 'add', `${posterior}-40`, '--name', 'digits', ...at)).toMatchObject({ version: 2 });
    expect(await json('registry', 'set', 'digits', 'stable', '2', '--expected', '1', ...at)).toMatchObject({ labels: { stable: 2 } });
    expect(await json('registry', 'show', 'digits', ...at)).toMatchObject({ version: 2, labels: ['stable'] });
    expect(await json('registry', 'list', ...at)).toEqual({ names: [{ name: 'digits', labels: { stable: 2 } }] });
    const { stdout } = await runSublace(['registry', 'list', 'digits', ...at]);
    expect(stdout).toMatch(/1 +\S{16} .*commands\/posterior[^]*2 +stable +\S{16}/);
    const late = await runSublace(['registry', 'set', 'digits', 'stable', '1', '--expected', '1', ...at]);
    expect(late).toMatchObject({ status: 1, stderr: expect.stringMatching(/to stand for version 1, got version 2/) as string });
    expect(await runSublace(['registry', 'list'])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/SUBLACE_REGISTRY/) as string,
    });
  });
});
