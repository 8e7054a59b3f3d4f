import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JobOverview, LogLine, WorkerOverview } from '@sublace/protocol';
import { startRedis } from '@sublace/test-servers';
import { runSublace, startSublace, type CommandResult } from './command-line/run-sublace.ts';
import { Cluster, RUNNER, type RoleProcess } from './distribution/cluster.ts';
import { pointName, SPEC_DEFAULTS } from './distribution/synthetic-runner.ts';
import { startOtlpReceiver, type ReceivedSpan } from './operations/otlp-receiver.ts';
import { scrape, sumOf } from './operations/prometheus.ts';

const DOCUMENT = new URL('../../../docs/observability.md', import.meta.url);

let cluster: Cluster;
beforeEach(() => {
  cluster = new Cluster();
});
afterEach(() => cluster.dispose());

/** Runs a command against the cluster. */
function run(...args: string[]): Promise<CommandResult> {
  return runSublace([...args, '--coordinator', cluster.coordinator.ready.address]);
}

/** Runs a command that succeeds; its results, one per line. */
async function results<T>(...args: string[]): Promise<T[]> {
  const { status, stdout, stderr } = await run(...args, '--json');
  expect([status, stderr]).toEqual([0, '']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

/** Submits a fit from the command line; the workers of these tests compute something else than it says. */
async function submit(name: string, ...args: string[]): Promise<string> {
  const fit = ['--model', 'model', '--data', 'mnist', '--subnetwork', 'random:50', '--out', join(cluster.folder, name)];
  const [{ jobId }] = await results<{ jobId: string }>('submit', ...fit, ...args);
  return jobId;
}

async function jobs(): Promise<JobOverview[]> {
  return (await results<{ jobs: JobOverview[] }>('jobs'))[0].jobs;
}

async function linesOf(jobId: string): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for await (const line of cluster.client.readLog(jobId)) lines.push(line);
  return lines;
}

function digestAt(name: string): string {
  return createHash('sha256')
    .update(readFileSync(join(cluster.folder, name, 'sums.bin')))
    .digest('hex');
}

describe('several jobs at once', () => {
  it('are served by priority, then in order, on the same workers, with the same bits', async () => {
    await cluster.startCoordinator();
    const low = await submit('low');
    const high = await submit('high', '--priority', '5');
    const middle = await submit('middle', '--priority', '1');
    const [first] = await jobs();
    expect(first).toMatchObject({
      jobId: low,
      state: 'queued',
      workerCount: 0,
      waitsFor: expect.stringMatching(/^a worker: none/) as string,
    });
    const ends: string[] = [];
    const following = [low, high, middle].map((jobId) => cluster.finish(jobId).then(({ state }) => ends.push(`${jobId} ${state}`)));
    await cluster.startWorkers(1);
    const waiting = await cluster.until(low, ({ waitsFor }) => waitsFor.includes('priority'));
    // Which of the two it is depends on how soon somebody looks.
    const [ofHigh, ofMiddle] = [`job ${high} of priority 5`, `job ${middle} of priority 1`];
    expect([ofHigh, ofMiddle].map((job) => `${job}, above its own 0: it has the only worker`)).toContain(waiting.waitsFor);
    await Promise.all(following);
    expect(ends).toEqual([high, middle, low].map((jobId) => `${jobId} succeeded`));
    expect(new Set(['low', 'high', 'middle'].map(digestAt)).size).toBe(1);
  });

  it('a job that comes later with a higher priority overtakes one that runs, and both are right', async () => {
    await cluster.startCoordinator();
    await cluster.startWorkers(2);
    const slow = await cluster.submit({ output: join(cluster.folder, 'slow'), pauseMs: 300 });
    await cluster.until(slow, (event) => event.phase === 'score' && event.shardsDone >= 2);
    const spec = { ...SPEC_DEFAULTS, output: join(cluster.folder, 'urgent'), pauseMs: 20 };
    const urgent = await cluster.client.submitJob(spec, { priority: 9 });
    const [one, two] = await Promise.all([cluster.finish(urgent), cluster.finish(slow)]);
    expect([one.state, two.state]).toEqual(['succeeded', 'succeeded']);
    expect(one.atMs).toBeLessThan(two.atMs);
    expect(digestAt('urgent')).toBe(digestAt('slow'));
  });
});

describe('the commands', () => {
  it('watch, list, log and cancel jobs, each with its exit code', async () => {
    await cluster.startCoordinator();
    await cluster.startWorkers(1);
    const done = await submit('done', '--wait');
    const [last] = (await results<{ state: string; jobId: string }>('watch', done)).slice(-1);
    expect(last).toMatchObject({ jobId: done, state: 'succeeded' });
    expect(await run('watch', done)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(`job ${done} has succeeded, digest`) as string,
    });

    // Held until the commands are done with it, however slow this machine is.
    const point = pointName('score', 0, 'before');
    const long = await cluster.submit({ output: join(cluster.folder, 'long'), points: { folder: cluster.folder, names: [point] } });
    await cluster.until(long, (event) => event.phase === 'score' && event.workerCount > 0);
    const [{ workers }] = await results<{ workers: WorkerOverview[] }>('workers');
    expect(workers).toMatchObject([
      { role: 'worker', workerId: cluster.workers[0].ready.workerId, shards: [{ lease: { jobId: long }, attempt: 1 }] },
    ]);
    expect(await jobs()).toMatchObject([
      { jobId: done, state: 'succeeded', waitsFor: '' },
      { jobId: long, state: 'running', workerCount: 1 },
    ]);
    const watching = run('watch', long);
    const following = run('logs', long, '--follow');
    expect(await run('cancel', long, '--reason', 'no longer wanted')).toMatchObject({ status: 0 });
    expect(await watching).toMatchObject({ status: 130, stderr: expect.stringContaining('sublace: no longer wanted') as string });
    expect(await following).toMatchObject({ status: 0, stdout: expect.stringContaining('job is cancelled: no longer wanted') as string });

    writeFileSync(join(cluster.folder, `${point}.open`), '');
    const bad = await cluster.submit({ output: join(cluster.folder, 'bad'), fault: { phase: 'score', shard: 1, kind: 'bad data' } });
    expect(await run('watch', bad)).toMatchObject({
      status: 42,
      stderr: expect.stringContaining('sublace: row 17: expected finite values, got NaN (score shard 1)') as string,
    });
    const failure = (await results<LogLine>('logs', bad)).find(({ shard, state }) => shard === 1 && state === 'failed');
    expect(failure).toMatchObject({ level: 'warn', phase: 'score', message: expect.stringContaining('expected finite values') as string });
    expect(await run('cancel', done)).toMatchObject({ status: 42, stderr: expect.stringContaining('that has succeeded') as string });
  });

  it('say in one line what is wrong with a job, a token or an address', async () => {
    await cluster.startCoordinator();
    const outcomes = await Promise.all([
      ...['watch', 'logs', 'cancel'].map((command) => run(command, 'job-none')),
      run('logs', '../../etc/passwd'),
      runSublace(['jobs', '--coordinator', '127.0.0.1:1']),
      runSublace(['workers']),
    ]);
    for (const { stdout, stderr } of outcomes) expect([stdout, stderr.trim().split('\n').length]).toEqual(['', 1]);
    expect(outcomes.map(({ status }) => status)).toEqual([42, 42, 42, 42, 1, 2]);
    expect(outcomes[4].stderr).toMatch(/^sublace: coordinator 127\.0\.0\.1:1: expected an answer, got no connection/);

    const guarded = await cluster.start('coordinator', ['--port', '0'], { env: { SUBLACE_TOKEN: 'the-right-token' } });
    const wrong = await runSublace(['jobs', '--coordinator', guarded.ready.address]);
    expect([wrong.status, wrong.stderr]).toEqual([42, expect.stringContaining('expected the token of')]);
  });
});

