import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startS3, type S3Server } from '@sublace/test-servers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runSublace } from '../command-line/run-sublace.ts';
import { ServingProcess } from './serving-process.ts';
import { fitToyPosterior } from './toy-posterior.ts';
import { VersionLoad, inputs, restCaller, type ExpectedAnswers } from './version-load.ts';

const patience = { timeout: 60_000, interval: 10 };
/** Requests before a version is published, and after it is served: enough for every client to have asked often. */
const REQUESTS = 100;

const registry = 's3://sublace-test/registry';
const places = ['s3://sublace-test/posteriors/one', 's3://sublace-test/posteriors/two'];
const before = { ...process.env };

let folder: string;
let s3: S3Server;
const servers: ServingProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sublace-s3-registry-'));
  s3 = await startS3();
  Object.assign(process.env, s3.env, { SUBLACE_ARTIFACT_CACHE: join(folder, 'cache'), SUBLACE_REGISTRY: registry });
  await Promise.all(places.map((out, index) => fitToyPosterior(folder, index + 1, { out })));
}, 300_000);

afterAll(async () => {
  await Promise.all(servers.map((server) => server.kill()));
  await s3.stop();
  process.env = before;
  await rm(folder, { recursive: true, force: true });
});

function launch(...args: string[]): ServingProcess {
  const server = ServingProcess.launch(args);
  servers.push(server);
  return server;
}

async function publish(place: string): Promise<void> {
  const added = await runSublace(['registry', 'add', place, '--name', 'toy', '--label', 'stable']);
  expect(added, added.stderr).toMatchObject({ status: 0 });
}

async function answersOf(server: ServingProcess): Promise<ExpectedAnswers & { version: string }> {
  await server.whenReady();
  const caller = restCaller(server, 'toy');
  try {
    return await caller.ask('', inputs);
  } finally {
    caller.close();
  }
}

it('swaps to what is published in a bucket under load, and goes on with it when the bucket is gone, also after kill -9', async () => {
  const follows = ['--registry', registry, '--last-known-file', join(folder, 'known', 'labels.json')];
  await publish(places[0]);
  const server = launch(...follows);
  const [one, two] = await Promise.all([server, launch('--posterior', `toy=${places[1]}`)].map(answersOf));
  expect(Math.abs(one.mean[3] - two.mean[3])).toBeGreaterThan(0.01);

  const load = new VersionLoad(server, 'toy', new Map([['1', one], ['2', two]]), 2); // prettier-ignore
  await expect.poll(() => load.count, patience).toBeGreaterThan(REQUESTS);
  await publish(places[1]);
  await expect.poll(() => load.failures.length > 0 || load.isAt('2'), patience).toBe(true);
  const swappedAt = load.count;
  await expect.poll(() => load.count, patience).toBeGreaterThan(swappedAt + REQUESTS);
  await load.stop();
  expect(load.failures).toEqual([]);
  expect(Object.keys(load.counts)).toEqual(['1', '2']);

  await s3.stop();
  expect(await server.logged(/registry cannot be read; what is served stays served/)).toMatch(
    /expected an answer of http.*"served":{"toy":\["2"\]}/,
  );
  expect(await answersOf(server)).toEqual({ ...two, version: '2' });
  await server.kill();

  const [again, unknowing] = [launch(...follows), launch('--registry', registry)];
  expect(await answersOf(again)).toEqual({ ...two, version: '2' });
  expect(again.log).toContainEqual(expect.stringMatching(/serving what the registry said last, until it can be read/));
  await unknowing.logged(/"served":\{\}.*registry cannot be read/);
  expect(() => unknowing.ready).toThrow(/not yet/);
  expect(await again.stop()).toBe(0);
});
