import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { JsonValue } from '../../../../core/model/step.ts';
import { editYaml, readYaml, removeYaml, yamlFormat } from './yaml.ts';

const set = (text: string, entry: string, value: JsonValue) => yamlFormat.edit(text, [{ entry, value }]);

it.each<[string, string, JsonValue | undefined]>([
  ['a:\n  b: true\n', '/a/b', true],
  ['a: [10, {b: 1}]', '/a/1/b', 1],
  ['a: on', '/a', 'on'],
  ['a:\n', '/a', null],
  ['a: &x 1\nb: *x\n', '/b', 1],
  ['', '/a', undefined],
  ['# only\n', '/a', undefined],
  ['1: x\n', '/1', 'x'],
])('reads %j at %s', (text, entry, value) => {
  expect(yamlFormat.read(text, [entry]).get(entry)).toStrictEqual(value);
});

it.each([
  ['a: [1,2\n', 'syntax'],
  ['a: 1\na: 2\n', 'syntax'],
  ['a: 1\n---\nb: 2\n', 'formatNotSupported'],
  [
    `a: &a [x]\n${Array.from({ length: 12 }, (_, at) => `b${at}: &b${at} [${`*${at === 0 ? 'a' : `b${at - 1}`},`.repeat(9)}]`).join('\n')}\n`,
    'syntax',
  ],
])('refuses %.40j', (text, code) => {
  expect(() => yamlFormat.read(text, ['/a'])).toThrow(expect.objectContaining({ code }));
});

describe('the least edit', () => {
  it.each<[string, string, string, JsonValue, string]>([
    ['a value, with its comment', 'a: true # why\nb: 1\n', '/a', false, 'a: false # why\nb: 1\n'],
    ['nothing to do', 'a:   "x"   # y\n', '/a', 'x', 'a:   "x"   # y\n'],
    ['double quotes', 'a: "x"\n', '/a', 'y z', 'a: "y z"\n'],
    ['single quotes', "a: 'x'\n", '/a', "it's", "a: 'it''s'\n"],
    ['plain', 'a: x\n', '/a', 'z', 'a: z\n'],
    ['what YAML 1.1 would take for a boolean', 'a: x\n', '/a', 'off', 'a: "off"\n'],
    ['what looks like a number', 'a: x\n', '/a', '1.5', 'a: "1.5"\n'],
    ['an empty value', 'a:\nb: 1\n', '/a', 2, 'a: 2\nb: 1\n'],
    ['a key below an empty value', 'a:\nb: 1\n', '/a/c', 2, 'a: {"c":2}\nb: 1\n'],
    ['a block of text', 'a: |\n  x\n  y\n\nb: 1\n', '/a', 'z', 'a: "z"\n\nb: 1\n'],
    ['a mapping', 'a:\n  # c\n  b: 1\n\nd: 2\n', '/a', [1], 'a: [1]\n\nd: 2\n'],
    ['an item', 'a:\n- 1\n- 2 # two\n', '/a/1', 3, 'a:\n- 1\n- 3 # two\n'],
    ['a key of an item', 'a:\n  - b: 1\n    c: 2\n', '/a/0/c', 3, 'a:\n  - b: 1\n    c: 3\n'],
    ['an alias', 'a: &x 1\nb: *x\n', '/b', 2, 'a: &x 1\nb: 2\n'],
    ['CRLF', 'a: 1\r\nb: 2\r\n', '/c', 3, 'a: 1\r\nb: 2\r\nc: 3\r\n'],
    ['no final newline', 'a: 1', '/b', 2, 'a: 1\nb: 2'],
    ['added', 'a: 1 # one\n\n# end\n', '/b', 2, 'a: 1 # one\nb: 2\n\n# end\n'],
    ['added to a mapping', 'a:\n    b: 1\nc: 2\n', '/a/d', true, 'a:\n    b: 1\n    d: true\nc: 2\n'],
    ['added behind a block of text', 'a:\n  b: |\n    x\n\nc: 1\n', '/a/d', 1, 'a:\n  b: |\n    x\n  d: 1\n\nc: 1\n'],
    ['added to an inline mapping', 'a: { b: 1 } # x\n', '/a/c', 2, 'a: { b: 1, c: 2 } # x\n'],
    ['added to an empty inline mapping', 'a: {}\n', '/a/c', 2, 'a: {c: 2}\n'],
    ['added to an item', 'a:\n  - b: 1\n', '/a/0/c', 2, 'a:\n  - b: 1\n    c: 2\n'],
    ['missing mappings', 'a: 1\n', '/f/g/h', true, 'a: 1\nf:\n  g:\n    h: true\n'],
    ['to nothing', '', '/a/b', 1, 'a:\n  b: 1\n'],
    ['to a comment', '# only\n', '/a', 1, '# only\na: 1\n'],
    ['with markers', '---\na: 1\n...\n', '/b', 2, '---\na: 1\nb: 2\n...\n'],
    ['a strange key', 'a: 1\n', '/on', 2, 'a: 1\n"on": 2\n'],
  ])('%s', (_, text, entry, value, expected) => {
    expect(set(text, entry, value)).toBe(expected);
  });

  it.each([
    ['a: 1\n', '/a/b', 'blockedPath'],
    ['a: [1]\n', '/a/1', 'blockedPath'],
    ['a: &x 1\nb: *x\n', '/a', 'blockedPath'],
    ['a: &x {c: 1}\nb: *x\n', '/b/c', 'blockedPath'],
    ['a: !mine 1\n', '/a', 'blockedPath'],
    ['- 1\n', '/a', 'blockedPath'],
    ['a: 1\n', '', 'blockedPath'],
    ['a: 1\n', 'a', 'badEntry'],
  ])('refuses %j at %j', (text, entry, code) => {
    expect(() => set(text, entry, 2)).toThrow(expect.objectContaining({ code }));
  });
});

