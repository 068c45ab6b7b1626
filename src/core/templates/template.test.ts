import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkTemplate } from './check-template.ts';
import { parseTemplate } from './parse-template.ts';
import { type Fields, renderTemplate } from './render-template.ts';

const FIELDS: Fields = {
  name: 'INC-1',
  empty: '',
  evil: '${name} <b>&',
  host: { name: 'web-1' },
  rungs: [
    { rung: 'flags', name: 'inner' },
    { rung: 'code', name: '' },
  ],
  none: [],
};
const SHAPE = {
  name: 'text',
  empty: 'text',
  evil: 'text',
  host: { name: 'text' },
  rungs: { rung: 'text', name: 'text' },
  none: { x: 'text' },
} as const;

const render = (text: string, escape = (value: string) => value) =>
  renderTemplate(parseTemplate(text).parts, FIELDS, escape);

describe('a template', () => {
  test.each([
    ['plain', 'plain'],
    ['${name} on ${host.name}', 'INC-1 on web-1'],
    ['$${name}', '${name}'],
    ['a${empty}b', 'ab'],
    ['${#name}[${name}]${/name}', '[INC-1]'],
    ['${#empty}never${/empty}${^empty}nothing${/empty}', 'nothing'],
    ['${^name}never${/name}', ''],
    ['${#rungs}${rung}=${name};${/rungs}', 'flags=inner;code=;'],
    ['${#none}never${/none}${^none}no rungs${/none}', 'no rungs'],
    ['${#host}${name}${/host}', 'web-1'],
    ['${#rungs}${host.name} ${/rungs}', 'web-1 web-1 '],
    ['list:\n${#rungs}\n- ${rung}\n${/rungs}\nend', 'list:\n- flags\n- code\nend'],
    ['${#rungs}\n- ${rung}\n${/rungs}', '- flags\n- code\n'],
    ['${#rungs}\r\n- ${rung}\r\n${/rungs}\r\nend', '- flags\r\n- code\r\nend'],
    // What is filled in is never read again.
    ['${evil}', '${name} <b>&'],
    ['${constructor}${host.toString}${__proto__}', ''],
    ['$ {name} {name} $name', '$ {name} {name} $name'],
  ])('%j becomes %j', (text, expected) => {
    expect(render(text)).toBe(expected);
  });

  test('escapes what is filled in, once, and nothing of its own', () => {
    expect(render('<b>${evil}</b>', (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;'))).toBe(
      '<b>${name} &lt;b>&amp;</b>',
    );
  });

  test.each([
    ['a ${', 2, 'without its closing brace'],
    ['${na me}', 0, 'names no field'],
    ['${}', 0, 'names no field'],
    ['${#name}', 0, '${#name} is never closed; expected ${/name}'],
    ['x${/name}', 1, 'closes nothing'],
    ['${#name}${/empty}${/name}', 8, '${/empty} comes where ${/name} was expected'],
    [`${'${#name}'.repeat(6)}${'${/name}'.repeat(6)}`, 40, 'at most 5 deep'],
  ])('%j is faulty at %d', (text, offset, message) => {
    expect(parseTemplate(text).faults[0]).toMatchObject({ offset, message: expect.stringContaining(message) });
  });

  test.each([
    ['${nam}', 0, 'did you mean ${name}?'],
    ['${host.nam}', 0, 'did you mean ${host.name}?'],
    ['${rungs.rung}', undefined, ''],
    ['${rung}', 0, 'there is no field ${rung}; did you mean ${rungs}?'],
    ['${#rungs}${rungg}${/rungs}', 9, 'did you mean ${rung}?'],
    ['${host}', 0, '${host} is no text but holds host.name'],
    ['${#nothing}${/nothing}', 0, 'there is no field ${nothing}'],
    ['${#rungs}${rung} ${host.name}${/rungs}${^none}-${/none}', undefined, ''],
  ])('%j is held against the fields that there are', (text, offset, message) => {
    const faults = checkTemplate(parseTemplate(text).parts, SHAPE);
    expect(faults.map((fault) => fault.offset)).toEqual(offset === undefined ? [] : [offset]);
    expect(faults.map((fault) => fault.message).join('\n')).toContain(message);
  });

  test('of any text is read and filled in without a fault of the program', () => {
    const piece = fc.constantFrom('${', '}', '#', '/', '^', 'name', 'rungs', '$${', '\n', ' ', 'host.name', 'x', '${#');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const { parts } = parseTemplate(pieces.join(''));
        expect(typeof renderTemplate(parts, FIELDS, (text) => text)).toBe('string');
        expect(Array.isArray(checkTemplate(parts, SHAPE))).toBe(true);
      }),
    );
  });

  test('cannot fill a message without end', () => {
    const many: Fields = { items: Array.from({ length: 1_000 }, () => ({ text: 'x'.repeat(1_000) })) };
    const text = renderTemplate(parseTemplate('${#items}${text}${/items}').parts, many, (value) => value);
    expect(text.length).toBeLessThan(100_010);
  });
});
