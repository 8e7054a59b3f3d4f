import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: '@sublace/tools',
    include: ['**/*.spec.ts', '**/*.spec.mjs'],
    exclude: ['node_modules'],
    environment: 'node',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
