/**
 * `npm run lint`: ESLint on every project, the boundary fixtures, formatting, spelling, house rules. All of them run; the exit code is 1 when
 * any of them found something.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pinnedNode, root } from '../setup/paths.mjs';
import { checkFixtures } from './fixtures.mjs';
import { checkHouseRules } from './house-rules.mjs';

function program(name, ...args) {
  return () => spawnSync(pinnedNode(), [join(root, 'node_modules', '.bin', name), ...args], { cwd: root, stdio: 'inherit' }).status === 0;
}

function list(check) {
  return async () => {
    const problems = await check();
    for (const problem of problems) console.error(problem);
    return problems.length === 0;
  };
}

const steps = [
  ['eslint', program('nx', 'run-many', '-t', 'lint', '--outputStyle=stream')],
  ['project references', program('nx', 'sync:check')],
  ['boundary fixtures', list(checkFixtures)],
  ['prettier', program('prettier', '--check', '--log-level=warn', '.')],
  ['cspell', program('cspell', '--no-progress', '--no-summary', '--dot', '**')],
  ['house rules', list(checkHouseRules)],
];

const wanted = process.argv.slice(2);
let failed = 0;
for (const [name, step] of steps) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const passed = await step();
  console.log(`lint: ${passed ? 'ok    ' : 'FAILED'} ${name}`);
  if (!passed) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);