describe('the log of a job', () => {
  it('survives a coordinator that is killed, and goes on', async () => {
    const state = join(cluster.folder, 'state');
    const { ready } = await cluster.startCoordinator('--state-dir', state);
    await cluster.startWorkers(1);
    // Held half-way until the coordinator is there again.
    const point = pointName('accumulate', 3, 'before');
    const jobId = await cluster.submit({ points: { folder: cluster.folder, names: [point] } });
    const watch = startSublace(['watch', jobId, '--json', '--coordinator', ready.address]);
    let watched = '';
    watch.stdout?.on('data', (text) => (watched += String(text)));
    await vi.waitFor(() => {
      expect(watched).not.toBe('');
      expect(existsSync(join(cluster.folder, `${point}.reached`))).toBe(true);
    }, 60_000);
    const before = await linesOf(jobId);
    cluster.coordinator.child.kill('SIGKILL');
    await cluster.coordinator.exit;
    await cluster.startCoordinator('--state-dir', state, '--port', ready.address.split(':')[1]);
    writeFileSync(join(cluster.folder, `${point}.open`), '');
    expect((await cluster.finish(jobId)).state).toBe('succeeded');
    const after = await results<LogLine>('logs', jobId, '--follow');
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.map(({ sequence }) => sequence)).toEqual(after.map((_, index) => index + 1));
    expect(after.map(({ message }) => message)).toContain('the coordinator was started again');
    expect(after.at(-1)).toMatchObject({ state: 'succeeded' });
    // The watch that began before the kill has seen the end too.
    if (watch.exitCode === null) await once(watch, 'close');
    expect([watch.exitCode, JSON.parse(watched.trim().split('\n').at(-1)!)]).toEqual([0, expect.objectContaining({ state: 'succeeded' })]);
  });
});

