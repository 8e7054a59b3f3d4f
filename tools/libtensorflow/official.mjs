/** Route 1: tfjs-node-gpu's own install script, when its download host answers. */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pinnedNode } from '../setup/paths.mjs';

/** The host that the package's install script downloads from; `TFJS_NODE_CDN_STORAGE` is the package's own switch for a mirror. */
const host = process.env.TFJS_NODE_CDN_STORAGE ?? 'https://storage.googleapis.com/';

/**
 * Runs the package's own download.
 *
 * @param {string} addonPackage  Folder of @tensorflow/tfjs-node-gpu.
 * @returns {Promise<string | undefined>}  Why it failed, or undefined when it ended well.
 */
export async function downloadOfficial(addonPackage) {
  try {
    await fetch(host, { method: 'HEAD', signal: AbortSignal.timeout(4000) });
  } catch {
    return 'its host does not answer';
  }
  console.error('setup: downloading the TensorFlow runtime of tfjs-node-gpu (about 350 MB) ...');
  const run = spawnSync(pinnedNode(), ['scripts/install.js', 'gpu', 'download'], {
    cwd: addonPackage,
    stdio: ['ignore', 2, 2],
    timeout: 600_000,
  });
  if (run.status === 0 && existsSync(join(addonPackage, 'lib'))) return undefined;
  for (const part of ['deps', 'lib']) rmSync(join(addonPackage, part), { recursive: true, force: true });
  return `its install script failed (${run.error?.message ?? `exit code ${run.status}`})`;
}
