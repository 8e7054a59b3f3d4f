import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runSublace, startSublace } from './command-line/run-sublace.ts';
import { Cluster } from './distribution/cluster.ts';

const folder = mkdtempSync(join(tmpdir(), 'sublace-spread-'));
const model = join(folder, 'model');
const data = 'digits?count=240&seed=3';
/** Five tile rows: two strips, the second of one ragged column. */
const SIZE = 4300;

interface Published {
  readonly digest: string;
  readonly files: readonly { readonly name: string; readonly sha256: string }[];
  readonly [fact: string]: unknown;
}

let one: Published;
let cluster: Cluster;

beforeAll(async () => {
  const { status, stderr } = await runSublace(['train', '--data', data, '--arch', 'mlp:32x1', '--epochs', '2', '--out', model]);
  expect(status, stderr).toBe(0);
  const fit = await runSublace([...fitArguments('one'), '--workers', '1']);
  expect(fit.status, fit.stderr).toBe(0);
  one = manifestOf('one');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeEach(() => {
  cluster = new Cluster();
});

afterEach(() => cluster.dispose());

function fitArguments(name: string, ...extra: string[]): string[] {
  const what = ['--model', model, '--data', data, '--subnetwork', `gradient-energy:${SIZE}`, '--keep-dead', '--shard-size', '80'];
  return ['fit', ...what, '--prior-precision', '30', '--out', join(folder, name), ...extra];
}

function manifestOf(name: string): Published {
  return JSON.parse(readFileSync(join(folder, name, 'manifest.json'), 'utf8')) as Published;
}

/** Starts a coordinator, reducers, and a worker with the real pipeline. */
async function startFleet(reducers: number): Promise<void> {
  await cluster.startCoordinator('--reducers', String(reducers));
  await cluster.startReducers(reducers, '--checkpoint-interval-ms', '1000');
  await cluster.start('worker', ['--coordinator', cluster.coordinator.ready.address, '--threads', '1']);
}

async function fit(name: string, ...extra: string[]): Promise<{ status: number | null; stderr: string }> {
  return runSublace([...fitArguments(name, ...extra), '--coordinator', cluster.coordinator.ready.address]);
}

describe('a factorisation that is spread over reducers', () => {
  it.each([2, 4])('gives the files of one process, byte for byte, with %i reducers', async (count) => {
    await startFleet(count);
    const { status, stderr } = await fit(`spread-${count}`, '--factorise', 'spread');
    expect(status, stderr).toBe(0);
    expect(manifestOf(`spread-${count}`)).toEqual(one);
    const rows = cluster.reducers.map((reducer) => reducer.log());
    for (const row of rows) expect(row, 'every reducer took its part').toContain('factorisation is done');
  });

  it('is made by one process from streamed tiles when that is asked for', async () => {
    await startFleet(2);
    const { status, stderr } = await fit('streamed', '--factorise', 'one');
    expect(status, stderr).toBe(0);
    expect(manifestOf('streamed')).toEqual(one);
    for (const reducer of cluster.reducers) {
      expect(reducer.log(), 'it had tiles').toMatch(/checkpoint of job \S+ is written: [1-9]/);
      expect(reducer.log()).not.toContain('factorisation');
    }
  });

  it('ends as one process does where the precision is not positive definite', async () => {
    await startFleet(2);
    const prior = ['--prior-precision', '1e-20'];
    const alone = await runSublace([...fitArguments('none', ...prior), '--workers', '1']);
    const { status, stderr } = await fit('none', ...prior, '--factorise', 'spread');
    const message = /sublace: posterior precision is not positive definite .*/;
    expect([status, alone.status]).toEqual([42, 42]);
    expect(message.exec(stderr)?.[0]).toBe(message.exec(alone.stderr)?.[0]);
    expect(message.exec(stderr)?.[0]).toContain('use a larger prior precision');
  });

  it('gives the same files after a reducer was killed (kill -9) in the middle of it', async () => {
    await startFleet(2);
    const child = startSublace([...fitArguments('killed', '--factorise', 'spread'), '--coordinator', cluster.coordinator.ready.address]);
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [, victim] = cluster.reducers;
    await until(() => cluster.reducers.every((reducer) => reducer.log().includes('factorisation begins')));
    victim.child.kill('SIGKILL');
    await cluster.startReducers(1, '--checkpoint-interval-ms', '1000');
    expect(await ended).toBe(0);
    expect(victim.log(), 'it was in the middle').not.toContain('factorisation is done');
    expect(manifestOf('killed')).toEqual(one);
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}
