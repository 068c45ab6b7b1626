import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertiesFormat } from './properties.ts';

const read = (text: string, entry = 'a') => propertiesFormat.read(text, [entry]).get(entry);
const set = (text: string, value: string | number, entry = 'a') => propertiesFormat.edit(text, [{ entry, value }]);

it.each([
  ['a=1\n', '1'],
  ['a = 1 \n', '1 '],
  ['a:1', '1'],
  ['a 1', '1'],
  ['  a\t=\t1\n', '1'],
  ['a=\n', ''],
  ['a\n', ''],
  ['# a=2\n! a=3\na=1\n', '1'],
  ['a=1\na=2\n', '2'],
  ['a=x\\\n   y\n', 'xy'],
  ['a=x\\\\\nb=1\n', 'x\\'],
  ['# c\\\na=1\n', '1'],
  ['a=\\u00e9\\t\\q\n', 'é\tq'],
  ['a==b\n', '=b'],
  ['aa=1\n', undefined],
  ['a\\:b=1\n', undefined],
])('reads %j', (text, value) => {
  expect(read(text)).toBe(value);
});

it('takes a key, or a pointer of one part', () => {
  expect(read('server.port=80\n', 'server.port')).toBe('80');
  expect(read('server.port=80\n', '/server.port')).toBe('80');
  expect(() => read('a=1\n', '/a/b')).toThrow(expect.objectContaining({ code: 'badEntry' }));
});

describe('the least edit', () => {
  it.each([
    ['a value', '# c\na = 1\nb=2\n', 3, '# c\na = 3\nb=2\n'],
    ['nothing to do', 'a : 1\n', 1, 'a : 1\n'],
    ['a continued value', 'a=x\\\n  y\nb=1\n', 'z', 'a=z\nb=1\n'],
    ['a key alone', 'a\nb=1\n', 'x', 'a=x\nb=1\n'],
    ['the last of two', 'a=1\na=2\n', 3, 'a=1\na=3\n'],
    ['what is not ASCII', 'a=1\n', 'é\n', 'a=\\u00e9\\n\n'],
    ['a blank in front', 'a=1\n', ' x\\', 'a=\\ x\\\\\n'],
    ['added as its neighbours are', 'b : 1\n', 2, 'b : 1\na : 2\n'],
    ['added without final newline', 'b=1', 2, 'b=1\na=2'],
    ['added with CRLF', 'b=1\r\n', 2, 'b=1\r\na=2\r\n'],
    ['added to nothing', '', 2, 'a=2\n'],
  ])('%s', (_, text, value, expected) => {
    expect(set(text, value)).toBe(expected);
  });
});

it('removes every line of the key', () => {
  expect(propertiesFormat.remove('# c\na=1\nb=2\na=x\\\n y\n', ['a', 'none'])).toBe('# c\nb=2\n');
});

it('what was written is read, and nothing else has changed', () => {
  const line = fc.constantFrom('a=1', 'b = x y', '# c', '', 'b=2\\', '  d', '! e\\', 'f:\\u0041');
  const text = fc
    .tuple(fc.array(line), fc.constantFrom('\n', '\r\n'), fc.boolean())
    .map(([lines, eol, final]) => lines.join(eol) + (final ? eol : ''))
    .filter((given) => !given.trimEnd().endsWith('\\') || given.endsWith('\n'));
  fc.assert(
    fc.property(text, fc.string({ unit: 'binary' }), (before, wanted) => {
      const after = set(before, wanted);
      expect(read(after)).toBe(wanted);
      for (const other of ['d', 'f']) expect(read(after, other)).toBe(read(before, other));
      expect(set(after, wanted)).toBe(after);
      expect(read(propertiesFormat.remove(after, ['a']))).toBeUndefined();
    }),
    { numRuns: 2000 },
  );
});
