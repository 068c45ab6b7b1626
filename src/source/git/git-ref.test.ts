import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { checkGitRef, isRefName } from './git-ref.ts';

/** Git itself is asked as well, so that the rules cannot drift from its own. */
const gitAllows = (name: string) => spawnSync('git', ['check-ref-format', '--branch', name]).status === 0;

test.each(['main', 'release/1.2', 'a.b', 'a]b', 'ä', 'a@b', 'x{1}', 'a-', 'HEADs', 'v1.0.0', '"quoted"', "a'b", 'a$b'])(
  '%s is a name',
  (name) => {
    expect(isRefName(name)).toBe(true);
    expect(gitAllows(name)).toBe(true);
  },
);

test.each([
  '',
  '-x',
  '--upload-pack=touch /tmp/x',
  '--upload-pack=x',
  'a b',
  'a..b',
  'a~1',
  'a^',
  'a:b',
  'a?',
  'a*',
  'a[b',
  'a\\b',
  '/a',
  'a/',
  'a//b',
  '.a',
  'a/.b',
  'a.',
  'a.lock',
  'a.lock/b',
  'a@{1',
  'a\tb',
  'a\u007f',
])('%j is none', (name) => {
  expect(isRefName(name)).toBe(false);
  expect(gitAllows(name)).toBe(false);
});

test('the abbreviation of HEAD is no name of a branch', () => {
  expect(isRefName('@')).toBe(false);
});

test.each([
  [{ branch: '--upload-pack=x' }, '"--upload-pack=x" cannot be the name of a branch'],
  [{ tag: '' }, '"" cannot be the name of a tag'],
  [{ commit: 'abc123' }, 'no whole SHA of 40 or 64 digits'],
  [{ commit: 'HEAD' }, 'no whole SHA'],
  [{ commit: 'A'.repeat(40) }, 'no whole SHA'],
])('%o is refused', (ref, message) => {
  expect(() => checkGitRef(ref)).toThrow(
    expect.objectContaining({ code: 'configuration', message: expect.stringContaining(message) }),
  );
});

test('whole SHAs of both kinds are commits', () => {
  expect(() => checkGitRef({ commit: 'a'.repeat(40) })).not.toThrow();
  expect(() => checkGitRef({ commit: '0'.repeat(64) })).not.toThrow();
});
