import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const bench = fileURLToPath(new URL('../../../../tools/bench/run.ts', import.meta.url));

/** A check of the serving benchmark, as its JSON has it. */
export interface BenchCheck {
  readonly what: string;
  readonly figure: number;
  readonly limit: { readonly atMost?: number; readonly atLeast?: number };
}

/**
 * Runs one part of `npm run bench:serving` against a serving process of its own.
 *
 * @param part  Its name.
 * @param args  Options.
 * @returns  Its checks; those that speak of time mean nothing on a busy machine.
 * @throws Error with what it printed when it has no results.
 */
export async function runServingBench(part: string, ...args: string[]): Promise<BenchCheck[]> {
  const child = spawn(process.execPath, [bench, 'serving', part, '--json', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await once(child, 'close');
  const last = stdout.trim().split('\n').at(-1) ?? '';
  if (!last.startsWith('{')) throw new Error(`bench serving ${part}: expected JSON, got '${stdout}' and:\n${stderr}`);
  const { results } = JSON.parse(last) as { results: Record<string, { targets: BenchCheck[] }> };
  return results[part].targets;
}

/**
 * Checks that were not passed.
 *
 * @param checks  All.
 * @param about  Of which those count whose text it fits.
 * @returns  Their texts, with what was measured.
 */
export function missed(checks: readonly BenchCheck[], about: RegExp): string[] {
  return checks
    .filter(({ what }) => about.test(what))
    .filter(({ figure, limit: { atMost = Infinity, atLeast = -Infinity } }) => !(figure <= atMost && figure >= atLeast))
    .map(({ what, figure }) => `${what}: ${figure}`);
}
