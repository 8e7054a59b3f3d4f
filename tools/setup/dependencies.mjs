/** `npm ci` when node_modules does not match the lock file. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

function packagesOf(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {};
}

/**
 * Whether node_modules holds every package of the lock file at its version. npm writes node_modules/.package-lock.json at the very end of an
 * install, so an interrupted one does not match. Optional packages are for other platforms, except the one that carries this platform's Node.
 */
function isInstalled() {
  const locked = packagesOf(join(root, 'package-lock.json'));
  const installed = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  const node = `node_modules/node-${process.platform}-${process.arch}`;
  return Object.entries(locked).every(([path, entry]) => {
    if (!path.includes('node_modules/') || (entry.optional && path !== node)) return true;
    const found = installed[path];
    return found !== undefined && found.version === entry.version && found.link === entry.link;
  });
}

/**
 * Installs the npm dependencies exactly as locked, when they are not.
 *
 * Install scripts are off: the only one that matters (tfjs-node-gpu's) downloads a library that tools/libtensorflow brings instead.
 *
 * @throws {Error} when npm fails; npm's own output has been shown.
 */
export function ensureDependencies() {
  if (isInstalled()) return;
  console.error('setup: installing npm packages (about a minute) ...');
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (npm.signal || npm.status === 130) throw new Error('interrupted');
  if (npm.error || npm.status !== 0)
    throw new Error(`npm ci failed (${npm.error?.message ?? `exit code ${npm.status}`}); see npm's message above`);
}
