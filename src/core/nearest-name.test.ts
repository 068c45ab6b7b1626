import { expect, it } from 'vitest';
import { nearestName } from './nearest-name.ts';

it.each([
  ['drft', ['drift', 'state'], 'drift'],
  ['naem', ['name', 'labels'], 'name'],
  ['DEFAULTVARIANT', ['defaultVariant', 'safeVariant'], 'defaultVariant'],
  ['default-variant', ['defaultVariant'], 'defaultVariant'],
  ['flag', ['Flag'], 'Flag'],
  ['owner', ['suspend', 'state'], undefined],
  ['x', ['y'], undefined],
  ['', ['a'], undefined],
  ['anything', [], undefined],
])('%s among %j', (word, candidates, expected) => {
  expect(nearestName(word, candidates)).toBe(expected);
});
