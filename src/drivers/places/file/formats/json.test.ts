import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../../core/model/step.ts';
import { positionAt } from '../../text-format.ts';
import { jsonFormat } from './json.ts';

const set = (text: string, entry: string, value: JsonValue) => jsonFormat.edit(text, [{ entry, value }]);

describe('reading', () => {
  it.each<[string, string, JsonValue | undefined]>([
    ['{"a": {"b": true}}', '/a/b', true],
    ['{"a": {"b": null}}', '/a/b', null],
    ['{"a": [10, {"b": 1}]}', '/a/1/b', 1],
    ['{"a": [10]}', '/a/1', undefined],
    ['{"a": [10]}', '/a/-', undefined],
    ['{"a": [10]}', '/a/00', undefined],
    ['{"a": "text"}', '/a/b', undefined],
    ['{"a/b": {"c~d": 1}}', '/a~1b/c~0d', 1],
    ['{"": {"": 1}}', '//', 1],
    ['{"__proto__": {"a": 1}}', '/__proto__/a', 1],
    ['{"a": 1}', '/toString', undefined],
    ['{"a": 1, "a": 2}', '/a', 2],
    ['// comment\n{"a": [1, 2,], /* x */}', '/a', [1, 2]],
    ['[1]', '', [1]],
  ])('%s at %s', (text, entry, value) => {
    expect(jsonFormat.read(text, [entry]).get(entry)).toStrictEqual(value);
  });

  it.each([
    ['{"a": }', '1:7', 'value expected'],
    ['{\n  "a": 1\n  "b": 2\n}', '3:3', 'comma expected'],
    ['', '1:1', 'value expected'],
    ["{'a': 1}", '1:2', 'invalid symbol'],
    ['{"a": 1} x', '1:10', 'invalid symbol'],
    ['['.repeat(200_000), '1:1', 'too deeply'],
  ])('refuses %.30s at its position', (text, position, words) => {
    let fault: unknown;
    try {
      jsonFormat.read(text, ['/a']);
    } catch (error) {
      fault = error;
    }
    expect(fault).toMatchObject({ code: 'syntax', message: expect.stringContaining(words) });
    expect(positionAt(text, (fault as { offset: number }).offset)).toBe(position);
  });

  it.each(['a', 'a/b', '/a~2', '/~'])('refuses %j as a pointer', (entry) => {
    expect(() => jsonFormat.read('{}', [entry])).toThrow(expect.objectContaining({ code: 'badEntry' }));
  });
});

describe('the least edit', () => {
  it.each<[string, string, string, JsonValue, string]>([
    ['a value', '{\n  "a": true, // why\n  "b": 1\n}\n', '/a', false, '{\n  "a": false, // why\n  "b": 1\n}\n'],
    ['nothing to do', '{ "a" : [ 1,2 ] }', '/a', [1, 2], '{ "a" : [ 1,2 ] }'],
    ['an array element', '{"a":[1,2]}', '/a/1', 3, '{"a":[1,3]}'],
    ['added to one line', '{"a": 1}', '/b', 2, '{"a": 1, "b": 2}'],
    ['added to a dense line', '{"a":1}', '/b', { c: 2 }, '{"a":1,"b":{"c":2}}'],
    ['added to lines', '{\n\t"a": 1\n}', '/b', 2, '{\n\t"a": 1,\n\t"b": 2\n}'],
    ['added with CRLF', '{\r\n  "a": 1\r\n}\r\n', '/b', 2, '{\r\n  "a": 1,\r\n  "b": 2\r\n}\r\n'],
    ['behind a comment', '{\n  "a": 1 // one, only\n}', '/b', 2, '{\n  "a": 1, // one, only\n  "b": 2\n}'],
    ['with a trailing comma', '{\n  "a": 1, // x\n}', '/b', 2, '{\n  "a": 1, // x\n  "b": 2,\n}'],
    ['trailing comma on one line', '{"a": 1,}', '/b', 2, '{"a": 1, "b": 2,}'],
    ['into an empty document', '{}\n', '/a', 1, '{\n  "a": 1\n}\n'],
    ['into an empty object', '{"a":1,"f":{}}', '/f/x', true, '{"a":1,"f":{"x": true}}'],
    ['into an empty one on lines', '{\n  "f": {}\n}', '/f/x', 1, '{\n  "f": {\n    "x": 1\n  }\n}'],
    [
      'into one with a comment',
      '{\n  "f": {\n    // none yet\n  }\n}',
      '/f/x',
      1,
      '{\n  "f": {\n    // none yet\n    "x": 1\n  }\n}',
    ],
    [
      'missing objects',
      '{\n  "a": 1\n}',
      '/f/g/x',
      1,
      '{\n  "a": 1,\n  "f": {\n    "g": {\n      "x": 1\n    }\n  }\n}',
    ],
    [
      'an object for a value',
      '{\n    "a": 1\n}',
      '/a',
      { b: [1] },
      '{\n    "a": {\n        "b": [\n            1\n        ]\n    }\n}',
    ],
    ['the whole document', '{"a":1}\n', '', { b: 2 }, '{"b":2}\n'],
    ['a key like a prototype', '{"a":1}', '/__proto__', 1, '{"a":1,"__proto__":1}'],
    ['a duplicate elsewhere', '{"x":1,"x":2,"a":1}', '/a', 2, '{"x":1,"x":2,"a":2}'],
    [
      'numbers that JavaScript cannot hold',
      '{"n":12345678901234567890.10,"a":1}',
      '/a',
      2,
      '{"n":12345678901234567890.10,"a":2}',
    ],
  ])('%s', (_, text, entry, value, expected) => {
    expect(set(text, entry, value)).toBe(expected);
  });

  it.each([
    ['{"a": 1, "a": 2}', '/a', 'ambiguousEntry', '/a twice'],
    ['{"f": {}, "f": {}}', '/f/x', 'ambiguousEntry', '/f twice'],
    ['{"a": "text"}', '/a/b', 'blockedPath', '/a is a string'],
    ['{"a": [1]}', '/a/1', 'blockedPath', 'an array of 1'],
    ['{"a": [1]}', '/a/-', 'blockedPath', 'no element "-"'],
    ['[1]', '/b', 'blockedPath', 'the document is an array'],
    ['{"a": 1', '/a', 'syntax', 'close brace expected'],
  ])('refuses %s at %s', (text, entry, code, words) => {
    expect(() => set(text, entry, 1)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(words) }),
    );
  });
});

