import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { policyFile } from '../../../test/tools/policy-fixtures.ts';
import { loadPolicies } from '../load.ts';
import { formatPolicy } from './format-policy.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

function format(text: string): string {
  const formatted = formatPolicy(policyFile('a.yaml', text));
  return formatted.ok ? formatted.text : formatted.diagnostics.map(({ code }) => code).join(' ');
}

const LAYOUTS: readonly (readonly [string, string, string])[] = [
  [
    'indents by two',
    'a:\n     b:\n      - c\n      -    d: 1\n           e: 2\n',
    'a:\n  b:\n    - c\n    - d: 1\n      e: 2\n',
  ],
  ['indents lists below their key', 'a:\n- b\n- c\n', 'a:\n  - b\n  - c\n'],
  ['puts one space behind colons and dashes', 'a:    b\nc:\n  -   d\n', 'a: b\nc:\n  - d\n'],
  ['pads mappings, and not lists', '{a: {b: [ 1,2 ]}}', '{ a: { b: [1, 2] } }\n'],
  ['keeps a value behind its key', 'a:\n  b\nc:\n  # why\n  d\n', 'a: b\nc:\n  # why\n  d\n'],
  ['ends with one line end, and lines without spaces', 'a: b   \n\n\n', 'a: b\n'],
  ['takes line ends of UNIX', 'a: b\r\nc: d\r\n', 'a: b\nc: d\n'],
  ['keeps one blank line of several', 'a: b\n\n\n\n# c\n\nd: e\n', 'a: b\n\n# c\n\nd: e\n'],
  ['has no blank line behind a key', 'a:\n\n  b: c\n', 'a:\n  b: c\n'],
  ['has no blank lines around ---', 'a: b\n\n---\n\nc: d\n', 'a: b\n---\nc: d\n'],
  ['leaves out --- at the top', '---\na: b\n', 'a: b\n'],
  ['keeps --- behind a comment at the top', '# licence\n---\na: b\n', '# licence\n---\na: b\n'],
  [
    'orders the head',
    'spec: {}\n# what\nkind: Flag\napiVersion: v\nmetadata: { name: x }\n',
    'apiVersion: v\n# what\nkind: Flag\nmetadata: { name: x }\nspec: {}\n',
  ],
  ['orders nothing else', 'b: 1\na: 2\n', 'b: 1\na: 2\n'],
  ['prefers double quotes', `a: 'b'\nc: 'say "d"'\ne: 'it''s'\n`, `a: "b"\nc: 'say "d"'\ne: 'it''s'\n`],
  ['quotes what YAML 1.1 takes for a boolean', 'a: { on: true, "off": no }\n', 'a: { "on": true, "off": "no" }\n'],
  ["leaves the Notifier's own key", 'spec:\n  on: [opened]\n', 'spec:\n  on: [opened]\n'],
  [
    'keeps numbers, text and quotes as they are',
    'a: 0x1f\nb: 1.50\nc: "x"\nd: 030\n',
    'a: 0x1f\nb: 1.50\nc: "x"\nd: 030\n',
  ],
  [
    'keeps the lines of a folded text',
    'a: >-\n      one\n      two\n\n      three\nb: c\n',
    'a: >-\n  one\n  two\n\n  three\nb: c\n',
  ],
  ['keeps spaces that a literal text begins with', 'a: |4-\n      b\n    c\n', 'a: |2-\n    b\n  c\n'],
  ['keeps blank lines that count', 'a: |+\n  b\n\n\nc: d\n', 'a: |+\n  b\n\n\nc: d\n'],
  ['keeps a text over several lines', 'a: one\n     two\n\n     three\n', 'a: one\n  two\n\n  three\n'],
  ['keeps a comment behind a value', 'a: b    # why\nc: [1,   2]  # what\n', 'a: b # why\nc: [1, 2] # what\n'],
  ['keeps a comment behind a key', 'a:   # why\n    b: c\n', 'a: # why\n  b: c\n'],
  ['indents a comment like what it stands above', 'a:\n      # why\n   b: c\n', 'a:\n  # why\n  b: c\n'],
  [
    'keeps a comment at the end where it belongs',
    'a:\n    - b\n    # inner\n# outer\nc: d\n',
    'a:\n  - b\n  # inner\n# outer\nc: d\n',
  ],
  ['breaks what holds a comment', 'a: { b: 1, # why\n  c: 2 }\n', 'a:\n  b: 1 # why\n  c: 2\n'],
  ['joins what fits on a line', 'a: [\n  1,\n  2,\n]\n', 'a: [1, 2]\n'],
];

