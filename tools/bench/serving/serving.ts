/**
 * The serving benchmark: load from another process on real serving processes, by REST and gRPC; and what a server bears.
 *
 *   npm run bench:serving -- [PART...] [--posterior DIR] [--window SECONDS] [--rounds COUNT]
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { thisMachine, type Machine } from '../numerics/report/machine.ts';
import { resultsName } from '../numerics/report/results.ts';
import { batching } from './cases/batching.ts';
import { noOp } from './cases/no-op.ts';
import { uncertainty } from './cases/uncertainty.ts';
import { readServingOptions, type ServingBenchOptions } from './options.ts';
import { hangUps } from './reliability/hang-ups.ts';
import { overload } from './reliability/overload.ts';
import { restart } from './reliability/restart.ts';
import { soak } from './reliability/soak.ts';
import { formatPart, isMet, type PartResult } from './report.ts';

type Part = (options: ServingBenchOptions) => Promise<PartResult>;

/** Parts that measure speed; all of them run when none is named. */
const SPEED: Readonly<Record<string, Part>> = { uncertainty, 'no-op': noOp, batching };

/** Parts that are run by name: what a server bears. */
const RELIABILITY: Readonly<Record<string, Part>> = { overload, 'hang-ups': hangUps, restart, soak };

const PARTS = { ...SPEED, ...RELIABILITY };

/**
 * Runs parts of the benchmark, prints their tables, and keeps them where `--out` says. A target that was missed makes the exit code 1.
 *
 * @param args  See `USAGE`.
 */
export async function serving(args: readonly string[]): Promise<void> {
  let options: ServingBenchOptions;
  try {
    options = readServingOptions(args, Object.keys(PARTS));
  } catch (error) {
    console.error(`bench serving: ${(error as Error).message}`);
    process.exitCode = 2;
    return;
  }
  // Every server of the run reads it.
  if (options.threads !== undefined) process.env['SUBLACE_SERVE_THREADS'] = String(options.threads);
  const machine = { ...thisMachine(), threads: process.env['SUBLACE_SERVE_THREADS'] ?? 'as the server chooses' };
  const heading = headingOf(machine);
  const results: Record<string, PartResult> = {};
  if (!options.isJson) console.log(heading);
  for (const name of options.parts.length > 0 ? options.parts : Object.keys(SPEED)) {
    const part = await PARTS[name](options);
    results[name] = part;
    if (!options.isJson) console.log(`\n${formatPart(part)}`);
    if (!part.targets.every(isMet)) process.exitCode = 1;
  }
  if (options.isJson) console.log(JSON.stringify({ machine, results }));
  if (options.out !== undefined) keep(options.out, machine, results);
}

/** Where and how a part was measured. */
type ServingMachine = Machine & { readonly threads: string };

function headingOf({ cpu, cores, memoryGib, node, commit, threads }: ServingMachine): string {
  return `${cpu}, ${cores} cores, ${memoryGib} GiB, Node ${node}, commit ${commit}; threads of the tensor runtime: ${threads}; load generator on the same machine`;
}

type KeptPart = PartResult & { readonly machine: ServingMachine };

function readResults(path: string): Record<string, KeptPart> {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, KeptPart>) : {};
}

/** One pair of files for a machine and a day, JSON and Markdown; a part that is measured again replaces its figures there. */
function keep(folder: string, machine: ServingMachine, results: Readonly<Record<string, PartResult>>): void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `serving-${resultsName(machine, new Date().toISOString().slice(0, 10))}`);
  const all: Record<string, KeptPart> = {
    ...readResults(`${path}.json`),
    ...Object.fromEntries(Object.entries(results).map(([name, part]) => [name, { machine, ...part }])),
  };
  writeFileSync(`${path}.json`, `${JSON.stringify(all, null, 1)}\n`);
  const sections = Object.values(all).map((part) => `${formatPart(part)}\n\n${headingOf(part.machine)}\n`);
  writeFileSync(`${path}.md`, `# Serving benchmark\n\n${sections.join('\n')}`);
}
