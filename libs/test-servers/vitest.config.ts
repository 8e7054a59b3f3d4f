import { defineConfig } from 'vitest/config';

// The first start may have to download or build a server.
export default defineConfig({
  test: { name: '@sublace/test-servers', include: ['src/**/*.spec.ts'], environment: 'node', testTimeout: 300_000, hookTimeout: 300_000 },
});
