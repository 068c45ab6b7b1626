import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isRevisionPath } from '../policy/policy-paths.ts';
import { loadTests } from './load-tests.ts';
import { runTest } from './run-test.ts';

const PACKS = resolve(import.meta.dirname, '../../policies');

describe.each(readdirSync(PACKS))('the pack %s', (pack) => {
  const folder = join(PACKS, pack);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(isRevisionPath)
    .map((path) => ({ path, bytes: readFileSync(join(folder, path)) }));
  const { tests, diagnostics } = loadTests(files, { variables: {}, labels: {} });

  test('has tests without a fault', () => {
    expect(diagnostics).toEqual([]);
    expect(tests.length).toBeGreaterThan(0);
  });

  test.each(tests.map((one) => [one.name, one] as const))('passes %s', (_name, one) => {
    expect(runTest(one).failures).toEqual([]);
  });
});
