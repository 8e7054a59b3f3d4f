/**
 * Compares every quantity of every reference case (float64 results of laplace-torch) with sublace's, prints a table, and exits 1 on a miss.
 *
 *   SUBLACE_REFERENCE_DIR   folder of cases; default ../shared/reference beside the checkout
 */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { startBackend } from '@sublace/backend';
import { checkCase, type Comparison } from './check-case.ts';

const root = resolve(import.meta.dirname, '..', '..');
const configured = process.env['SUBLACE_REFERENCE_DIR'];
const folder = configured ?? join(process.env['SUBLACE_SHARED'] ?? join(root, '..', 'shared'), 'reference');

if (!existsSync(folder)) {
  console.log(`parity: skipped: needs the reference cases in ${configured ?? '../shared/reference'} (set SUBLACE_REFERENCE_DIR)`);
  process.exit(configured ? 1 : 0);
}
const cases = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'case.json')));
if (cases.length === 0) {
  console.error(`parity: expected folders with case.json in ${folder}, got none`);
  process.exit(1);
}

const backend = await startBackend();
console.log(`parity: ${cases.length} cases, ${backend.name} ${backend.version} on ${backend.device}\n`);
const row = (name: string, quantity: string, error: string, limit: string, verdict: string): string =>
  `${name.padEnd(36)} ${quantity.padEnd(34)} ${error.padStart(9)} ${limit.padStart(8)}  ${verdict}`;
console.log(row('case', 'quantity', 'error', 'limit', ''));

const misses: Comparison[] = [];
let count = 0;
for (const name of cases.sort()) {
  for (const comparison of await checkCase(join(folder, name))) {
    const isWithin = comparison.error <= comparison.limit;
    if (!isWithin) misses.push(comparison);
    count++;
    console.log(
      row(name, comparison.quantity, comparison.error.toExponential(1), comparison.limit.toExponential(0), isWithin ? 'ok' : 'MISS'),
    );
  }
}
console.log(`\nparity: ${count - misses.length} of ${count} quantities within their limits`);
process.exit(misses.length > 0 ? 1 : 0);
