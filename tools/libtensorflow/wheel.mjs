/** Route 2: the addon compiled against the libraries in TensorFlow's Python wheel, kept in the user's cache. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isAlive } from '../setup/lock.mjs';
import { cache, root } from '../setup/paths.mjs';

const here = dirname(fileURLToPath(import.meta.url));

function requirementsOf(variant) {
  return join(here, `requirements-${variant}.txt`);
}

/** The one line of a program's complaint that says what is wrong. */
function reason(stderr) {
  const lines = stderr.trim().split('\n');
  if (stderr.includes('DO NOT MATCH THE HASHES')) {
    const pick = (word) => lines.find((line) => line.trim().startsWith(word))?.trim() ?? '';
    return `a download does not have the recorded hash: ${pick('Expected')}, ${pick('Got')}`.replace(/\s+/g, ' ');
  }
  return (lines.find((line) => /\berror:/i.test(line)) ?? lines.at(-1)).trim();
}

function run(command, args, hint) {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (result.error?.code === 'ENOENT') throw new Error(`${command} not found; ${hint}`);
  if (result.signal === 'SIGINT' || /cancelled by user|KeyboardInterrupt/.test(result.stderr)) throw new Error('interrupted');
  if (result.status !== 0) throw new Error(`${command} failed: ${reason(result.stderr) || `exit code ${result.status}`}`);
}

/** Removes what a build that was killed has left. */
function removeAbandoned() {
  for (const name of readdirSync(cache)) {
    const pid = Number(/^building-(\d+)-/.exec(name)?.[1]);
    if (pid && !isAlive(pid)) rmSync(join(cache, name), { recursive: true, force: true });
  }
}

function download(requirements, wheels) {
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const tags = ['manylinux_2_28', 'manylinux_2_27', 'manylinux_2_17', 'manylinux2014', 'manylinux_2_12', 'manylinux2010'];
  const platforms = tags.flatMap((tag) => ['--platform', `${tag}_${machine}`]);
  const python = ['--python-version', '3.12', '--implementation', 'cp', '--only-binary=:all:', '--no-deps'];
  const quiet = ['--quiet', '--disable-pip-version-check', '--no-input'];
  run(
    'python3',
    ['-m', 'pip', 'download', ...quiet, ...python, ...platforms, '--require-hashes', '-r', requirements, '-d', wheels],
    'install python3 with pip',
  );
}

function compile(addonPackage, unpacked) {
  const include = [join(unpacked, 'tensorflow', 'include'), join(root, 'node_modules', 'node-api-headers', 'include'), addonPackage];
  const sources = ['tfjs_backend.cc', 'tfjs_binding.cc'].map((file) => join(addonPackage, 'binding', file));
  const options = ['-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8', ...include.flatMap((folder) => ['-I', folder]), ...sources];
  // The libraries find each other, CUDA's included, by the paths relative to themselves that the wheel gives them.
  const libraries = [
    '-L',
    join(unpacked, 'tensorflow'),
    '-l:libtensorflow_cc.so.2',
    '-l:libtensorflow_framework.so.2',
    '-Wl,-rpath,$ORIGIN/tensorflow',
  ];
  run('g++', [...options, ...libraries, '-o', join(unpacked, 'tfjs_binding.node')], 'install g++');
}

/**
 * Where the addon is, or will be once it is built.
 *
 * @param {object} options
 * @param {string} options.addonPackage  Folder of @tensorflow/tfjs-node-gpu.
 * @param {'cpu' | 'gpu'} options.variant  Which wheels.
 * @returns {{ binding: string, version: string }}  Path of tfjs_binding.node, version of TensorFlow.
 */
export function builtBinding({ addonPackage, variant }) {
  const version = /^tensorflow[-a-z]*==([\d.]+)/m.exec(readFileSync(requirementsOf(variant), 'utf8'))[1];
  const addonVersion = JSON.parse(readFileSync(join(addonPackage, 'package.json'), 'utf8')).version;
  const folder = join(cache, `libtensorflow-${version}-addon-${addonVersion}-${process.arch}-${variant}`);
  return { binding: join(folder, 'tfjs_binding.node'), version };
}

/**
 * Builds (once per version and variant) the addon and the libraries that it needs.
 *
 * pip checks every wheel against the hash in requirements-<variant>.txt. The work is done in a temporary folder and renamed at the end, so
 * an interrupted build leaves nothing that looks finished; of two builds at the same time, the first to end is kept.
 *
 * @param {object} options
 * @param {string} options.addonPackage  Folder of @tensorflow/tfjs-node-gpu, whose two C++ files are compiled.
 * @param {'cpu' | 'gpu'} options.variant  Which wheels to use.
 * @param {(line: string) => void} options.say  Told, in one line, what is being installed.
 * @returns {string}  Path of tfjs_binding.node.
 * @throws {Error} when pip, g++ or the download fails: what is missing and what to install; 'interrupted' on Ctrl-C.
 */
export function buildFromWheel({ addonPackage, variant, say }) {
  const { binding, version } = builtBinding({ addonPackage, variant });
  if (existsSync(binding)) return binding;

  if (process.platform !== 'linux') throw new Error(`expected Linux, got ${process.platform}`);
  // Asked for before the download, which takes longer.
  if (spawnSync('python3', ['-m', 'pip', '--version']).status !== 0)
    throw new Error('python3 with pip not found; install python3 with pip');
  run('g++', ['--version'], 'install g++');

  const size = variant === 'gpu' ? '3 GB, a few minutes' : '270 MB, about a minute';
  say(
    `installing the TensorFlow ${version} runtime${variant === 'gpu' ? ' for the GPU' : ''} from its Python wheel and compiling its addon (${size}) ...`,
  );
  mkdirSync(cache, { recursive: true });
  removeAbandoned();
  const work = mkdtempSync(join(cache, `building-${process.pid}-`));
  try {
    const wheels = join(work, 'wheels');
    const unpacked = join(work, 'unpacked');
    download(requirementsOf(variant), wheels);
    for (const wheel of readdirSync(wheels)) {
      run('python3', [join(here, 'unpack.py'), join(wheels, wheel), unpacked], 'install python3');
      rmSync(join(wheels, wheel));
    }
    compile(addonPackage, unpacked);
    rmSync(join(unpacked, 'tensorflow', 'include'), { recursive: true });
    try {
      renameSync(unpacked, dirname(binding));
    } catch (error) {
      if (!existsSync(binding)) throw error;
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return binding;
}
