import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { name: '@sublace/reduction', include: ['src/**/*.spec.ts'], environment: 'node', testTimeout: 60_000, hookTimeout: 60_000 },
});
