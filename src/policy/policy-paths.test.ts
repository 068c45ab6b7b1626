import { expect, test } from 'vitest';
import { byPath, isPolicyPath, isRevisionPath, isTemplatePath, isUndecodable } from './policy-paths.ts';

test.each(['a.yaml', 'a.yml', 'deep/er/a.yaml', 'draft.yaml', 'a.draft.b.yaml', 'with space.yaml', 'ä.yaml'])(
  '%s is loaded',
  (path) => {
    expect(isPolicyPath(path)).toBe(true);
  },
);

test.each([
  'a.draft.yaml',
  'a.draft.yml',
  '.a.yaml',
  '.github/workflow.yaml',
  'x/.hidden/a.yaml',
  'README.md',
  'a.yaml.bak',
  'a.YAML',
  'yaml',
])('%s is not', (path) => {
  expect(isPolicyPath(path)).toBe(false);
});

test.each(['templates/a.md', 'x/templates/a.txt'])('%s may be a template, and is part of the revision', (path) => {
  expect([isTemplatePath(path), isRevisionPath(path), isPolicyPath(path)]).toEqual([true, true, false]);
});

test.each(['a.md', 'templates/x/a.md', 'templates/a.html', '.x/templates/a.md', 'templates/.a.md', 'mytemplates/a.md'])(
  '%s is none',
  (path) => {
    expect([isTemplatePath(path), isRevisionPath(path)]).toEqual([false, false]);
  },
);

test('the order of files does not depend on the locale', () => {
  const paths = ['b', 'a/b', 'B', 'ä', 'a'].map((path) => ({ path }));
  expect(paths.sort(byPath).map(({ path }) => path)).toEqual(['B', 'a', 'a/b', 'b', 'ä']);
});

test('a name that was not UTF-8 is noticed', () => {
  expect(isUndecodable(Buffer.from([0x61, 0xff, 0x62]).toString())).toBe(true);
  expect(isUndecodable('ä.yaml')).toBe(false);
});
