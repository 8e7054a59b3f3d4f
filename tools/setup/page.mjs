/** The page that the serving app offers at `/`: built by Vite from apps/page into apps/page/dist (not committed). */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pinnedNode, root } from './paths.mjs';

const page = join(root, 'apps', 'page');

/** What the page is made of, seen from its folder. */
const sources = ['index.html', 'package.json', 'vite.config.ts', 'src', join('..', '..', 'libs', 'client', 'src')];

/** Time of the newest file below a path; 0 where there is none. Specs are no part of the page. */
function newest(path) {
  const entry = statSync(path, { throwIfNoEntry: false });
  if (!entry) return 0;
  if (!entry.isDirectory()) return /\.spec\.tsx?$/.test(path) ? 0 : entry.mtimeMs;
  // The folder's own time tells of a file that was removed.
  return Math.max(entry.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/**
 * Whether a page is missing or older than its sources.
 *
 * @param {string} folder  Of the page.
 * @returns {boolean}  False also where there is no page to build, as in an image that holds the built one.
 */
export function needsBuild(folder) {
  if (!existsSync(join(folder, 'index.html'))) return false;
  const built = statSync(join(folder, 'dist', 'index.html'), { throwIfNoEntry: false })?.mtimeMs ?? -1;
  return built < Math.max(...sources.map((name) => newest(join(folder, name))));
}

/**
 * Builds the page when it is missing or older than its sources, which takes a second or two. Everything else works without it, so a failure is
 * told and not thrown.
 */
export function ensurePage() {
  if (!needsBuild(page)) return;
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const run = spawnSync(pinnedNode(), [vite, 'build', '--logLevel', 'error'], { cwd: page, encoding: 'utf8' });
  if (run.status !== 0) {
    const reason = (run.error?.message ?? run.stderr).trim();
    console.error(`setup: the page of the serving app could not be built, and / will only say so: ${reason}`);
  }
}
