import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CaseFigures } from './figure.ts';
import type { Machine } from './machine.ts';
import { formatPart } from './table.ts';

/** A part that was measured. */
export interface PartResult {
  readonly title: string;
  readonly machine: Machine;
  readonly processes: number;
  readonly threads: number;
  readonly cases: readonly CaseFigures[];
}

/** Content of a results file: parts by name. Parts may be of different commits, since they can be measured one at a time. */
export type Results = Readonly<Record<string, PartResult>>;

/**
 * Name of the results of a machine on a day, without ending.
 *
 * @param machine  The machine.
 * @param day  The day, as 2026-11-25.
 * @returns  A file name.
 */
export function resultsName({ cpu, cores }: Machine, day: string): string {
  const model = cpu
    .replaceAll(/\((?:r|tm)\)|\b(?:cpu|processor)\b|@.*$/gi, ' ')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  return `${model}-${cores}-cores-${day}`;
}

/**
 * Results as Markdown.
 *
 * @param results  The results.
 * @returns  A heading and a table per part.
 */
export function formatResults(results: Results): string {
  const sections = Object.entries(results).map(([name, { title, machine, processes, threads, cases }]) => {
    const { cpu, cores, memoryGib, node, commit } = machine;
    const runtime = cases[0]?.runtime ?? 'none';
    const facts = `${cpu}, ${cores} cores, ${memoryGib} GiB, Node ${node}, ${runtime}, commit ${commit}; processes x threads: ${processes} x ${threads}`;
    return `## ${name}: ${title}\n\n${facts}\n\n${formatPart(cases)}\n`;
  });
  return `# Numerics benchmark\n\nMedian and quartiles of several repetitions. A floor is what the machine needs at the least, at rates measured in the same\nprocesses; "of floor" is 1 when nothing else takes time.\n\n${sections.join('\n')}`;
}

/**
 * Adds parts to the results of a machine and day, as JSON and as Markdown. Parts that are there already are replaced.
 *
 * @param folder  Where to; made if missing.
 * @param name  From {@link resultsName}.
 * @param parts  The parts.
 * @returns  Names of the files.
 */
export function writeResults(folder: string, name: string, parts: Results): string[] {
  mkdirSync(folder, { recursive: true });
  const [json, markdown] = [`${name}.json`, `${name}.md`];
  const path = join(folder, json);
  const before = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Results) : {};
  const results = { ...before, ...parts };
  writeFileSync(path, `${JSON.stringify(results, null, 1)}\n`);
  writeFileSync(join(folder, markdown), formatResults(results));
  return [json, markdown];
}