describe('a job that does not move', () => {
  it('says which shard it waits for, to those who ask, as a warning, and as a metric', async () => {
    await cluster.startCoordinator('--lease-duration-ms', '600000', '--stuck-after-ms', '1000', '--metrics-port', '0');
    const [worker] = await cluster.startWorkers(1);
    const jobId = await cluster.submit({ pauseMs: 100 });
    await cluster.until(jobId, (event) => event.phase === 'score' && event.shardsDone === 1);
    worker.child.kill('SIGSTOP');
    const { waitsFor } = await cluster.until(jobId, (event) => event.waitsFor !== '');
    expect(waitsFor).toMatch(
      new RegExp(`^score shard \\d, leased by worker ${worker.ready.workerId} for \\d+ s \\(attempt 1, last renewal \\d+ s ago\\)`),
    );
    await vi.waitFor(
      () => expect(cluster.coordinator.log()).toMatch(/"level":"warn".*no progress for \d+ s: waits for score shard/),
      20_000,
    );
    expect((await jobs())[0].waitsFor).toMatch(/^score shard \d, leased by worker/);
    const warnings = (await results<LogLine>('logs', jobId)).filter(({ level }) => level === 'warn');
    expect(warnings[0].message).toMatch(/^no progress for \d+ s: waits for score shard \d, leased by worker/);
    const stalled = await scrape(cluster.coordinator.ready.metricsPort!);
    expect(sumOf(stalled, 'sublace_stalled_seconds', { job_id: jobId })).toBeGreaterThan(1);
    worker.child.kill('SIGCONT');
    expect((await cluster.finish(jobId)).state).toBe('succeeded');
  });

  it('says that reducers are missing', async () => {
    await cluster.startCoordinator('--reducers', '2', '--stuck-after-ms', '1000');
    await cluster.startReducers(1);
    await cluster.startWorkers(1);
    const jobId = await cluster.submit({ pauseMs: 0 });
    const { waitsFor } = await cluster.until(jobId, (event) => event.waitsFor.includes('reducers'));
    expect(waitsFor).toBe("1 of 2 reducers; start it with 'sublace reducer'");
    await cluster.startReducers(1);
    expect((await cluster.finish(jobId)).state).toBe('succeeded');
  });
});

