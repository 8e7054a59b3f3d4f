/**
 * A whole fit of a large subnetwork of ResNet-18 (CIFAR shape, 11 million weights): time of each phase, and memory of all processes together,
 * sampled twice a second.
 *
 *   npm run bench -- large-subnetwork [S [EXAMPLES [THREADS [MODEL]]]]      default 42438 512 2; without MODEL one is trained for half a minute
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sampleMemory } from './process-memory.ts';
import { cli, sublace } from './sublace.ts';

interface FitResult {
  readonly phases: readonly {
    readonly phase: string;
    readonly seconds: number;
    readonly shardCount: number;
    readonly bytesPulled: number;
  }[];
  readonly manifest: {
    readonly effectiveDimension: number;
    readonly effectiveDimensionError: number;
    readonly logMarginalLikelihood: number;
    readonly files: readonly { readonly name: string; readonly bytes: number }[];
  };
}

/** Resident bytes of each role's processes. */
interface Sample {
  readonly atMs: number;
  readonly bytes: Readonly<Record<string, number>>;
}

const SAMPLE_MS = 500;
const ROLES = ['cli', 'coordinator', 'worker'] as const;

/**
 * Fits once and prints a table.
 *
 * @param args  S, number of examples, threads of the worker, folder of a model.
 */
export async function largeSubnetwork([size = '42438', examples = '512', threads = '2', given]: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sublace-bench-'));
  try {
    const model = given ?? join(folder, 'model');
    if (given === undefined) {
      const training = ['--epochs', '2', '--validation-fraction', '0.1', '--threads', threads];
      sublace('train', '--data', 'cifar10?limit=256', '--arch', 'resnet18', ...training, '--out', model);
    }
    const options = ['--model', model, '--data', `cifar10?limit=${examples}`, '--validation', 'none', '--subnetwork', `random:${size}`];
    const place = ['--prior-precision', '1', '--workers', '1', '--threads', threads, '--out', join(folder, 'posterior')];
    const { result, samples } = await watchedFit([...options, ...place]);
    console.log(
      `ResNet-18, S = ${size}, ${examples} examples, 1 worker with ${threads} threads; memory in GB, the largest at any one time\n`,
    );
    console.log(row(['phase', 'seconds', 'tasks', 'GB moved', 'memory', ...ROLES]));
    let endMs = samples.at(-1)?.atMs ?? 0;
    const lines = result.phases.toReversed().map(({ phase, seconds, shardCount, bytesPulled }) => {
      const startMs = endMs - 1000 * seconds;
      const during = samples.filter(({ atMs }) => atMs >= startMs && atMs <= endMs);
      endMs = startMs;
      return row([phase, seconds.toFixed(1), String(shardCount), gigabytes(bytesPulled), ...peaksOf(during)]);
    });
    console.log(lines.toReversed().join('\n'));
    console.log(row(['whole', result.phases.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(1), '', '', ...peaksOf(samples)]));
    const { effectiveDimension, effectiveDimensionError, logMarginalLikelihood, files } = result.manifest;
    console.log(`\neffective dimension ${effectiveDimension.toFixed(1)} +- ${effectiveDimensionError.toFixed(1)}`);
    console.log(`log marginal likelihood ${logMarginalLikelihood.toFixed(1)}`);
    const startMs = performance.now();
    const held = ['--data', 'cifar10?split=test&limit=16', '--posterior', join(folder, 'posterior')];
    const { scores } = sublace<{ scores: readonly { predictor: string; nll: number }[] }>('evaluate', ...held);
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    console.log(
      `opened, and 16 predictions, in ${seconds} s: NLL ${scores.map(({ predictor, nll }) => `${nll.toFixed(3)} (${predictor})`).join(', ')}`,
    );
    console.log(`artifact ${(files.reduce((sum, { bytes }) => sum + bytes, 0) / 1e9).toFixed(2)} GB`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs a fit and watches the memory of every process of it. */
async function watchedFit(args: readonly string[]): Promise<{ result: FitResult; samples: Sample[] }> {
  const child = spawn(process.execPath, [cli, 'fit', ...args, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const samples: Sample[] = [];
  const timer = setInterval(() => {
    const bytes: Record<string, number> = {};
    for (const process of sampleMemory(child.pid ?? 0)) {
      // The last of the paths is the entry point; one that it imports first may belong to another app.
      const role = [...process.command.matchAll(/apps\/(\w+)\//g)].at(-1)?.[1] ?? 'other';
      bytes[role] = (bytes[role] ?? 0) + process.bytes;
    }
    samples.push({ atMs: performance.now(), bytes });
  }, SAMPLE_MS);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearInterval(timer);
  if (status !== 0) throw new Error(`fit: expected exit code 0, got ${status}`);
  return { result: JSON.parse(output) as FitResult, samples };
}

/** The largest sum over all processes, then the largest of each role. */
function peaksOf(samples: readonly Sample[]): string[] {
  const largest = (of: (bytes: Sample['bytes']) => number): string => gigabytes(Math.max(0, ...samples.map(({ bytes }) => of(bytes))));
  const whole = largest((bytes) => Object.values(bytes).reduce((sum, part) => sum + part, 0));
  return [whole, ...ROLES.map((role) => largest((bytes) => bytes[role] ?? 0))];
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(2);
}

function row([first, ...others]: readonly string[]): string {
  return first.padEnd(12) + others.map((cell) => cell.padStart(12)).join('');
}
