/** The slow lane: real Envoys, real processes, outages, one test after the other. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/envoy/**/*.test.ts', 'test/redis/outage.test.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 600_000,
  },
});
