import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { storableJson } from './storable-json.ts';

test.each([
  ['the character 0', JSON.stringify('a\u0000b'), '"a\uFFFDb"'],
  ['half of a pair', JSON.stringify('a\ud800b\udfff'), '"a\uFFFDb\uFFFD"'],
  ['a backslash before what looks like one', JSON.stringify('\\u0000 \\\\ud800'), JSON.stringify('\\u0000 \\\\ud800')],
  ['whole pairs and other escapes', JSON.stringify('😀\u0001\n"\u00e4'), JSON.stringify('😀\u0001\n"\u00e4')],
])('%s', (_what, json, expected) => {
  expect(storableJson(json)).toBe(expected);
});

test('any text stays JSON, with those characters replaced and no others', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary-ascii' }), (key, value) => {
      const broken = { [key]: `${value}\ud800`, [`\u0000${value}`]: [key.slice(0, 1)] };
      const expected: unknown = JSON.parse(JSON.stringify(broken), (_key, each: unknown) =>
        typeof each === 'string' ? each.toWellFormed().replaceAll('\u0000', '\uFFFD') : each,
      );
      const names = Object.keys(Object(expected)).map((name) => name.toWellFormed().replaceAll('\u0000', '\uFFFD'));
      const stored: unknown = JSON.parse(storableJson(JSON.stringify(broken)));
      expect(Object.values(Object(stored))).toEqual(Object.values(Object(expected)));
      expect(Object.keys(Object(stored))).toEqual(names);
    }),
    { seed: 20_261_122 },
  );
});
