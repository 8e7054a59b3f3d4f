import type { PosteriorManifest } from '@sublace/pipeline';
import type { PhaseReport } from '@sublace/protocol';
import { sublace } from '../../sublace.ts';
import type { Bench, Part } from '../bench.ts';
import type { Measurement } from '../measurement.ts';
import { benchFolder } from '../problems/folders.ts';
import { PROBLEMS } from '../problems/problems.ts';

const WORKERS = 2;

/** A fit from the command line. */
export const wholeFit: Part = {
  title: `'sublace fit' with ${WORKERS} workers of one thread: seconds of each phase as it reports them, and of the command`,
  processes: 1,
  threads: 1,
  problems: ['lenet5'],
  cases: {
    'lenet5-1000': (bench) => measure(bench, 1000, 'auto'),
    'lenet5-4000': (bench) => measure(bench, 4000, '1'),
  },
};

async function measure(bench: Bench, size: number, prior: string): Promise<Measurement[]> {
  const { title, model, data } = PROBLEMS.lenet5;
  const count = bench.isQuick ? 300 : 2000;
  const out = benchFolder('posteriors', 'whole-fit');
  const args = ['--model', model, '--data', data(count), '--subnetwork', `random:${size}`, '--out', out, '--overwrite'];
  const how = ['--validation', '0.1', '--prior-precision', prior, '--workers', String(WORKERS), '--threads', '1'];
  const fits: FitResult[] = [];
  const command = await bench.time(() => fits.push(sublace<FitResult>('fit', ...args, ...how)));
  fits.shift(); // warmed up
  const [{ phases, manifest }] = fits;
  const problem = `${title}, N = ${count} with a tenth held out, S = ${size}, prior ${prior === 'auto' ? 'tuned' : 'given'}`;
  const products = {
    floorName: 'R S^2 flops of the rows computed, in both workers',
    floor: { float32Flops: ((manifest.rows?.keptCount ?? 0) * size ** 2) / WORKERS },
  };
  return [
    ...phases.map(({ phase }, i) => ({
      problem,
      quantity: phase,
      seconds: fits.map((fit) => fit.phases[i].seconds),
      ...(phase === 'accumulate' && products),
    })),
    { problem, quantity: 'command', seconds: command },
  ];
}

/** What the command prints. */
interface FitResult {
  readonly phases: readonly PhaseReport[];
  readonly manifest: PosteriorManifest;
}
