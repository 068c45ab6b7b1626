import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../text-format.ts';
import { envFormat } from './format.ts';
import { parseEnvFile } from './parse.ts';

describe('reading as systemd does', () => {
  it.each([
    ['plain', 'A=1\n', '1'],
    ['nothing', 'A=\n', ''],
    ['no final newline', 'A=1', '1'],
    ['blanks around', '  A = 1 \t\n', '1'],
    ['double quotes', 'A="1 2"\n', '1 2'],
    ['single quotes keep backslashes', "A='a\\nb'\n", 'a\\nb'],
    ['quotes and bare text behind them', 'A="b" c\n', 'bc'],
    ['quotes inside bare text are text', 'A=a"b"\n', 'a"b"'],
    ['escapes in double quotes', 'A="\\"\\\\\\`\\$\\n"\n', '"\\`$\\n'],
    ['a line continued', 'A=a\\\nb\n', 'ab'],
    ['a continued line keeps its blanks', 'A=a\\\n  b\n', 'a  b'],
    ['quoted text over two lines', 'A="a\nb"\n', 'a\nb'],
    ['quoted continuation', 'A="a\\\nb"\n', 'ab'],
    ['escaped blank at the end', 'A=a\\ \n', 'a '],
    ['both comment signs', '#A=2\n;A=3\n A=1\n', '1'],
    ['a comment sign in a value', 'A=1 # not a comment\n', '1 # not a comment'],
    ['a line without =', 'A\nA=1\nnothing\n', '1'],
    ['CRLF', 'A=1\r\nB=2\r\n', '1'],
    ['the last counts', 'A=1\nA=2\n', '2'],
    ['export', 'export A=1\n', '1'],
    ['an equals sign in a value', 'A=x=y\n', 'x=y'],
    ['another name', 'AA=1\nXA=2\n', undefined],
  ])('%s', (_, text, value) => {
    expect(envFormat.read(text, ['A']).get('A')).toBe(value);
  });

  it.each([
    ['A="b\nB=1\n', 'syntax', 2],
    ["X=1\nA='b\n", 'syntax', 6],
    ['A=1\0\n', 'syntax', 3],
    ['A=1\nexport A=2\n', 'ambiguousEntry', 4],
  ])('refuses %j', (text, code, offset) => {
    expect(() => envFormat.read(text, ['A'])).toThrow(expect.objectContaining({ code, offset }));
  });

  it.each(['', '1A', 'A-B', 'A=B', 'A B', '/a'])('refuses %j as a name', (name) => {
    expect(() => envFormat.read('A=1\n', [name])).toThrow(FormatError);
  });
});

describe('the least edit', () => {
  it.each([
    ['a value', 'X=1\nA=true\nY=2\n', false, 'X=1\nA=false\nY=2\n'],
    ['nothing to do', 'A="true"  \n', true, 'A="true"  \n'],
    ['blanks around stay', ' A =  true  \nB=1', false, ' A =  false  \nB=1'],
    ['comments stay', '# A=x\nA=1 \n; end\n', 2, '# A=x\nA=2 \n; end\n'],
    ['double quotes stay', 'A="on"\n', 'off', 'A="off"\n'],
    ['single quotes stay', "A='on'\n", 'off', "A='off'\n"],
    ['single quotes cannot hold one', "A='on'\n", "it's", 'A="it\'s"\n'],
    ['quotes only if needed', 'A=on\n', 'a b', 'A="a b"\n'],
    ['JSON as text', 'A=1\n', { a: '$' }, 'A="{\\"a\\":\\"\\$\\"}"\n'],
    ['an empty value filled', 'A=\nB=1\n', 'x', 'A=x\nB=1\n'],
    ['an empty value with blanks', 'A= \nB=1\n', 'x', 'A=x \nB=1\n'],
    ['a value emptied', 'A=x\nB=1\n', '', 'A=\nB=1\n'],
    ['a continued value', 'A=a\\\nb\nB=1\n', 'c', 'A=c\nB=1\n'],
    ['the last of two', 'A=1\nA=2\n', 3, 'A=1\nA=3\n'],
    ['CRLF', 'A=1\r\nB=2\r\n', 2, 'A=2\r\nB=2\r\n'],
    ['added', 'B=1\n', true, 'B=1\nA=true\n'],
    ['added without final newline', 'B=1', true, 'B=1\nA=true'],
    ['added with CRLF', 'B=1\r\n', true, 'B=1\r\nA=true\r\n'],
    ['added to nothing', '', true, 'A=true\n'],
    ['added with export', 'export B=1\n', true, 'export B=1\nexport A=true\n'],
    ['added without export if one has none', 'export B=1\nC=1\n', true, 'export B=1\nC=1\nA=true\n'],
    ['added behind a continuation', 'B=1\\\n', true, 'B=1\\\n\nA=true\n'],
    ['added behind a last backslash', 'B=1\\', true, 'B=1\\\n\nA=true'],
    ['added behind a comment that older systemd would continue', '# c:\\\n', true, '# c:\\\n\nA=true\n'],
    ['export stays', 'export A=1\n', 2, 'export A=2\n'],
  ])('%s', (_, text, value, expected) => {
    expect(envFormat.edit(text, [{ entry: 'A', value }])).toBe(expected);
  });

  it('takes several entries at once', () => {
    const changes = [
      { entry: 'A', value: false },
      { entry: 'C', value: 'x' },
      { entry: 'B', value: 7 },
    ];
    expect(envFormat.edit('A=true\nB=1\n', changes)).toBe('A=false\nB=7\nC=x\n');
  });

  it('refuses a NUL character', () => {
    expect(() => envFormat.edit('', [{ entry: 'A', value: '\0' }])).toThrow(
      expect.objectContaining({ code: 'badValue' }),
    );
  });
});

it.each([
  ['A=1\nB=2\n', 'B=2\n'],
  ['B=2\nexport B=3\nA="x\ny"\n', 'B=2\nexport B=3\n'],
  ['A=1\r\nA=2\r\nB=3', 'B=3'],
  ['B=3\nA=1', 'B=3\n'],
  ['# A=1\n', '# A=1\n'],
])('removes every line of the variable from %j', (text, expected) => {
  expect(envFormat.remove(text, ['A'])).toBe(expected);
});

describe('for any file and value', () => {
  const line = fc.constantFrom(
    'A=1',
    'B="x y"',
    '# c',
    '',
    'B=2\\',
    "C='a'",
    'export D=1',
    ' A = "q" ',
    'junk',
    '; c\\',
  );
  const text = fc
    .tuple(fc.array(line), fc.constantFrom('\n', '\r\n'), fc.boolean())
    .map(([lines, eol, final]) => lines.join(eol) + (final ? eol : ''));
  const value = fc.string({ unit: 'binary' }).filter((given) => !given.includes('\0') && given.isWellFormed());

  it('what was written is read, and nothing else has changed', () => {
    const others = (given: string) =>
      parseEnvFile(given)
        .filter((found) => found.name !== 'A')
        .map((found) => [found.name, found.value]);
    fc.assert(
      fc.property(text, value, (before, wanted) => {
        const after = envFormat.edit(before, [{ entry: 'A', value: wanted }]);
        expect(envFormat.read(after, ['A']).get('A')).toBe(wanted);
        expect(others(after)).toStrictEqual(others(before));
        expect(envFormat.edit(after, [{ entry: 'A', value: wanted }])).toBe(after);
      }),
      { numRuns: 2000 },
    );
  });
});
