import { parseArgs } from 'node:util';
import type { Effort } from './measure.ts';

/** What a run of the bench is told. */
export interface ServingBenchOptions {
  /** Parts to run; empty for those that measure speed. */
  readonly parts: readonly string[];
  /** Folder of a posterior; LeNet-5 with S = 1,000 when absent. */
  readonly posterior: string | undefined;
  readonly effort: Effort;
  /** Of the soak, s. */
  readonly seconds: number;
  /** Threads of the servers' tensor runtime; theirs when absent. */
  readonly threads: number | undefined;
  /** Prints JSON alone, for the caller to read. */
  readonly isJson: boolean;
  /** Where results are kept; nowhere when absent. */
  readonly out: string | undefined;
}

/** How it is called. */
export const USAGE =
  'npm run bench:serving -- [uncertainty | no-op | batching | overload | hang-ups | restart | soak ...] [--posterior DIR] [--window SECONDS] [--rounds COUNT] [--seconds SECONDS] [--threads COUNT] [--out DIR] [--json]';

/**
 * Reads the command line.
 *
 * @param args  After `serving`.
 * @param known  Names of parts.
 * @returns  Complete options.
 * @throws {Error} with the usage for a line that cannot be understood.
 */
export function readServingOptions(args: readonly string[], known: readonly string[]): ServingBenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      posterior: { type: 'string' },
      window: { type: 'string', default: '3' },
      rounds: { type: 'string', default: '8' },
      seconds: { type: 'string', default: '900' },
      threads: { type: 'string' },
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`expected some of ${known.join(', ')}, got '${unknown}'; ${USAGE}`);
  return {
    parts: positionals,
    posterior: values.posterior,
    effort: { windowMs: 1000 * positive('--window', values.window), warmUpMs: 300, roundsMax: positive('--rounds', values.rounds) },
    seconds: positive('--seconds', values.seconds),
    threads: values.threads === undefined ? undefined : positive('--threads', values.threads),
    isJson: values.json,
    out: values.out,
  };
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${flag}: expected a positive number, got '${text}'; ${USAGE}`);
  return value;
}