describe('removing', () => {
  it.each<[string, string, string]>([
    ['a: 1 # x\nb: 2\n', '/a', 'b: 2\n'],
    ['a: 1\nb: 2', '/b', 'a: 1\n'],
    ['a:\n  b: 1\n  c: 2\nd: 3\n', '/a/b', 'a:\n  c: 2\nd: 3\n'],
    ['a:\n  b: 1\nd: 3\n', '/a/b', 'a: {}\nd: 3\n'],
    ['a: {b: 1, c: 2}\n', '/a/b', 'a: {c: 2}\n'],
    ['a: {b: 1, c: 2}\n', '/a/c', 'a: {b: 1}\n'],
    ['a:\n  - b: 1\n    c: 2\n', '/a/0/b', 'a:\n  - c: 2\n'],
    ['a:\n  - b: 1\n', '/a/0/b', 'a:\n  - {}\n'],
    ['a: |\n  x\nb: 1\n', '/a', 'b: 1\n'],
    ['a: 1\n', '/b', 'a: 1\n'],
    ['# c\na: 1\n', '/a', '# c\n'],
  ])('%j without %s', (text, entry, expected) => {
    expect(yamlFormat.remove(text, [entry])).toBe(expected);
  });

  it('takes nothing out of lists, nor what others refer to', () => {
    for (const [text, entry] of [
      ['a: [1, 2]\n', '/a/0'],
      ['a: &x 1\nb: *x\n', '/a'],
    ] as const)
      expect(() => yamlFormat.remove(text, [entry])).toThrow(expect.objectContaining({ code: 'blockedPath' }));
  });
});

it('finds one document among several by what it says', () => {
  const text = '# all\nkind: A\nspec: {x: 1}\n---\nkind: B # b\nspec:\n  x: 1\n';
  const isB = (value: JsonValue) =>
    typeof value === 'object' && value !== null && 'kind' in value && value['kind'] === 'B';
  expect(readYaml(text, isB)).toMatchObject({ spec: { x: 1 } });
  const edited = editYaml(text, [{ entry: '/spec/x', value: 2 }], isB);
  expect(edited).toBe(text.replace('  x: 1', '  x: 2'));
  expect(removeYaml(edited, ['/spec/x'], isB)).toBe(text.replace('\n  x: 1', ' {}'));
});

describe('for any document, pointer and value', () => {
  const key = fc.constantFrom('a', 'b', 'c/d', 'on', '1', 'x y', '~');
  const scalar = fc.oneof(
    fc.boolean(),
    fc.integer(),
    fc.constant(null),
    fc.constantFrom('x', 'on', '1', 'a: b', '# c', 'x\ny\n', ' ', ''),
  );
  const tree = fc.letrec<{ node: JsonValue }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      scalar,
      fc.dictionary(key, tie('node'), { maxKeys: 3 }),
      fc.array(tie('node'), { maxLength: 2 }),
    ),
  })).node;
  const document = fc.dictionary(key, tree, { minKeys: 1, maxKeys: 4 });

  it('what was written is read, and every other key is as it was, or the edit is refused', async () => {
    const { stringify } = await import('yaml');
    let refused = 0;
    fc.assert(
      fc.property(document, fc.constantFrom(true, false), key, key, scalar, (given, flow, outer, inner, value) => {
        const before = stringify(given, { collectionStyle: flow ? 'flow' : 'any', lineWidth: 0 });
        const pointer = [outer, inner].map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
        try {
          const after = set(before, pointer, value);
          expect(yamlFormat.read(after, [pointer]).get(pointer)).toStrictEqual(value);
          expect(set(after, pointer, value)).toBe(after);
          const gone = yamlFormat.remove(after, [pointer]);
          expect(yamlFormat.read(gone, [pointer]).get(pointer)).toBeUndefined();
          const rest = (text: string) => ({ ...(parse(text) as object), [outer]: 0 });
          expect(rest(gone)).toStrictEqual(rest(before));
        } catch (error) {
          if (!(error instanceof Error && 'code' in error && error.code === 'blockedPath')) throw error;
          refused += 1;
        }
      }),
      { numRuns: 600 },
    );
    // Where the outer key is a scalar or a list, nothing can be below it.
    expect(refused).toBeLessThan(500);
  });
});
