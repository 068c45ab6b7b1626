import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CaseReport, runTestFile } from '../../test/conformance/run-file.ts';
import { FUNCTIONS } from './functions.ts';

const FOLDER = join(import.meta.dirname, '../../test/conformance/cases');
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.test'));
const contents = files.map((name) => readFileSync(join(FOLDER, name), 'utf8'));

function summary(reports: readonly CaseReport[]): string[] {
  return reports.map(
    ({ line, outcome }) => `${line} ${outcome.kind}${outcome.kind === 'passed' ? '' : `: ${outcome.reason}`}`,
  );
}

describe('the cases of this project', () => {
  it.each(files.map((name, i) => [name, contents[i] ?? ''] as const))('pass in %s', (_, content) => {
    const failed = runTestFile(content).filter(({ outcome }) => outcome.kind === 'failed');
    expect(summary(failed)).toStrictEqual([]);
  });

  it('cover every function that is evaluated', () => {
    const text = contents.join('\n');
    const known = Object.entries(FUNCTIONS).filter(([, signature]) => signature.unsupported === undefined);
    expect(known.map(([name]) => name).filter((name) => !text.includes(`${name}(`))).toStrictEqual([]);
  });

  it('cover every aggregation and binary operator', () => {
    const text = contents.join('\n');
    const aggregations = [
      'avg',
      'bottomk',
      'count',
      'count_values',
      'group',
      'max',
      'min',
      'quantile',
      'stddev',
      'stdvar',
    ];
    const operators = ['+', '-', '*', '/', '%', '^', 'atan2', '==', '!=', '>', '<', '>=', 'and', 'or', 'unless'];
    const missing = [...aggregations, 'sum', 'topk'].filter(
      (op) => !new RegExp(`\\b${op}(?: by| without|\\()`).test(text),
    );
    expect([...missing, ...operators.filter((op) => !text.includes(` ${op} `))]).toStrictEqual([]);
  });
});

describe('the runner', () => {
  const load = 'load 1m\n  m{a="1"} 1 2\n  h{a="1"} {{schema:0 count:1 sum:1}}x3\n\n';

  it.each([
    ['a wrong value', 'eval instant at 1m m\n  m{a="1"} 3', '5 failed: expected 3 for {__name__="m", a="1"}, got 2'],
    ['a series too many', 'eval instant at 1m m', '5 failed: unexpected {__name__="m", a="1"} 2'],
    ['a missing series', 'eval instant at 1m m{a="2"}\n  m{a="2"} 1', '5 failed: missing {__name__="m", a="2"}'],
    [
      'a missing failure',
      'eval instant at 1m m\n  expect fail\n  m{a="1"} 2',
      '5 failed: expected a failure, got none',
    ],
    [
      'a wrong message',
      'eval instant at 1m topk(NaN, m)\n  expect fail msg: no',
      '5 failed: failed with another message: Parameter value is NaN',
    ],
    [
      'a missing warning',
      'eval instant at 1m m\n  expect warn\n  m{a="1"} 2',
      '5 failed: expected the warning , got []',
    ],
    [
      'a wrong order',
      'eval instant at 1m sort(m or vector(9))\n  expect ordered\n  {} 9\n  m{a="1"} 2',
      '5 failed: expected {__name__="m", a="1"} at position 2, got it at 1',
    ],
    [
      'a wrong range',
      'eval range from 0 to 1m step 1m m\n  m{a="1"} 1',
      '5 failed: for {__name__="m", a="1"} expected 1@0, got 1@0 2@60000',
    ],
    [
      'what it does not understand',
      'eval instant at 1m m\n  expect nonsense',
      '5 failed: not understood: expect nonsense',
    ],
    ['native histograms in the data', 'eval instant at 1m h\n  h{a="1"} 1', '5 skipped: reads native histograms'],
    [
      'native histograms in the answer',
      'eval instant at 1m m\n  m{a="1"} {{count:1}}',
      '5 skipped: expects native histograms',
    ],
    [
      'out of scope functions',
      'eval instant at 1m limitk(1, m)\n  m{a="1"} 2',
      '5 skipped: out of scope: limitk() is not evaluated here',
    ],
    ['commands from elsewhere', 'frobnicate 1m\n  x 1', '5 skipped: not a command of the format'],
    ['old forms', 'eval_fail instant at 1m topk(NaN, m)\n  expected_fail_message Parameter value is NaN', '5 passed'],
  ])('reports %s', (_, block, expected) => {
    expect(summary(runTestFile(load + block))).toStrictEqual([expected]);
  });

  it('goes on after a series that it cannot read', () => {
    const text = 'load 1m\n  {oops 1\n  m 1\n  m@st 0s\n\neval instant at 0 m\n  m 1\n';
    expect(summary(runTestFile(text))).toStrictEqual([
      '1 skipped: series not read: expected = and a quoted value',
      '6 passed',
    ]);
  });

  it('starts anew after clear and goes on after a scalar', () => {
    const text = `${load}eval instant at 1m 2\n  2\neval instant at 1m 3\n  3\n\nclear\n\neval instant at 1m m\n`;
    expect(summary(runTestFile(text))).toStrictEqual(['5 passed', '7 passed', '12 passed']);
  });
});
