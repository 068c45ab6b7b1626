import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePointer } from '../json-pointer.ts';
import type { JsonValue } from '../model/step.ts';
import { canonicalJson } from './canonical-json.ts';
import { diffJson } from './diff-json.ts';
import { valueAt, withValueAt } from './json-part.ts';

describe('the canonical text', () => {
  test.each<readonly [JsonValue, string]>([
    [null, 'null'],
    [{ b: 1, a: [true, 'x'] }, '{"a":[true,"x"],"b":1}'],
    [{ é: 1, z: 2, Z: 3 }, '{"Z":3,"z":2,"é":1}'],
    [[], '[]'],
  ])('of %j', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  test('is the same for another order of keys only', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const [one, other] = [a as JsonValue, b as JsonValue];
        expect(JSON.parse(canonicalJson(one))).toEqual(JSON.parse(JSON.stringify(one)));
        expect(canonicalJson(one) === canonicalJson(other)).toBe([...diffJson(one, other)].length === 0);
      }),
    );
  });
});

describe('the difference', () => {
  test.each<readonly [string, JsonValue, JsonValue, readonly string[]]>([
    ['nothing', { a: 1, b: [1] }, { b: [1], a: 1 }, []],
    ['a member', { a: 1 }, { a: 2, b: 3 }, ['changed /a', 'added /b']],
    ['a member that is gone', { a: 1, b: null }, { a: 1 }, ['removed /b']],
    ['null is something', { a: 1 }, { a: null }, ['changed /a']],
    ['an item', [1, 2, 3], [1, 4], ['changed /1', 'removed /2']],
    ['an object that becomes a list', { a: {} }, { a: [] }, ['changed /a']],
    ['the whole', 1, 'one', ['changed ']],
    ['names with slashes', { 'a/b': { '~': 1 } }, { 'a/b': { '~': 2 } }, ['changed /a~1b/~0']],
  ])('%s', (_what, before, after, expected) => {
    expect([...diffJson(before, after)].map(({ kind, pointer }) => `${kind} ${pointer}`)).toEqual(expected);
  });

  test('applied to the one document gives the other', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const [before, after] = [
          JSON.parse(JSON.stringify(a)) as JsonValue,
          JSON.parse(JSON.stringify(b)) as JsonValue,
        ];
        let document = before;
        const changes = [...diffJson(before, after)];
        // Items that go are taken from the end, so that those before them keep their index.
        const order = [
          ...changes.filter(({ kind }) => kind !== 'removed'),
          ...changes.filter(({ kind }) => kind === 'removed').reverse(),
        ];
        for (const change of order) {
          const value = change.kind === 'removed' ? undefined : change.after;
          const done = withValueAt(document, parsePointer(change.pointer) ?? [], value);
          if (!done.ok) throw new Error(`nothing at ${done.missing}`);
          document = done.document;
        }
        expect(canonicalJson(document)).toBe(canonicalJson(after));
      }),
    );
  });
});

describe('a part', () => {
  test.each<readonly [JsonValue, string, JsonValue | undefined]>([
    [{ a: { b: [1, 2] } }, '/a/b/1', 2],
    [{ a: { b: [1, 2] } }, '/a/b/01', undefined],
    [{ a: { b: [1, 2] } }, '/a/b/-', undefined],
    [{ a: null }, '/a/b', undefined],
    [{}, '/toString', undefined],
    [{ '': 1 }, '/', 1],
  ])('of %j at %s', (document, pointer, value) => {
    expect(valueAt(document, parsePointer(pointer) ?? [])).toEqual(value);
  });

  test.each<readonly [string, JsonValue, string, JsonValue | undefined, JsonValue | string]>([
    ['is set', { a: 1, b: 2 }, '/a', 3, { a: 3, b: 2 }],
    ['is added', { a: {} }, '/a/b', 1, { a: { b: 1 } }],
    ['is removed', { a: { b: 1, c: 2 } }, '/a/b', undefined, { a: { c: 2 } }],
    ['is appended', { a: [1] }, '/a/1', 2, { a: [1, 2] }],
    ['has no place', { a: [1] }, '/a/3', 2, 'missing /a/3'],
    ['has nothing to stand in', {}, '/a/b', 1, 'missing /a'],
    ['stands in something else', { a: 1 }, '/a/b', 1, 'missing /a'],
    ['is gone with its parent', {}, '/a/b', undefined, {}],
    ['may be called like what all objects have', {}, '/__proto__', 1, JSON.parse('{"__proto__":1}') as JsonValue],
  ])('%s', (_what, document, pointer, value, expected) => {
    const done = withValueAt(document, parsePointer(pointer) ?? [], value);
    expect(JSON.stringify(done.ok ? done.document : `missing ${done.missing}`)).toBe(JSON.stringify(expected));
  });
});
