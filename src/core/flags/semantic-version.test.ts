import { expect, test } from 'vitest';
import { compareVersions, parseVersion } from './semantic-version.ts';

/** The order of semver.org, section 11, and of what flagd takes for a version beside that. */
const ASCENDING = [
  '0.9.9',
  '1.0.0-alpha',
  '1.0.0-alpha.1',
  '1.0.0-alpha.beta',
  '1.0.0-beta',
  '1.0.0-beta.2',
  '1.0.0-beta.11',
  '1.0.0-rc.1',
  'v1',
  '1.0.1',
  'V1.2',
  '1.10.0',
];

test('versions are ordered', () => {
  for (const [low, one] of ASCENDING.entries()) {
    for (const [high, other] of ASCENDING.entries()) {
      const [left, right] = [parseVersion(one), parseVersion(other)];
      if (left === undefined || right === undefined) throw new Error(`${one} or ${other} is no version`);
      expect(Math.sign(compareVersions(left, right)), `${one} and ${other}`).toBe(Math.sign(low - high));
    }
  }
});

test.each([
  '2.0.0.0',
  'not-a-version',
  '',
  '1.',
  '1.2.03',
  '1.0.0-01',
  '1.0.0-',
  'vv1',
  '1.2-alpha',
  '-1',
  `1.0.${'9'.repeat(300)}`,
])('%j is no version', (text) => {
  expect(parseVersion(text)).toBeUndefined();
});

test('what stands after + does not count', () => {
  expect(parseVersion('1.0.0+build.7')).toEqual(parseVersion('1.0.0'));
});
