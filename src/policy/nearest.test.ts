import { expect, it } from 'vitest';
import { nearest } from './nearest.ts';

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
  expect(nearest(word, candidates)).toBe(expected);
});
