/**
 * A factorisation by one process beside the same one spread over reducers: seconds, processor time, bytes moved, and the factor's bits.
 *
 *   npm run bench -- factorisation [S [REDUCERS [REPETITIONS]]]      default 8000 2 3
 *
 * One process has as many threads as there are reducers, which have one each: the same cores. What is not timed: the runtime's start (a first run goes before),
 * and the factor's way to the holder of the lease, which has a line of its own.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startBackend } from '@sublace/backend';
import { spreadCost } from '@sublace/linalg';
import { ownerOfTile, TILE_SIZE } from '@sublace/partials';
import { Reducers } from '@sublace/pipeline/reducers';

/** What one process tells. */
export interface OneReport {
  readonly runs: { readonly seconds: number; readonly processorSeconds: number }[];
  /** Of products [1024, 4096] x [4096, 1024] with these threads. */
  readonly flopsPerSecond: number;
  readonly sha256: string;
}

/** What a process that takes a part tells. */
export interface PartReport {
  readonly address: string;
  readonly processorSeconds: number;
  readonly residentBytes: number;
}

const PROCESS = fileURLToPath(new URL('./factorisation-process.ts', import.meta.url));

/**
 * Runs the benchmark and prints a table.
 *
 * @param args  S, reducers, repetitions.
 */
export async function factorisation([size = '8000', count = '2', repetitions = '3']: readonly string[]): Promise<void> {
  const [n, reducers, runs] = [size, count, repetitions].map(Number);
  const flops = n ** 3 / 3;
  console.log(`S = ${n}: S^3 / 3 = ${(flops / 1e9).toFixed(0)} GFLOP; median of ${runs}\n`);
  console.log(row(['', 'seconds', 'GFLOP/s', 'of products', 'processor s', 'GB between', 'GB to holder']));
  const single = await inOneProcess(n, 1, runs);
  const line = (name: string, { runs: each, flopsPerSecond }: OneReport): void => {
    const [seconds, processor] = [median(each.map((run) => run.seconds)), median(each.map((run) => run.processorSeconds))];
    const rate = flops / seconds;
    console.log(row([name, seconds.toFixed(2), (rate / 1e9).toFixed(1), percent(rate / flopsPerSecond), processor.toFixed(2), '0', '0']));
  };
  line('1 process, 1 thread', single);
  const threaded = await inOneProcess(n, reducers, runs);
  line(`1 process, ${reducers} threads`, threaded);
  const spread = await spreadOver(n, reducers, runs);
  const costs = Array.from({ length: reducers }, (_, slot) =>
    spreadCost({ size: n, tileSize: TILE_SIZE, slot, ownerOf: (tile) => ownerOfTile(tile, reducers) }),
  );
  const moved = costs.reduce((sum, { pulledBytes }) => sum + pulledBytes, 0);
  const seconds = median(spread.runs.map((run) => run.seconds));
  const processor = median(spread.runs.map((run) => run.processorSeconds));
  const rate = flops / seconds;
  const share = percent(rate / (reducers * single.flopsPerSecond));
  const figures = [
    seconds.toFixed(2),
    (rate / 1e9).toFixed(1),
    share,
    processor.toFixed(2),
    gigabytes(moved),
    gigabytes(spread.factorBytes),
  ];
  console.log(row([`${reducers} reducers, 1 thread`, ...figures]));
  const worst = Math.max(...costs.map((cost) => cost.flops)) / (costs.reduce((sum, cost) => sum + cost.flops, 0) / reducers);
  console.log(`
the factor's way to the holder, ${gigabytes(spread.factorBytes)} GB: ${median(spread.runs.map((run) => run.pullSeconds)).toFixed(2)} s
largest share of the work: ${worst.toFixed(2)} of the mean; resident memory of a reducer: ${gigabytes(spread.residentBytes)} GB; the sums come on top
bits: spread ${spread.sha256 === single.sha256 ? 'are' : 'ARE NOT'} those of one process with 1 thread, which ${single.sha256 === threaded.sha256 ? 'are' : 'are not'} those with ${reducers}`);
  if (spread.sha256 !== single.sha256) process.exitCode = 1;
}

async function inOneProcess(size: number, threads: number, repetitions: number): Promise<OneReport> {
  const child = start('one', size, threads, repetitions);
  const [report] = (await once(child, 'message')) as [OneReport];
  return report;
}

interface SpreadReport {
  readonly runs: { readonly seconds: number; readonly processorSeconds: number; readonly pullSeconds: number }[];
  readonly factorBytes: number;
  readonly residentBytes: number;
  readonly sha256: string;
}

async function spreadOver(size: number, count: number, repetitions: number): Promise<SpreadReport> {
  await startBackend({ threads: 1 });
  const children = Array.from({ length: count }, (_, slot) => start('part', size, slot, count));
  const addresses = await Promise.all(children.map(async (child) => ((await once(child, 'message')) as [PartReport])[0].address));
  const ask = async (): Promise<PartReport[]> =>
    Promise.all(
      children.map(async (child) => {
        const answer = once(child, 'message') as Promise<[PartReport]>;
        child.send('report');
        return (await answer)[0];
      }),
    );
  const total = (reports: readonly PartReport[]): number => reports.reduce((sum, { processorSeconds }) => sum + processorSeconds, 0);
  const lease = { jobId: 'bench', phase: 'finalise', shard: 0, leaseToken: 1 } as const;
  const reducers = new Reducers({ addresses, lease, security: {} }, size);
  const runs: SpreadReport['runs'] = [];
  let [factorBytes, residentBytes, sha256] = [0, 0, ''];
  try {
    for (let i = 0; i <= repetitions; i++) {
      const before = total(await ask());
      const startMs = performance.now();
      const outcome = await reducers.factorise({ divisor: 2 });
      if (outcome.status !== 'ok') throw new Error(`pivot ${outcome.pivot} at ${outcome.position}`);
      const doneMs = performance.now();
      const reports = await ask();
      residentBytes = Math.max(residentBytes, ...reports.map((report) => report.residentBytes));
      const pullStartMs = performance.now();
      const hash = createHash('sha256');
      factorBytes = 0;
      for await (const { data } of outcome.tiles()) {
        factorBytes += data.byteLength;
        if (i === 0) hash.update(data);
      }
      outcome.close();
      if (i === 0) sha256 = hash.digest('hex');
      // The first starts the runtimes.
      else
        runs.push({
          seconds: (doneMs - startMs) / 1000,
          processorSeconds: total(reports) - before,
          pullSeconds: (performance.now() - pullStartMs) / 1000,
        });
    }
    return { runs, factorBytes, residentBytes, sha256 };
  } finally {
    reducers.close();
    for (const child of children) child.disconnect();
  }
}

function start(role: 'one' | 'part', ...numbers: number[]): ChildProcess {
  const child = fork(PROCESS, [role, ...numbers.map(String)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  child.once('exit', (status) => {
    if (status === 0 || status === null) return;
    console.error(`factorisation: expected the ${role} process to end well, got exit code ${status}`);
    process.exit(1);
  });
  return child;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(2);
}

function row(cells: readonly string[]): string {
  return cells.map((cell, i) => (i === 0 ? cell.padEnd(22) : cell.padStart(13))).join('');
}
