/**
 * The sums of a large fit, held by one reducer and by several: the same bits, memory of each, bytes pulled by each, seconds. Tiles are made up, so that
 * what is measured is moving and holding them.
 *
 *   npm run bench -- large-reduction [--size 20000] [--shards 3] [--reducers 1,4] [--workers 1] [--checkpoints]
 *
 * Exit code 1 when the digests differ, or a reducer of the largest number takes more than that share of S x S doubles.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createCoordinatorClient, type ProgressEvent } from '@sublace/protocol';
import { formatTable } from '../numerics/report/table.ts';
import { metricOf, peakBytes, startRole, stopAll, type RoleProcess } from './role-process.ts';

interface Reducer {
  heldBytes: number;
  pulledBytes: number;
  /** Of the process, at any time. */
  peakBytes: number;
  /** Of the process, before the job. */
  idleBytes: number;
}

interface Run {
  reducers: Reducer[];
  digest: string;
  phases: ProgressEvent['phases'];
}

/**
 * Measures and prints a table.
 *
 * @param args  Options.
 */
export async function largeReduction(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      size: { type: 'string', default: '20000' },
      shards: { type: 'string', default: '3' },
      reducers: { type: 'string', default: '1,4' },
      workers: { type: 'string', default: '1' },
      checkpoints: { type: 'boolean', default: false },
    },
  });
  const [size, shardCount, workerCount] = [Number(values.size), Number(values.shards), Number(values.workers)];
  const counts = values.reducers.split(',').map(Number);
  console.log(`S = ${size}: S x S doubles are ${megabytes(8 * size * size)} MB; ${shardCount} shards, ${workerCount} worker(s)\n`);
  const runs: Run[] = [];
  for (const count of counts) runs.push(await measure(count, { size, shardCount, workerCount, checkpoints: values.checkpoints }));
  console.log(
    formatTable(
      ['reducers', 'reducer', 'sums MB', 'pulled MB', 'peak MB', 'before MB'],
      runs.flatMap((run) => reducerRows(run)),
    ),
  );
  console.log();
  console.log(formatTable(['reducers', 'accumulate s', 'of it transfer s', 'adding s', 'finalise s', 'digest'], runs.map(phaseRow)));
  const most = runs.toSorted((a, b) => b.reducers.length - a.reducers.length)[0];
  const limit = (8 * size * size) / most.reducers.length;
  const largest = Math.max(...most.reducers.map((reducer) => reducer.peakBytes));
  const areEqual = new Set(runs.map(({ digest }) => digest)).size === 1;
  console.log(`\ndigests ${areEqual ? 'are equal' : 'DIFFER'}`);
  console.log(
    `largest of ${most.reducers.length}: ${megabytes(largest)} MB, 1/${most.reducers.length} of S x S doubles: ${megabytes(limit)} MB`,
  );
  const single = runs.find(({ reducers }) => reducers.length === 1)?.reducers[0];
  if (single)
    console.log(`1/${most.reducers.length} of the peak of one reducer alone: ${megabytes(single.peakBytes / most.reducers.length)} MB`);
  if (!areEqual || largest > limit) process.exitCode = 1;
}

async function measure(
  count: number,
  { size, shardCount, workerCount, checkpoints }: { size: number; shardCount: number; workerCount: number; checkpoints: boolean },
): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'sublace-bench-'));
  const processes: RoleProcess[] = [];
  const start = async (...given: Parameters<typeof startRole>): Promise<RoleProcess> => {
    const started = await startRole(...given);
    processes.push(started);
    return started;
  };
  try {
    const { ready } = await start('coordinator', '--port', '0', '--reducers', String(count));
    const where = ['--coordinator', ready.address];
    const place = checkpoints ? ['--checkpoints', join(folder, 'checkpoints')] : [];
    const reducers: RoleProcess[] = [];
    for (let slot = 0; slot < count; slot++) reducers.push(await start('reducer', ...where, ...place, '--metrics-port', '0'));
    const idle = reducers.map(peakBytes);
    const runner = new URL('./tile-generator.ts', import.meta.url).href;
    for (let i = 0; i < workerCount; i++) await start('worker', ...where, '--runner', runner);
    const client = createCoordinatorClient(ready.address);
    const jobId = await client.submitJob({ output: join(folder, 'posterior'), size, shardCount });
    let last: ProgressEvent | undefined;
    let held: number[] = [];
    let pulled: number[] = [];
    for await (const event of client.watchJob(jobId)) {
      last = event;
      if (!event.message.startsWith('finalise starts')) continue;
      held = await Promise.all(reducers.map((reducer) => metricOf(reducer, 'sublace_held_bytes')));
      pulled = await Promise.all(reducers.map((reducer) => metricOf(reducer, 'sublace_pulled_bytes_total')));
    }
    client.close();
    if (last?.state !== 'succeeded') throw new Error(`job: expected it to succeed, got ${last?.state}: ${last?.failure?.message}`);
    const found = reducers.map((reducer, slot): Reducer => {
      return { heldBytes: held[slot], pulledBytes: pulled[slot], peakBytes: peakBytes(reducer), idleBytes: idle[slot] };
    });
    return { reducers: found, digest: last.result?.digest as string, phases: last.phases };
  } finally {
    await stopAll(processes.toReversed());
    rmSync(folder, { recursive: true, force: true });
  }
}

function reducerRows({ reducers }: Run): string[][] {
  return reducers.map((reducer, slot) => {
    const { heldBytes, pulledBytes, peakBytes: peak, idleBytes } = reducer;
    return [String(reducers.length), String(slot), ...[heldBytes, pulledBytes, peak, idleBytes].map(megabytes)];
  });
}

function phaseRow({ reducers, phases, digest }: Run): string[] {
  const seconds = (phase: string, of: 'seconds' | 'transferSeconds' | 'reduceSeconds'): string =>
    (phases.find((each) => each.phase === phase)?.[of] ?? 0).toFixed(2);
  const accumulate = (['seconds', 'transferSeconds', 'reduceSeconds'] as const).map((of) => seconds('accumulate', of));
  return [String(reducers.length), ...accumulate, seconds('finalise', 'seconds'), digest.slice(0, 12)];
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
