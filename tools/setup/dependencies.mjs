/** `npm ci` when node_modules does not match the lock file. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

/**
 * Installs the npm dependencies exactly as locked, once per lock file.
 *
 * Install scripts are off: the only one that matters (tfjs-node-gpu's) downloads a library that tools/libtensorflow brings instead.
 *
 * @throws {Error} when npm fails; npm's own output has been shown.
 */
export function ensureDependencies() {
  const stamp = join(root, 'node_modules', '.sublace-dependencies');
  const lock = createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;

  console.error('setup: installing npm packages (about a minute) ...');
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (npm.error || npm.status !== 0) throw new Error(`npm ci failed (${npm.error?.message ?? `exit code ${npm.status}`}); see npm's message above`);
  writeFileSync(stamp, lock);
}
