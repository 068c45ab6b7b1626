import { defineConfig } from 'vitest/config';

/** The daemon is to live beside what it watches: neither do its tests take a whole machine. */
const MOST_WORKERS = 2;
const shared = { environment: 'node', maxWorkers: MOST_WORKERS } as const;
const oneByOne = { environment: 'node', maxWorkers: 1, fileParallelism: false } as const;

/**
 * Four suites, each after the other: `npm run check` runs `unit`; `npm test` adds `contract` and `e2e`; `.ci/run` adds
 * `root`, which `npm run test:root` runs on a systemd of its own.
 */
export default defineConfig({
  test: {
    maxWorkers: MOST_WORKERS,
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          // A test of this suite leaves nothing behind in its process, so that files can share what they import.
          isolate: false,
          include: ['src/**/*.test.ts', 'test/architecture/**/*.test.ts'],
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...shared,
          name: 'contract',
          include: ['test/contract/**/*.test.ts', 'test/explorer/**/*.test.ts'],
          testTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...oneByOne,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...oneByOne,
          name: 'root',
          // Cases that wait for real time wait beside each other.
          maxConcurrency: 16,
          include: ['test/root/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
