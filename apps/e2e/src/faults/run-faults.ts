/**
 * `npm run test:faults`: every fault of the catalogue against clusters of real processes, as a table.
 *
 *   npm run test:faults                              all of them, both stores, 50 random schedules
 *   npm run test:faults -- --only 'zombie' --store redis
 *   npm run test:faults -- --only 'seed 17,' --seeds 17
 *
 * Writes out/faults/faults.json and faults.md, and the logs of every cluster in which a fault was not survived.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { lineOf, markdownOf, totalOf, type Row } from './table.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const FOLDER = join(ROOT, 'out', 'faults');
const ROWS = join(FOLDER, 'rows.jsonl');
const USAGE = 'usage: npm run test:faults -- [--seeds COUNT] [--only REGEXP] [--store embedded|redis] [--quick] [--at-once COUNT]';

const say = (text: string): unknown => process.stdout.write(`${text}\n`);
const complain = (text: string): unknown => process.stderr.write(`${text}\n`);

async function main(): Promise<number> {
  const { seeds, only, store, quick, atOnce } = readArguments();
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const env = {
    ...process.env,
    SUBLACE_FAULTS: quick ? 'quick' : 'all',
    SUBLACE_FAULTS_SEEDS: seeds,
    SUBLACE_FAULTS_ONLY: only,
    SUBLACE_FAULTS_STORE: store,
    SUBLACE_FAULTS_CONCURRENCY: atOnce,
    SUBLACE_FAULTS_ROWS: ROWS,
    SUBLACE_FAULTS_LOGS: join(FOLDER, 'logs'),
  };
  const args = [
    join(ROOT, 'node_modules', '.bin', 'vitest'),
    'run',
    '--root',
    join(ROOT, 'apps', 'e2e'),
    'src/faults.spec.ts',
    '--reporter=dot',
  ];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => output.push(text.toString()));
  let shown = 0;
  const show = (): void => {
    const rows = readRows();
    for (const row of rows.slice(shown)) say(lineOf(row));
    shown = rows.length;
  };
  const timer = setInterval(show, 500);
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearInterval(timer);
  show();

  const rows = readRows();
  writeFileSync(join(FOLDER, 'faults.json'), `${JSON.stringify(rows, null, 2)}\n`);
  writeFileSync(join(FOLDER, 'faults.md'), markdownOf(rows));
  say(`\n${totalOf(rows)}; table: ${join(FOLDER, 'faults.md')}`);
  if (status !== 0 || rows.length === 0) {
    if (rows.every((row) => row.passed !== false)) complain(output.join(''));
    if (rows.length === 0) complain('test:faults: expected faults to be run, got none; check --only and --store');
    return 1;
  }
  return 0;
}

function readArguments(): { seeds: string; only: string; store: string; quick: boolean; atOnce: string } {
  const options = {
    seeds: { type: 'string', default: '50' },
    only: { type: 'string', default: '' },
    store: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
    'at-once': { type: 'string', default: String(Math.min(8, availableParallelism() + 1)) },
  } as const;
  try {
    const { values } = parseArgs({ options });
    for (const name of ['seeds', 'at-once'] as const)
      if (!/^\d+$/.test(values[name])) throw new Error(`--${name}: expected a count, got '${values[name]}'`);
    if (!['', 'embedded', 'redis'].includes(values.store)) throw new Error(`--store: expected embedded or redis, got '${values.store}'`);
    return { ...values, atOnce: values['at-once'] };
  } catch (error) {
    complain(`test:faults: ${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
}

/** Rows so far. The last line may be half written. */
function readRows(): Row[] {
  if (!existsSync(ROWS)) return [];
  const lines = readFileSync(ROWS, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Row);
}

process.exitCode = await main();
