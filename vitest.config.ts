import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/envoy/**', 'test/redis/outage.test.ts', '**/node_modules/**'],
    setupFiles: ['test/helpers/properties.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
