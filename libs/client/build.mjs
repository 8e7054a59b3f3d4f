/**
 * Makes the package that can be published: `dist/` with one module for browsers and Node, its declarations, README and licence.
 *
 *   cd libs/client && node build.mjs && npm pack ./dist
 *
 * Inside the workspace the library is imported from its sources, so what is published has a `package.json` of its own.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

rmSync(here('dist'), { recursive: true, force: true });

const { metafile } = await build({
  entryPoints: [here('src/index.ts')],
  outfile: here('dist/index.js'),
  bundle: true,
  platform: 'neutral', // an import of anything but its own files is an error
  format: 'esm',
  target: 'es2022',
  sourcemap: 'linked',
  metafile: true,
  logLevel: 'warning',
});

const declarations = [
  '--declaration',
  '--emitDeclarationOnly',
  '--composite',
  'false',
  '--incremental',
  'false',
  '--declarationMap',
  'false',
  '--rewriteRelativeImportExtensions',
];
const { status } = spawnSync(
  process.execPath,
  [here('../../node_modules/typescript/bin/tsc'), '-p', here('tsconfig.lib.json'), '--outDir', here('dist'), ...declarations],
  { stdio: 'inherit' },
);
if (status !== 0) process.exit(1);

const { name, version, description, type, license } = JSON.parse(readFileSync(here('package.json'), 'utf8'));
const published = {
  name,
  version,
  description,
  type,
  license,
  keywords: ['inference', 'kserve', 'open-inference-protocol', 'triton', 'uncertainty'],
  engines: { node: '>=20' },
  sideEffects: false,
  files: ['**/*.js', '**/*.js.map', '**/*.d.ts'],
  exports: { '.': { types: './index.d.ts', default: './index.js' }, './package.json': './package.json' },
};
writeFileSync(here('dist/package.json'), `${JSON.stringify(published, null, 2)}\n`);
copyFileSync(here('README.md'), here('dist/README.md'));
copyFileSync(here('../../LICENSE'), here('dist/LICENSE'));

const [bytes] = Object.values(metafile.outputs)
  .map((output) => output.bytes)
  .sort((a, b) => a - b);
console.log(`dist/index.js: ${(bytes / 1024).toFixed(0)} KiB`);
