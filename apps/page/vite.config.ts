import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Served at `/`, or by a proxy under any path.
  base: './',
  build: {
    outDir: 'dist',
    target: 'es2023',
    // The content security policy of the server allows files only, and a page of this size needs no preloading.
    assetsInlineLimit: 0,
    modulePreload: false,
  },
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  test: { name: '@sublace/page', include: ['src/**/*.spec.ts'], environment: 'node' },
});