describe('removing', () => {
  it.each([
    ['{\n  "a": 1, // x\n  "b": 2\n}\n', '/a', '{\n  // x\n  "b": 2\n}\n'],
    ['{\n  "a": 1,\n  "b": 2\n}\n', '/a', '{\n  "b": 2\n}\n'],
    ['{\n  "a": 1,\n  "b": 2\n}\n', '/b', '{\n  "a": 1\n}\n'],
    ['{"a": 1, "b": 2}', '/a', '{"b": 2}'],
    ['{"a": 1, "b": 2}', '/b', '{"a": 1}'],
    ['{"a": 1}', '/a', '{}'],
    ['{"a": {"b": [1]}}', '/a/b', '{"a": {}}'],
    ['{"a": 1, "a": 2, "b": 3}', '/a', '{"b": 3}'],
    ['{"a": 1,}', '/a', '{}'],
    ['{"a": 1}', '/b/c', '{"a": 1}'],
  ])('%j without %s', (text, entry, expected) => {
    const removed = jsonFormat.remove(text, [entry]);
    expect(removed).toBe(expected);
    expect(jsonFormat.read(removed, [entry]).get(entry)).toBeUndefined();
  });

  it('takes nothing out of lists', () => {
    expect(() => jsonFormat.remove('[1]', ['/0'])).toThrow(expect.objectContaining({ code: 'blockedPath' }));
  });
});

describe('for any document, pointer and value', () => {
  const key = fc.constantFrom('a', 'b', 'c/d', '~', '__proto__', '');
  const document = fc.dictionary(key, fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.dictionary(key, fc.integer())));
  const spacing = fc.constantFrom(undefined, 2, 4, '\t');

  it('what was written is read, and every other key is as it was', () => {
    fc.assert(
      fc.property(document, spacing, key, key, fc.jsonValue({ maxDepth: 2 }), (given, space, outer, inner, raw) => {
        const value = JSON.parse(JSON.stringify(raw)) as JsonValue;
        const before = JSON.stringify({ ...given, [outer]: { kept: 1 } }, null, space);
        const escaped = [outer, inner].map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'));
        const pointer = `/${escaped.join('/')}`;
        const after = set(before, pointer, value);
        expect(jsonFormat.read(after, [pointer]).get(pointer)).toStrictEqual(value);
        expect(set(after, pointer, value)).toBe(after);
        const rest = Object.keys(given).filter((name) => name !== outer);
        const others = rest.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
        expect(jsonFormat.read(after, others)).toStrictEqual(jsonFormat.read(before, others));
      }),
      { numRuns: 500 },
    );
  });
});
