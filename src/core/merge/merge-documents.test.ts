import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../json/canonical-json.ts';
import type { JsonValue } from '../model/step.ts';
import { mergeJson } from './merge-json.ts';
import { canMergeText, linesOf, mergeText } from './merge-text.ts';

describe('JSON documents', () => {
  const known = { hasAncestor: true };

  test.each<readonly [string, JsonValue, JsonValue, JsonValue, JsonValue, readonly string[]]>([
    ['each changed another member', { a: 1, b: 1 }, { a: 2, b: 1 }, { a: 1, b: 2 }, { a: 2, b: 2 }, []],
    ['both changed one alike', { a: 1 }, { a: 2 }, { a: 2 }, { a: 2 }, []],
    ['both changed one', { a: 1 }, { a: 2 }, { a: 3 }, { a: 2 }, ['value /a']],
    ['to different types', { a: 1 }, { a: 2 }, { a: 'x' }, { a: 2 }, ['type /a']],
    ['one to an object', { a: 1 }, { a: 2 }, { a: {} }, { a: 2 }, ['structure /a']],
    ['one removed what the other changed', { a: 1 }, {}, { a: 2 }, {}, ['missing /a']],
    ['both added', {}, { a: 1 }, { a: 2 }, { a: 1 }, ['duplicate /a']],
    ['lists are one value', { a: [1] }, { a: [1, 2] }, { a: [0, 1] }, { a: [1, 2] }, ['value /a']],
    ['deeply', { a: { b: 1, c: 1 } }, { a: { b: 2, c: 1 } }, { a: { b: 1, c: 3 } }, { a: { b: 2, c: 3 } }, []],
    ['removed by the snapshot', { a: 1, b: 1 }, { a: 1, b: 2 }, { b: 1 }, { b: 2 }, []],
    ['a name of the prototype', {}, { x: 1 }, JSON.parse('{"__proto__":1}'), JSON.parse('{"x":1,"__proto__":1}'), []],
  ])('%s', (_what, ancestor, live, snapshot, merged, conflicts) => {
    const found = mergeJson({ ancestor, live, snapshot }, known);
    expect(canonicalJson(found.merged ?? null)).toBe(canonicalJson(merged));
    expect(found.conflicts.map((one) => `${one.class} ${one.pointer}`)).toStrictEqual(conflicts);
  });

  test('without an ancestor each difference is a conflict of its own', () => {
    const versions = { ancestor: undefined, live: { a: 1, b: 1, c: 1 }, snapshot: { a: 1, b: 2, d: 1 } };
    const found = mergeJson(versions, { hasAncestor: false });
    expect(found.conflicts.map((one) => `${one.class} ${one.pointer}`)).toStrictEqual([
      'value /b',
      'missing /c',
      'missing /d',
    ]);
    expect(found.merged).toStrictEqual(versions.live);
  });

  test('with the snapshot chosen everywhere and live as ancestor, it is the snapshot', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (a, b, c) => {
        const [live, snapshot, ancestor] = [a, b, c].map((one) => JSON.parse(JSON.stringify(one)) as JsonValue);
        const choose = () => 'snapshot' as const;
        expect(mergeJson({ ancestor: live, live, snapshot }, known)).toStrictEqual({ merged: snapshot, conflicts: [] });
        const found = mergeJson({ ancestor, live, snapshot }, { ...known, choose });
        const again = mergeJson({ ancestor, live: found.merged, snapshot }, known);
        expect(again.conflicts).toStrictEqual([]);
        expect(again.merged).toStrictEqual(found.merged);
      }),
    );
  });
});

describe('texts', () => {
  test.each<readonly [string, string, string, string, string, readonly string[]]>([
    ['apart', 'a\nb\nc\nd\n', 'A\nb\nc\nd\n', 'a\nb\nc\nD\n', 'A\nb\nc\nD\n', []],
    ['the same', 'a\nb\n', 'a\nc\n', 'a\nc\n', 'a\nc\n', []],
    ['one line', 'a\nb\nc\n', 'a\nx\nc\n', 'a\ny\nc\n', 'a\nx\nc\n', ['value 2']],
    ['changed and removed', 'a\nb\nc\n', 'a\nx\nc\n', 'a\nc\n', 'a\nx\nc\n', ['missing 2']],
    ['both added', 'a\n', 'a\nx\n', 'a\ny\n', 'a\nx\n', ['duplicate 2']],
    ['without an end', 'a\nb', 'a\nb\nc', 'A\nb', 'a\nb\nc', ['value 1']],
    ['ends of lines stay', 'a\r\nb\r\nc\r\n', 'A\r\nb\r\nc\r\n', 'a\r\nb\r\nC\r\n', 'A\r\nb\r\nC\r\n', []],
  ])('%s', (_what, ancestor, live, snapshot, merged, conflicts) => {
    const found = mergeText({ ancestor, live, snapshot });
    expect(found.conflicts.map((one) => `${one.class} ${one.line}`)).toStrictEqual(conflicts);
    expect(found.merged).toBe(merged);
  });

  test('the live lines stand at what is in conflict, or those of the snapshot', () => {
    const texts = { ancestor: 'a\nb\nc\nd\ne\n', live: 'a\nx\nc\nd\ne\n', snapshot: 'a\ny\nc\nd\nE\n' };
    expect(mergeText(texts).merged).toBe('a\nx\nc\nd\nE\n');
    expect(mergeText(texts, () => 'snapshot').merged).toBe('a\ny\nc\nd\nE\n');
  });

  test.each([
    ['short ones', 10, (index: number) => `${index}\n`, true],
    ['too many lines', 10_001, (index: number) => `${index}\n`, false],
    ['too many that are alike', 1_000, () => '\n', false],
  ])('%s: whether they can be held against each other in a moment', (_what, length, line, expected) => {
    const text = Array.from({ length }, (_, index) => line(index)).join('');
    expect(canMergeText({ ancestor: text, live: text, snapshot: `${text}x` })).toBe(expected);
  });

  test('a conflict has the same name when all else is merged already', () => {
    const texts = { ancestor: 'a\nb\nc\nd\n', live: 'a\nb\nc\nx\n', snapshot: 'new\na\nb\nc\ny\n' };
    const { merged, conflicts } = mergeText(texts);
    expect(merged).toBe('new\na\nb\nc\nx\n');
    expect(mergeText({ ...texts, live: merged }).conflicts).toStrictEqual(conflicts);
  });

  test('nothing is lost when one side changed nothing', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', '', '\r')).map((lines) => lines.join('\n'));
    fc.assert(
      fc.property(text, text, (before, after) => {
        expect(linesOf(before).join('')).toBe(before);
        expect(mergeText({ ancestor: before, live: before, snapshot: after })).toStrictEqual({
          merged: after,
          conflicts: [],
        });
        expect(mergeText({ ancestor: before, live: after, snapshot: before })).toStrictEqual({
          merged: after,
          conflicts: [],
        });
      }),
    );
  });
});