describe('with a store in Redis', () => {
  it('a job says that Redis is away, its log survives the coordinator, and connections are counted', async () => {
    const redis = await startRedis({ appendonly: true });
    try {
      const options = ['--store', redis.url, '--metrics-port', '0', '--stuck-after-ms', '500'];
      await cluster.startCoordinator(...options);
      await cluster.startWorkers(1);
      const point = pointName('accumulate', 3, 'before');
      const jobId = await cluster.submit({ points: { folder: cluster.folder, names: [point] } });
      await vi.waitFor(() => expect(existsSync(join(cluster.folder, `${point}.reached`))).toBe(true), 60_000);
      await redis.kill();
      const { waitsFor } = await cluster.until(jobId, (event) => event.waitsFor.startsWith('the job store'));
      expect(waitsFor).toMatch(/^the job store, out of reach for \d+ s: Redis at /);
      const away = await scrape(cluster.coordinator.ready.metricsPort!);
      expect(sumOf(away, 'sublace_store_lost_seconds')).toBeGreaterThan(0);
      await redis.restart();
      await cluster.until(jobId, (event) => !event.waitsFor.startsWith('the job store'));
      const back = await scrape(cluster.coordinator.ready.metricsPort!);
      expect(sumOf(back, 'sublace_store_lost_seconds')).toBe(0);
      expect(sumOf(back, 'sublace_store_connections_total')).toBeGreaterThanOrEqual(2);
      expect(sumOf(back, 'sublace_store_seconds_count')).toBeGreaterThan(10);

      const [port] = cluster.coordinator.ready.address.split(':').slice(-1);
      cluster.coordinator.child.kill('SIGKILL');
      await cluster.coordinator.exit;
      await cluster.startCoordinator(...options, '--port', port);
      writeFileSync(join(cluster.folder, `${point}.open`), '');
      expect((await cluster.finish(jobId)).state).toBe('succeeded');
      const messages = (await linesOf(jobId)).map(({ message }) => message);
      expect(messages[0]).toBe('job is queued');
      expect(messages).toContain('the coordinator was started again');
      expect(messages.at(-1)).toBe('job is succeeded');
    } finally {
      await redis.stop();
    }
  });
});

/** A coordinator with one reducer and two workers, all with metrics, and the job that they have done. */
async function fitWithAllRoles(env: Record<string, string> = {}): Promise<{ jobId: string; roles: RoleProcess[] }> {
  cluster.startOptions = { env };
  await cluster.startCoordinator('--reducers', '1', '--metrics-port', '0');
  const { address } = cluster.coordinator.ready;
  const connect = ['--coordinator', address, '--metrics-port', '0'];
  const roles = [
    cluster.coordinator,
    await cluster.start('reducer', [...connect, '--checkpoints', cluster.checkpoints], { env }),
    await cluster.start('worker', [...connect, '--runner', RUNNER], { env }),
    await cluster.start('worker', [...connect, '--runner', RUNNER], { env }),
  ];
  const jobId = await cluster.submit({ pauseMs: 50 });
  expect((await cluster.finish(jobId)).state).toBe('succeeded');
  return { jobId, roles };
}

describe('metrics', () => {
  it('of every role are in the format of Prometheus, and each is in docs/observability.md with its roles and type', async () => {
    const { roles } = await fitWithAllRoles();
    const scrapes = await Promise.all(roles.map(async ({ role, ready }) => ({ role, ...(await scrape(ready.metricsPort!)) })));
    for (const { role, samples, types } of scrapes) {
      expect(new Set(samples.map(({ labels }) => labels['role']))).toEqual(new Set([role]));
      expect([...types.keys()]).toEqual(expect.arrayContaining(['process_cpu_seconds_total', 'nodejs_eventloop_lag_seconds']));
    }
    const found = new Map<string, { type: string; roles: Set<string> }>();
    for (const { role, types } of scrapes) {
      for (const [name, type] of types) {
        if (!name.startsWith('sublace_')) continue;
        const known = found.get(name) ?? { type, roles: new Set() };
        found.set(name, known);
        known.roles.add(role);
      }
    }
    const lines = [...found].map(([name, each]) => `${name} ${[...each.roles].sort().join(', ')} ${each.type}`).sort();
    const rows = [...readFileSync(DOCUMENT, 'utf8').matchAll(/^\| `(sublace_\w+)` +\| ([\w, ]+?) +\| (\w+) +\|/gm)];
    expect(rows.map(([, name, where, type]) => `${name} ${where} ${type}`).sort()).toEqual(lines);

    const [coordinator, reducer, ...workers] = scrapes;
    expect(sumOf(coordinator, 'sublace_examples_total', { phase: 'accumulate' })).toBe(403);
    expect(sumOf(coordinator, 'sublace_shards_done_total')).toBe(19);
    expect(sumOf(coordinator, 'sublace_attempts_total')).toBe(19);
    expect(sumOf(coordinator, 'sublace_jobs_ended_total', { state: 'succeeded' })).toBe(1);
    expect(sumOf(coordinator, 'sublace_queue_seconds_count')).toBe(1);
    expect(sumOf(coordinator, 'sublace_publish_seconds_count')).toBe(1);
    expect(sumOf(coordinator, 'sublace_reducers', { state: 'attached' })).toBe(1);
    expect(sumOf(coordinator, 'sublace_workers')).toBe(2);
    expect(sumOf(reducer, 'sublace_pull_seconds_count')).toBe(8);
    expect(sumOf(reducer, 'sublace_pulled_bytes_total')).toBe(8 * 4 * (16 * 16 * 6 + 3 * 2 * 16 + 2 * 2));
    expect(workers.reduce((sum, worker) => sum + sumOf(worker, 'sublace_tasks_total', { outcome: 'done' }), 0)).toBe(19);
    expect(workers.reduce((sum, worker) => sum + sumOf(worker, 'sublace_compute_seconds_count'), 0)).toBe(19);
  });
});

