/**
 * The native TensorFlow runtime of @tensorflow/tfjs-node-gpu, in the user's cache and linked into node_modules.
 *
 * Three routes, first that works: (1) the package's own download, where its host answers and the GPU, if any, is one that its CUDA 11.2
 * build knows; (2) its addon compiled here against the libraries of TensorFlow's Python wheel; (3) none, and sublace falls back to
 * WebAssembly. docs/adr/0002-native-runtime.md says why.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { cache, pinnedNode, root } from '../setup/paths.mjs';
import { downloadOfficial } from './official.mjs';
import { buildFromWheel, builtBinding } from './wheel.mjs';

const addonPackage = join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
const addon = join(addonPackage, 'lib', 'napi-v8', 'tfjs_binding.node');

/** True when a fresh process of the pinned Node can load the addon and multiply two matrices. */
function loads() {
  const probe = join(root, 'tools', 'libtensorflow', 'probe.cjs');
  return spawnSync(pinnedNode(), [probe], { cwd: root, stdio: 'ignore', env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' } }).status === 0;
}

/** Compute capability of the first GPU, for example 9.0, or undefined without one. */
function computeCapability() {
  const run = spawnSync('nvidia-smi', ['--query-gpu=compute_cap', '--format=csv,noheader'], { encoding: 'utf8' });
  const capability = run.status === 0 ? Number.parseFloat(run.stdout) : Number.NaN;
  return Number.isFinite(capability) ? capability : undefined;
}

/** Puts a link where the package looks for its addon; another set-up at the same time sees the old one or the new one. */
function link(target) {
  mkdirSync(dirname(addon), { recursive: true });
  const temporary = `${addon}.${process.pid}`;
  rmSync(temporary, { force: true });
  symlinkSync(target, temporary);
  renameSync(temporary, addon);
}

/** A failure is remembered for a day, so that not every command tries again; `npm run setup` does. */
const note = join(cache, 'runtime-failed.txt');
const RETRY_AFTER_MS = 24 * 3600 * 1000;

function hasFailedLately() {
  return existsSync(note) && Date.now() - statSync(note).mtimeMs < RETRY_AFTER_MS;
}

function forgetFailure() {
  rmSync(note, { force: true });
}

/**
 * Makes the native runtime loadable, or says in one line that WebAssembly will be used. Does nothing when it already is.
 * `SUBLACE_RUNTIME=wasm` skips the native runtime; `official` or `wheel` pins one route.
 *
 * @param {object} options
 * @param {boolean} options.again  Try even when it failed within the last day.
 * @throws {Error} 'interrupted' on Ctrl-C.
 */
export async function ensureRuntime({ again }) {
  const wanted = process.env.SUBLACE_RUNTIME ?? 'any';
  if (wanted === 'wasm') return;
  const capability = computeCapability();
  const variant = capability === undefined ? 'cpu' : 'gpu';
  const isLinked = existsSync(addon) && (!lstatSync(addon).isSymbolicLink() || readlinkSync(addon).includes(`-${variant}`));
  if (isLinked) return;
  const built = builtBinding({ addonPackage, variant }).binding;
  if (hasFailedLately() && !again && !existsSync(built)) {
    console.error(`setup: ${readFileSync(note, 'utf8')}`);
    return;
  }

  const reasons = [];
  if (wanted !== 'wheel' && !existsSync(built) && (capability === undefined || capability < 9)) {
    const failure = await downloadOfficial(addonPackage);
    if (!failure && loads()) return forgetFailure();
    reasons.push(`its own download: ${failure ?? 'was installed but does not load'}`);
    if (!failure) rmSync(join(addonPackage, 'lib'), { recursive: true, force: true });
  }
  if (wanted !== 'official') {
    try {
      link(buildFromWheel({ addonPackage, variant, say: (line) => console.error(`setup: ${line}`) }));
      if (loads()) return forgetFailure();
      reasons.push('built from the Python wheel: does not load');
    } catch (error) {
      if (error.message === 'interrupted') throw error;
      reasons.push(`built from the Python wheel: ${error.message}`);
    }
    rmSync(addon, { force: true });
  }
  const line = `no native TensorFlow runtime (${reasons.join('; ')}); using WebAssembly, several times slower; 'npm run setup' tries again`;
  console.error(`setup: ${line}`);
  try {
    mkdirSync(cache, { recursive: true });
    writeFileSync(note, line);
  } catch {
    // A cache that cannot be written: the next command tries again.
  }
}
