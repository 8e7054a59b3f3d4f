/** Disks that are full when they are needed. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { RUNNER } from '../distribution/cluster.ts';
import { pointName } from '../distribution/synthetic-runner.ts';
import { STORES, type Fault, type FaultReport } from './fault.ts';
import type { FaultCluster } from './fault-cluster.ts';

const common = { role: 'disk', stores: STORES, quick: false } as const;
const BEFORE_WRITING = pointName('finalise', 0, 'before');
const KIB = 1024;

/** Faults of disks. */
export const diskFaults: readonly Fault[] = [
  {
    ...common,
    name: 'disk of the output full (tmpfs)',
    moment: 'while the posterior is written',
    quick: 'embedded',
    expected: { code: 'INTERNAL', message: /^finalise shard 0: gave up after 3 attempts; .*ENOSPC: no space left on device/ },
    unavailable: whyNoTmpfs,
    run: (cluster) => outputFull(cluster, 'for ever'),
  },
  {
    ...common,
    name: 'disk of the output full for a while (tmpfs)',
    moment: 'while the posterior is written',
    expected: 'same digest',
    unavailable: whyNoTmpfs,
    run: (cluster) => outputFull(cluster, 'for a while'),
  },
  {
    ...common,
    name: 'file of the posterior on a full device (/dev/full)',
    moment: 'while the posterior is written',
    expected: 'same digest',
    run: fullDevice,
  },
  {
    ...common,
    name: 'file larger than its worker may write (prlimit)',
    moment: 'while the posterior is written',
    expected: { code: 'INTERNAL', message: /^finalise shard 0: gave up after 3 attempts; .*EFBIG: file too large/ },
    run: fileTooLarge,
  },
  {
    ...common,
    name: 'disk of the state folder full, then not (tmpfs)',
    moment: 'during accumulate',
    stores: ['embedded'],
    quick: true,
    expected: 'same digest',
    unavailable: whyNoTmpfs,
    run: stateFull,
  },
];

async function outputFull(cluster: FaultCluster, howLong: 'for ever' | 'for a while'): Promise<FaultReport> {
  const disk = join(cluster.folder, 'disk');
  mountTmpfs(cluster, disk, 256 * KIB);
  cluster.output = join(disk, 'posterior');
  cluster.hold(BEFORE_WRITING);
  await cluster.startCoordinator('--attempts-max', '3');
  await cluster.startWorkers(2);
  const jobId = await cluster.submit({ paddingBytes: 100 * KIB });
  await cluster.reached(BEFORE_WRITING);
  const ballast = join(disk, 'ballast');
  fill(ballast);
  cluster.open(BEFORE_WRITING);
  const proof = await cluster.logged(cluster.coordinator, /finalise shard 0 is (pending|failed) .*ENOSPC/);
  if (howLong === 'for a while') rmSync(ballast);
  return { last: await cluster.finish(jobId), proof };
}

/** Without root: the file that the worker is about to write is a device that is always full. */
async function fullDevice(cluster: FaultCluster): Promise<FaultReport> {
  cluster.hold(BEFORE_WRITING);
  await cluster.startAll();
  const jobId = await cluster.submit();
  await cluster.reached(BEFORE_WRITING);
  const folder = dirname(cluster.output);
  const staging = readdirSync(folder).find((name) => name.startsWith('.posterior.staging-'))!;
  symlinkSync('/dev/full', join(folder, staging, 'sums.bin'));
  cluster.open(BEFORE_WRITING);
  const last = await cluster.finish(jobId);
  return { last, proof: await cluster.logged(cluster.coordinator, /finalise shard 0 is pending .*ENOSPC/) };
}

async function fileTooLarge(cluster: FaultCluster): Promise<FaultReport> {
  await cluster.startCoordinator('--attempts-max', '3');
  const args = ['--coordinator', cluster.coordinator.ready.address, '--runner', RUNNER];
  cluster.workers.push(await cluster.start('worker', args, { prefix: ['prlimit', `--fsize=${200 * KIB}`] }));
  const last = await cluster.finish(await cluster.submit({ paddingBytes: 1024 * KIB }));
  return { last, proof: await cluster.logged(cluster.coordinator, /finalise shard 0 is pending .*EFBIG/) };
}

async function stateFull(cluster: FaultCluster): Promise<FaultReport> {
  mountTmpfs(cluster, cluster.state, 256 * KIB);
  const point = pointName('accumulate', 3, 'during');
  cluster.hold(point);
  await cluster.startAll();
  const jobId = await cluster.submit();
  await cluster.reached(point);
  const ballast = join(cluster.state, 'ballast');
  fill(ballast);
  const struck = cluster.coordinator;
  cluster.open(point);
  // What is lost must be more than the unused end of the file's last page.
  for (let more = 0; more < 200 && struck.child.exitCode === null; more++) {
    await cluster.client.submitJob({ output: join(cluster.folder, `other-${more}`), note: 'x'.repeat(200) }).catch(() => undefined);
  }
  const { status } = await struck.exit;
  const proof = await cluster.logged(struck, /sublace: .*expected to append \d+ bytes, got: ENOSPC/);
  if (status === 0) throw new Error('expected the coordinator to fail, got exit code 0');
  rmSync(ballast);
  await cluster.startCoordinator();
  for (const { jobId: other } of await cluster.client.listJobs()) if (other !== jobId) await cluster.client.cancelJob(other);
  return { last: await cluster.finish(jobId), proof: `exit code ${status}: ${proof.replaceAll(cluster.folder, '...')}` };
}

/** Writes a file until there is no space left. */
function fill(path: string): void {
  try {
    for (;;) writeFileSync(path, Buffer.alloc(KIB), { flag: 'a' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

function mountTmpfs(cluster: FaultCluster, folder: string, bytes: number): void {
  mkdirSync(folder, { recursive: true });
  const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'none', folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mount of a tmpfs: expected it to work, got ${(error?.message ?? stderr).trim()}`);
  cluster.cleanups.push(() => spawnSync('umount', ['-l', folder]));
}

let reason: string | undefined | null = null;

/** Why no tmpfs can be mounted here; undefined when one can. */
function whyNoTmpfs(): string | undefined {
  if (reason !== null) return reason;
  const folder = mkdtempSync(join(tmpdir(), 'sublace-e2e-mount-'));
  const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', folder], { encoding: 'utf8' });
  reason = status === 0 ? undefined : `mount of a tmpfs: ${(error?.message ?? stderr).trim()}`;
  if (status === 0) spawnSync('umount', [folder]);
  rmdirSync(folder);
  return reason;
}
