/** Where things are: the workspace, the user's cache, the pinned Node. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The workspace root. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** The user's cache folder for sublace: `SUBLACE_CACHE`, else `$XDG_CACHE_HOME/sublace`, else `~/.cache/sublace`. */
export const cache = process.env.SUBLACE_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'sublace');

/**
 * The Node that the lock file pins (an npm package that carries the binary), or the running one where there is no such package for
 * this platform.
 */
export function pinnedNode() {
  const binary = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  return existsSync(binary) ? binary : process.execPath;
}
