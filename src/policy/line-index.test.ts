import { expect, it } from 'vitest';
import { indexLines, placeOf } from './line-index.ts';

it.each([
  [0, '1:1'],
  [1, '1:2'],
  [2, '1:3'],
  [3, '2:1'],
  [4, '3:1'],
  [5, '3:2'],
  [7, '4:1'],
])('offset %i is at %s', (offset, expected) => {
  const { line, column } = placeOf(indexLines('ab\n\nc\r\n'), offset);
  expect(`${line}:${column}`).toBe(expected);
});
