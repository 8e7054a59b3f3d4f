import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { openOutput } from '@sublace/artifact-store';
import { POSTERIOR_KIND, SEQUENCE_KIND } from '@sublace/pipeline';
import { addSecurityOptions, readSecurity } from '@sublace/roles';
import { dryRun } from '../fit/dry-run.ts';
import { addFitOptions, addOutputOptions, fitSpecOf, type FitFlags } from '../fit/fit-options.ts';
import { runFit } from '../fit/run-fit.ts';
import { phaseTable } from '../jobs/describe.ts';
import { count } from '../options.ts';
import { describePosterior } from '../posterior-report.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Options as commander delivers them. */
interface FitCommandFlags extends FitFlags {
  readonly out: string;
  readonly workers: number;
  readonly reducers: number;
  readonly threads: number;
  readonly coordinator?: string;
  readonly dryRun?: boolean;
}

/**
 * One thread per worker whatever the number of workers: the bits of a matrix product may depend on the threads that computed it, and the same
 * fit should give the same posterior with one worker or eight.
 */
const THREADS_DEFAULT = 1;
const WORKERS_DEFAULT = Math.min(4, availableParallelism());

async function fit(flags: FitCommandFlags, terminal: Terminal): Promise<void> {
  const spec = await fitSpecOf(flags, flags.out);
  await openOutput(spec.output).check({ overwrite: spec.overwrite, kind: [POSTERIOR_KIND, SEQUENCE_KIND] });
  const place =
    flags.coordinator === undefined
      ? { workerCount: flags.workers, reducerCount: flags.reducers, threads: flags.threads }
      : { coordinator: flags.coordinator, security: readSecurity({ ...flags }, process.env) };
  if (flags.dryRun === true) {
    await dryRun(spec, place, terminal);
    return;
  }
  const { jobId, phases, digest, posteriors } = await runFit(spec, place, terminal);
  const [{ manifest }] = posteriors;
  for (const note of manifest.model.notes ?? []) terminal.note(`model: ${note}`);
  const found = posteriors.length > 1 ? { posteriors } : { manifest };
  terminal.result({ output: spec.output, jobId, digest, phases, ...found }, () => {
    const texts = posteriors.map((each) => `${describePosterior(each.manifest)}\n\nposterior: ${each.folder}`);
    return [...texts, phaseTable(phases)].join('\n\n');
  });
}

/**
 * `sublace fit`: the posterior over a subnetwork, by a coordinator and workers on this machine or by a cluster that is there.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function fitCommand(terminal: () => Terminal): Command {
  const command = new Command('fit').description('choose a subnetwork of a trained model and compute its posterior');
  return addSecurityOptions(addOutputOptions(addFitOptions(command)), 'client')
    .option('--workers <count>', 'worker processes', count({ min: 1, max: 256 }), WORKERS_DEFAULT)
    .option('--reducers <count>', 'reducer processes that share the sums; 0: the coordinator sums', count({ min: 0, max: 64 }), 0)
    .option('--threads <count>', 'threads of one operation in each worker', count(), THREADS_DEFAULT)
    .option('--coordinator <address>', 'HOST:PORT of a coordinator that runs already, instead of starting one; SUBLACE_TOKEN: its token')
    .option('--dry-run', 'print the plan with estimated time and memory, measured with a few examples, and stop')
    .action((flags: FitCommandFlags) => fit(flags, terminal()));
}
