import { describe, expect, it } from 'vitest';
import { isMap, isScalar, LineCounter, parseDocument, type Scalar } from 'yaml';
import { offsetInSource } from './scalar-offset.ts';

function valueOfKey(text: string, lineCounter: LineCounter): Scalar<string> {
  const { contents } = parseDocument(text, { lineCounter });
  const value: unknown = isMap(contents) ? contents.get('key', true) : undefined;
  if (!isScalar<string>(value)) throw new Error('expected a mapping with a text');
  return value;
}

/** Reads `key:` of a YAML text, and says where the character of its value stands that `needle` begins with. */
function placeOf(text: string, needle: string): string {
  const lines = new LineCounter();
  const scalar = valueOfKey(text, lines);
  const offset = scalar.value.indexOf(needle);
  expect(offset).toBeGreaterThanOrEqual(0);
  const { line, col } = lines.linePos(offsetInSource(text, scalar, offset));
  return `${line}:${col}`;
}

describe('where a character of a value stands in its file', () => {
  it.each([
    ['plain', 'key: sum(BAD)\n', '1:10'],
    ['plain, folded', 'key: sum(x)\n  + BAD\n', '2:5'],
    ['plain, folded with an empty line', 'key: a\n\n  BAD\n', '3:3'],
    ['single quotes', "key: 'sum(BAD)'\n", '1:11'],
    ['single quotes with an escaped one', "key: 'it''s BAD'\n", '1:13'],
    ['double quotes', 'key: "sum(BAD)"\n', '1:11'],
    ['double quotes with escaped ones', 'key: "x{a=\\"b\\"} BAD"\n', '1:18'],
    ['double quotes with a tab escape', 'key: "a\\tBAD"\n', '1:10'],
    ['double quotes with code points', 'key: "\\u00e9\\x41\\U0001F600 BAD"\n', '1:28'],
    ['double quotes over two lines', 'key: "a\n  BAD"\n', '2:3'],
    ['double quotes with a line joined', 'key: "a\\\n  BAD"\n', '2:3'],
    ['a literal block', 'key: |\n  sum(\n    BAD\n  )\n', '3:5'],
    ['a literal block with a remark and chomping', 'key: |-  # remark\n  sum(\n    BAD\n', '3:5'],
    ['a literal block with its indentation given', 'key: |2\n    BAD\n', '2:5'],
    ['a folded block', 'key: >\n  sum(x)\n  + BAD\n', '3:5'],
    ['a folded block with an empty line', 'key: >\n  a\n\n  BAD\n', '4:3'],
    ['Windows line ends', 'key: |\r\n  a\r\n  BAD\r\n', '3:3'],
    ['characters beyond the first plane', 'key: 😀 BAD\n', '1:9'],
  ])('%s', (_, text, expected) => {
    expect(placeOf(text, 'BAD')).toBe(expected);
  });

  it('leads white space to where it stands', () => {
    expect(placeOf('key: "a  b"\n', '  b')).toBe('1:8');
  });

  it('leads the end of a value behind its last character', () => {
    const text = 'key: "sum("\n';
    expect(offsetInSource(text, valueOfKey(text, new LineCounter()), 4)).toBe(10);
  });
});
