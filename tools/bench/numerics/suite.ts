/**
 * The numerics benchmark: how fast the pieces of a fit and of a prediction are, beside what the machine could do at the best.
 *
 *   npm run bench -- [numerics] [PART...] [--quick]
 */
import { join, relative } from 'node:path';
import { PARTS } from './parts.ts';
import { PROBLEMS } from './problems/problems.ts';
import { joinProcesses, type CaseFigures } from './report/figure.ts';
import { thisMachine } from './report/machine.ts';
import { resultsName, writeResults, type PartResult } from './report/results.ts';
import { formatPart } from './report/table.ts';
import { runProcesses } from './run-processes.ts';

const root = join(import.meta.dirname, '..', '..', '..');

/**
 * Runs parts of the benchmark, prints their tables and writes the results: to `tools/bench/results`, or those of `--quick`, which are no measurements, to
 * `out/bench`. A check that does not pass makes the exit code 1.
 *
 * @param args  Names of parts, none for all; `--quick` for small sizes and few repetitions.
 */
export async function numerics(args: readonly string[]): Promise<void> {
  const isQuick = args.includes('--quick');
  const names = args.filter((arg) => arg !== '--quick');
  const unknown = names.find((name) => !Object.hasOwn(PARTS, name));
  if (unknown !== undefined) {
    console.error(`bench numerics: expected --quick and some of ${Object.keys(PARTS).join(', ')}, got '${unknown}'`);
    process.exitCode = 2;
    return;
  }
  const machine = thisMachine();
  console.log(`${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, Node ${machine.node}, commit ${machine.commit}`);
  if (isQuick) console.log('--quick: sizes are small, figures mean nothing');
  const name = resultsName(machine, new Date().toISOString().slice(0, 10));
  const folder = join(root, ...(isQuick ? ['out', 'bench', 'quick'] : ['tools', 'bench', 'results']));
  for (const partName of names.length > 0 ? names : Object.keys(PARTS)) {
    const { title, processes, threads, problems, cases: wanted } = PARTS[partName];
    console.log(`\n${partName}: ${title}; processes x threads: ${processes} x ${threads}\n`);
    for (const problem of problems) PROBLEMS[problem].prepare();
    const cases: CaseFigures[] = [];
    for (const caseName of Object.keys(wanted)) {
      cases.push(joinProcesses(caseName, await runProcesses(partName, caseName, { processes, isQuick })));
    }
    console.log(formatPart(cases));
    const result: PartResult = { title, machine, processes, threads, cases };
    const files = writeResults(folder, name, { [partName]: result });
    console.log(`\nin ${files.map((file) => relative(process.cwd(), join(folder, file))).join(' and ')}`);
    for (const failure of cases.flatMap(({ failures }) => failures)) {
      console.error(`bench ${partName}: ${failure}`);
      process.exitCode = 1;
    }
  }
}
