import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { coverage, statusOf } from '../tools/coverage.ts';
import type { PackDocument } from '../tools/packs.ts';
import { ROW_IDS, SYSTEMS } from '../tools/rows.ts';
import { rowsInTitles } from '../tools/test-titles.ts';

const ROOT = resolve(import.meta.dirname, '../..');

test('docs/coverage.md is what `npm run coverage:rows` writes', () => {
  expect(readFileSync(join(ROOT, 'docs/coverage.md'), 'utf8')).toBe(coverage(ROOT));
});

test('the 53 rows of the four runbooks are listed once each', () => {
  expect(SYSTEMS.map(({ pack, rows }) => [pack, rows.length])).toEqual([
    ['memento', 17],
    ['mem0-stack', 13],
    ['abathur', 10],
    ['memory-system', 13],
  ]);
  expect(ROW_IDS.size).toBe(53);
});

describe('the status of a row', () => {
  const row = { id: 'X1', capability: 'x', policy: 'needed' } as const;
  const ownDoing = { ...row, policy: 'none' } as const;
  const draft: PackDocument = {
    pack: 'x',
    file: 'x.draft.yaml',
    draft: true,
    kind: 'Drill',
    name: 'x',
    rows: [],
    body: {},
  };
  const loaded: PackDocument = { ...draft, file: 'x.yaml', draft: false };
  const tests = ['x.test.ts'];

  test.each([
    ['works with a loaded policy and a test', row, [loaded], tests, 'works'],
    ['is drafted without a test', row, [loaded], [], 'drafted'],
    ['is drafted while a part of it is a draft', row, [loaded, draft], tests, 'drafted'],
    ['is drafted with a draft only', row, [draft], tests, 'drafted'],
    ['is drafted with a test and no policy, if it needs one', row, [], tests, 'drafted'],
    ['works by its test alone, if it needs no policy', ownDoing, [], tests, 'works'],
    ['is missing without either', row, [], [], 'missing'],
    ["is revertd's own without a test, if it needs no policy", ownDoing, [], [], 'own'],
  ] as const)('%s', (_what, of, documents, files, status) => {
    expect(statusOf({ row: of, documents, tests: files })).toBe(status);
  });
});

describe('a test names a row', () => {
  test.each([
    ['in its title', `test('[X4] a flag goes off', () => {});`, ['X4']],
    ['in a title with several', `it('[X4] [X12] a flag goes off', () => {});`, ['X4', 'X12']],
    ['in the title of its group', `describe('[X4] flags', () => {});`, ['X4']],
    ['in the title of a table', 'test.each([1])(`[X4] ${way} of %s`, () => {});', ['X4']],
    ['not in a comment', `// [X4]\ntest('a flag goes off', () => {});`, []],
    ['not in what it works on', `test('a flag', () => { parse('[X4]'); });`, []],
    ['not when it is skipped', `test.skip('[X4] a flag', () => {});`, []],
    ['not when it is still to be written', `test.todo('[X4] a flag');`, []],
  ])('%s', (_where, text, rows) => {
    expect([...rowsInTitles('x.test.ts', text)]).toEqual(rows);
  });
});