describe('the canonical layout', () => {
  it.each(LAYOUTS)('%s', (_what, before, after) => {
    expect(format(before)).toBe(after);
    expect(format(after)).toBe(after);
  });

  it('breaks what is wider than 120 columns, and puts the comment behind it above', () => {
    const long = 'x'.repeat(100);
    expect(format(`a:\n  - { name: ${long}, query: up, list: [1] } # why\n`)).toBe(
      `a:\n  # why\n  - name: ${long}\n    query: up\n    list: [1]\n`,
    );
    expect(format(`a: { name: ${long}, b: 12 }\n`)).toBe(`a: { name: ${long}, b: 12 }\n`);
    expect(format(`a: { name: ${long}, b: 123 }\n`)).toBe(`a:\n  name: ${long}\n  b: 123\n`);
  });

  it('is that of every policy in this repository', () => {
    const files = ['policies', 'examples'].flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith('.yaml'))
        .map((path) => join(folder, path)),
    );
    const changed = files.filter((path) => {
      const formatted = formatPolicy({ path, bytes: readFileSync(join(ROOT, path)) });
      return !formatted.ok || formatted.changed;
    });
    expect(files.length).toBeGreaterThan(10);
    expect(changed).toEqual([]);
  });
});

describe('a fixture in the canonical layout', () => {
  const folder = join(ROOT, 'test/fixtures/policy');
  const fixtures = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.yaml'));

  it('is loaded as before, for better or worse, or left alone because it is not YAML', () => {
    const load = (bytes: Uint8Array) =>
      loadPolicies([{ path: 'a.yaml', bytes }], { revision: 'r', host: undefined, hostLabels: {} });
    const outcomes = fixtures.map((path) => {
      const bytes = readFileSync(join(folder, path));
      const formatted = formatPolicy({ path, bytes });
      if (!formatted.ok) return formatted.diagnostics.every(({ code }) => code !== 'E-FORMAT') ? 'left alone' : path;
      return codes(load(bytes)) === codes(load(Buffer.from(formatted.text))) ? 'loaded alike' : path;
    });
    expect([...new Set(outcomes)].sort()).toEqual(['left alone', 'loaded alike']);
  });
});

/** What is found wrong, without places. What formatting mends is left out. */
function codes(result: ReturnType<typeof loadPolicies>): string {
  const found = result.ok ? result.warnings : result.diagnostics;
  const left = found
    .map(({ code, message }) => `${code} ${message}`)
    .filter((line) => !line.startsWith('W-YAML-BOOLEAN'));
  return left.sort().join('\n');
}

describe('what is left alone', () => {
  it.each([
    ['a file that is not YAML', 'a: [1\n', 'E-YAML-BRACKET'],
    ['anchors', 'a: &x 1\nb: *x\n', 'E-YAML-ANCHOR E-YAML-ALIAS'],
    ['a key twice', 'a: 1\na: 2\n', 'E-DUPLICATE-KEY'],
    ['a tab', 'a:\n\tb: 1\n', 'E-YAML-TAB'],
    ['an explicit key', '? a\n: b\n', 'E-FORMAT'],
  ])('%s', (_what, text, expected) => {
    expect(format(text)).toBe(expected);
  });

  it('is also a file that is not UTF-8', () => {
    expect(formatPolicy({ path: 'a.yaml', bytes: Uint8Array.of(0x61, 0xff) })).toMatchObject({
      ok: false,
      diagnostics: [{ code: 'E-ENCODING' }],
    });
  });
});
