/**
 * The serving benchmark: load from another process on real serving processes, by REST and gRPC.
 *
 *   npm run bench:serving -- [PART...] [--posterior DIR] [--window SECONDS] [--rounds COUNT]
 */
import { thisMachine } from '../numerics/report/machine.ts';
import { batching } from './cases/batching.ts';
import { noOp } from './cases/no-op.ts';
import { uncertainty } from './cases/uncertainty.ts';
import { overload } from './reliability/overload.ts';
import { restart } from './reliability/restart.ts';
import { readServingOptions, type ServingBenchOptions } from './options.ts';
import { formatPart, isMet, type PartResult } from './report.ts';

/** Parts that measure speed; all of them run when none is named. */
const SPEED: Readonly<Record<string, (options: ServingBenchOptions) => Promise<PartResult>>> = {
  uncertainty,
  'no-op': noOp,
  batching,
};

/** Parts that are run by name: what a server bears. */
const RELIABILITY: typeof SPEED = { overload, restart };

const PARTS = { ...SPEED, ...RELIABILITY };

/**
 * Runs parts of the benchmark, prints their tables, and keeps them where `--out` says. A target that was missed makes the exit code 1.
 *
 * @param args  See `USAGE`.
 */
export async function serving(args: readonly string[]): Promise<void> {
  const options = readServingOptions(args, Object.keys(PARTS));
  const machine = thisMachine();
  const { cpu, cores, memoryGib, node, commit } = machine;
  console.log(`${cpu}, ${cores} cores, ${memoryGib} GiB, Node ${node}, commit ${commit}`);
  for (const name of options.parts.length > 0 ? options.parts : Object.keys(SPEED)) {
    const part = await PARTS[name](options);
    console.log(`\n${formatPart(part)}`);
    if (!part.targets.every(isMet)) process.exitCode = 1;
  }
}
