/**
 * Bundles one app with esbuild: the workspace's own code goes into one file per entry, npm packages stay outside.
 *
 *   cd apps/worker && node ../../tools/build/bundle.mjs src/main.ts [src/another-entry.ts ...]
 *
 * Every entry becomes dist/<name>.js. A bundle lies as deep in the workspace as the sources of a library (three folders down), so a path that
 * a library makes from `import.meta.url` to a file of the workspace means the same file in both.
 */
import { rmSync } from 'node:fs';
import { build } from 'esbuild';

const entryPoints = process.argv.slice(2);
if (entryPoints.length === 0) {
  console.error('bundle: expected entry points, got none; for example src/main.ts');
  process.exit(2);
}

/** npm packages are loaded from node_modules: some are native, some are CommonJS, and there must be one copy of tf.js. */
const npmPackagesOutside = {
  name: 'npm-packages-outside',
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === 'entry-point' || path.startsWith('@sublace/') ? undefined : { path, external: true },
    );
  },
};

rmSync('dist', { recursive: true, force: true });
const { metafile } = await build({
  entryPoints,
  outdir: 'dist',
  entryNames: '[name]',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  sourcemap: 'linked',
  metafile: true,
  logLevel: 'warning',
  plugins: [npmPackagesOutside],
});
for (const [file, { bytes }] of Object.entries(metafile.outputs))
  if (file.endsWith('.js')) console.log(`${file}: ${(bytes / 1024).toFixed(0)} KiB`);
