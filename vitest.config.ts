import { defineConfig } from 'vitest/config'
import { liveTests } from './test/lint/live-tests.js'
import { readSourceTree } from './test/lint/source-tree.js'

const live = liveTests(readSourceTree(import.meta.dirname))

export default defineConfig({
  test: {
    pool: 'forks',
    // What a file imports is loaded once in each process, not once more for each file: half of the time went there.
    isolate: false,
    // Most of what they do is to wait.
    maxWorkers: 3,
    expect: { poll: { timeout: 8000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['node_modules/**', 'test/fixtures/**', ...live],
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: live,
          globalSetup: ['test/harness/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
