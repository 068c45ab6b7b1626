import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../../core/model/step.ts';
import { tomlFormat } from './toml.ts';

const set = (text: string, entry: string, value: JsonValue) => tomlFormat.edit(text, [{ entry, value }]);
const FULL =
  'a = 1 # c\n[s.t]\nb = "x"\n"q.r" = {x = 1, y = [1, 2]}\nd.e = true\n\n# list\n[[arr]]\nn = 1\n[[arr]]\nn = 2\n';

it.each<[string, JsonValue | undefined]>([
  ['/a', 1],
  ['/s/t/b', 'x'],
  ['/s/t/q.r/y/1', 2],
  ['/s/t/d/e', true],
  ['/arr/1/n', 2],
  ['/arr', [{ n: 1 }, { n: 2 }]],
  ['/none', undefined],
])('reads %s', (entry, value) => {
  expect(tomlFormat.read(FULL, [entry]).get(entry)).toStrictEqual(value);
});

it('reads dates, and numbers that JSON has not, as they are written', () => {
  const text = 'd = 1979-05-27T07:32:00Z\nt = 07:32:00\ni = inf\n';
  expect(Object.fromEntries(tomlFormat.read(text, ['/d', '/t', '/i']))).toStrictEqual({
    '/d': '1979-05-27T07:32:00Z',
    '/t': '07:32:00',
    '/i': 'inf',
  });
});

it.each(['a = ', 'a = 1\na = 2\n', '[a]\n[a]\n', 'a = [1\n', '= 1\n'])('refuses %j', (text) => {
  expect(() => tomlFormat.read(text, ['/a'])).toThrow(expect.objectContaining({ code: 'syntax' }));
});

describe('the least edit', () => {
  it.each<[string, string, string, JsonValue, string]>([
    ['a value, with its comment', FULL, '/a', 2, FULL.replace('a = 1', 'a = 2')],
    ['in a table', FULL, '/s/t/b', 'y', FULL.replace('"x"', '"y"')],
    ['in an inline table', FULL, '/s/t/q.r/x', 5, FULL.replace('x = 1', 'x = 5')],
    ['an item of a list', FULL, '/s/t/q.r/y/0', 7, FULL.replace('[1, 2]', '[7, 2]')],
    ['a dotted key', FULL, '/s/t/d/e', false, FULL.replace('d.e = true', 'd.e = false')],
    ['a table of a list', FULL, '/arr/1/n', 3, FULL.replace('n = 2', 'n = 3')],
    ['a float stays one', 'a = 1.5\n', '/a', 2, 'a = 2.0\n'],
    ['literal quotes', "a = 'x'\n", '/a', 'c:\\y', "a = 'c:\\y'\n"],
    ['literal quotes cannot hold one', "a = 'x'\n", '/a', "it's", 'a = "it\'s"\n'],
    ['nothing to do', 'a   =  1\n', '/a', 1, 'a   =  1\n'],
    ['added to the top', FULL, '/z', [1, 'b'], FULL.replace('# c\n', '# c\nz = [1, "b"]\n')],
    ['added to a table', FULL, '/s/t/z', { k: 1 }, FULL.replace('d.e = true\n', 'd.e = true\nz = { k = 1 }\n')],
    ['added beside a dotted key', FULL, '/s/t/d/f', 1, FULL.replace('d.e = true\n', 'd.e = true\nd.f = 1\n')],
    ['added to an inline table', FULL, '/s/t/q.r/z', 1, FULL.replace('y = [1, 2]', 'y = [1, 2], z = 1')],
    ['added to a table of a list', FULL, '/arr/0/m', 1, FULL.replace('n = 1\n', 'n = 1\nm = 1\n')],
    ['a new table', 'a = 1\n', '/x/y/z', true, 'a = 1\n\n[x.y]\nz = true\n'],
    ['before the first table', '# file\n\n# s\n[s]\nb = 1\n', '/a', 1, '# file\n\na = 1\n\n# s\n[s]\nb = 1\n'],
    ['to nothing', '', '/a', 1, 'a = 1\n'],
    ['CRLF', 'a = 1\r\n', '/b', 2, 'a = 1\r\nb = 2\r\n'],
    ['no final newline', '[s]\na = 1', '/s/b', 2, '[s]\na = 1\nb = 2'],
    ['to an empty table', '[s]\n[t]\n', '/s/b', 2, '[s]\nb = 2\n[t]\n'],
    ['with an indentation', '[s]\n  a = 1\n', '/s/b', 2, '[s]\n  a = 1\n  b = 2\n'],
  ])('%s', (_, text, entry, value, expected) => {
    expect(set(text, entry, value)).toBe(expected);
  });

  it.each<[string, string, JsonValue, string]>([
    ['a = 1\n', '/a/b', 1, 'blockedPath'],
    ['[s]\na = 1\n', '/s', 1, 'blockedPath'],
    ['a = [1]\n', '/a/1', 2, 'blockedPath'],
    ['a = 1\n', '/a', null, 'badValue'],
    ['a = "x"\n', '/a', '\ud800', 'badValue'],
    ['a = 1\n', '', 1, 'blockedPath'],
  ])('refuses %j at %s', (text, entry, value, code) => {
    expect(() => set(text, entry, value)).toThrow(expect.objectContaining({ code }));
  });
});

it.each<[string, string]>([
  ['/a', FULL.replace('a = 1 # c\n', '')],
  ['/s/t/b', FULL.replace('b = "x"\n', '')],
  ['/s/t/q.r/x', FULL.replace('x = 1, ', '')],
  ['/s/t/q.r/y', FULL.replace(', y = [1, 2]', '')],
  ['/s/t/d/e', FULL.replace('d.e = true\n', '')],
  ['/none', FULL],
])('removes %s', (entry, expected) => {
  expect(tomlFormat.remove(FULL, [entry])).toBe(expected);
});

it('removes no tables and no items', () => {
  for (const entry of ['/s', '/arr/0', '/s/t/q.r/y/0'])
    expect(() => tomlFormat.remove(FULL, [entry])).toThrow(expect.objectContaining({ code: 'blockedPath' }));
});

it('what was written is read, and every other key is as it was', () => {
  const key = fc.constantFrom('a', 'b', 'c.d', 'x y', '1', 'é');
  const scalar = fc.oneof(fc.boolean(), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string());
  const line = fc.tuple(
    fc.constantFrom('k1', 'k2', 'k3.x', '"k 4"'),
    fc.constantFrom('1', '"x"', '[1, 2]', '{ y = 1 }', 'true # c'),
  );
  const table = fc.tuple(
    fc.constantFrom('', '[s]\n', '[s.t]\n', '[[l]]\n'),
    fc.uniqueArray(line, { selector: ([name]) => name }),
  );
  const document = fc.uniqueArray(table, { selector: ([header]) => header }).map((tables) =>
    [...tables]
      .sort(([one], [other]) => one.length - other.length)
      .map(([header, lines]) => header + lines.map(([name, value]) => `${name} = ${value}\n`).join(''))
      .join(''),
  );
  fc.assert(
    fc.property(document, fc.constantFrom('', '/s', '/s/t', '/new'), key, scalar, (before, above, name, value) => {
      const pointer = `${above}/${name}`;
      const wanted = Object.is(value, -0) ? 0 : value;
      const after = set(before, pointer, wanted);
      expect(tomlFormat.read(after, [pointer]).get(pointer)).toStrictEqual(wanted);
      expect(set(after, pointer, wanted)).toBe(after);
    }),
    { numRuns: 1000 },
  );
});