describe('a trace', () => {
  it('of a job goes through coordinator, workers and reducer, each span below the right one', async () => {
    const receiver = await startOtlpReceiver();
    try {
      const { jobId, roles } = await fitWithAllRoles({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, OTEL_BSP_SCHEDULE_DELAY: '100' });
      // What is left goes out at the end of each process.
      for (const { child } of [...roles].reverse()) child.kill('SIGTERM');
      expect((await Promise.all(roles.map(({ exit }) => exit))).map(({ status }) => status)).toEqual([0, 0, 0, 0]);
      await pause(100);
      const spans = receiver.spans.filter(({ attributes, name }) => name !== 'checkpoint' || attributes['sublace.job_id'] === jobId);
      expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
      const byId = new Map(spans.map((span) => [span.spanId, span]));
      const path = (span: ReceivedSpan): string => {
        const above = byId.get(span.parentSpanId);
        const own = `${span.service.replace('sublace-', '')} ${span.name}`;
        return above ? `${path(above)} > ${own}` : own;
      };
      const counts = new Map<string, number>();
      for (const span of spans) counts.set(path(span), (counts.get(path(span)) ?? 0) + 1);
      const expected: Record<string, number> = { 'coordinator job': 1 };
      for (const [phase, count] of Object.entries({ plan: 1, score: 8, select: 1, accumulate: 8, finalise: 1 })) {
        const phasePath = `coordinator job > coordinator phase ${phase}`;
        const task = `${phasePath} > coordinator lease > worker task`;
        expected[phasePath] = 1;
        for (const step of ['', ' > worker inputs', ' > worker compute', ' > worker offer']) expected[task + step] = count;
        expected[`${phasePath} > coordinator lease`] = count;
        for (const step of ['pull', 'commit']) expected[`${task} > worker offer > coordinator ${step}`] = count;
        if (phase === 'accumulate') expected[`${task} > worker offer > coordinator pull > reducer reduce`] = count;
        if (phase === 'finalise') expected[`${phasePath} > coordinator publish`] = 1;
      }
      for (const [where] of counts) if (where.includes('checkpoint')) counts.delete(where);
      expect(Object.fromEntries(counts)).toEqual(expected);
      expect(spans.filter(({ failed }) => failed)).toEqual([]);
      const reduced = spans.filter(({ name }) => name === 'reduce').map(({ attributes }) => attributes['sublace.shard']);
      expect(reduced.sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      const task = spans.find(({ name, attributes }) => name === 'task' && attributes['sublace.phase'] === 'score')!;
      expect(task.attributes).toMatchObject({
        'sublace.job_id': jobId,
        'sublace.attempt': 1,
        'sublace.worker_id': expect.any(String) as string,
      });
      for (const { log } of [roles[0], roles[2]]) {
        const line = log()
          .split('\n')
          .find((text) => text.includes(jobId))!;
        expect(JSON.parse(line)).toMatchObject({ jobId, trace_id: spans[0].traceId });
      }
    } finally {
      receiver.stop();
    }
  });
});
