import { defineConfig } from 'vitest/config';

export default defineConfig({
  // One file at a time: each starts processes that want every core.
  test: {
    name: '@sublace/e2e',
    include: ['src/**/*.spec.ts'],
    environment: 'node',
    testTimeout: 240_000,
    hookTimeout: 240_000,
    fileParallelism: false,
    // Of the tests that say they may run beside others.
    maxConcurrency: Number(process.env.SUBLACE_FAULTS_CONCURRENCY ?? 3),
  },
});
