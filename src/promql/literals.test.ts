import { describe, expect, it } from 'vitest';
import { formatFloat, formatGeneral, parseDurationSeconds, parseNumber } from './literals.ts';
import { isLabelName, quote, unquote } from './string-literals.ts';

describe('parseNumber', () => {
  it.each([
    ['1', 1],
    ['-1.5e3', -1500],
    ['.5', 0.5],
    ['5.', 5],
    ['0x1f', 31],
    ['0b101', 5],
    ['0o17', 15],
    ['017', 15],
    ['08', 8],
    ['1_000', 1000],
    ['0x_ff', 255],
    ['9223372036854775808', 9_223_372_036_854_775_808],
    ['+Inf', Infinity],
    ['-inf', -Infinity],
    ['NaN', NaN],
  ])('reads %s', (text, expected) => {
    expect(parseNumber(text)).toBe(expected);
  });

  it.each(['', 'x', '1x', '1_', '_1', '1__0', '1_0.5', '0xffffffffffffffffff', '1e999', '1e', '--1', '1.2.3', ' 1'])(
    'refuses %j',
    (text) => {
      expect(parseNumber(text)).toBeUndefined();
    },
  );
});

describe('parseDurationSeconds', () => {
  it.each([
    ['0', 0],
    ['5m', 300],
    ['1h30m', 5400],
    ['1y2w3d4h5m6s7ms', 31_536_000 + 1_209_600 + 259_200 + 14_400 + 300 + 6 + 0.007],
    ['100ms', 0.1],
  ])('reads %s', (text, expected) => {
    expect(parseDurationSeconds(text)).toBeCloseTo(expected, 9);
  });

  it.each(['', '5', 'm', '5m1h', '1m1m', '-5m', '1.5h', '300y', '5 m'])('refuses %j', (text) => {
    expect(parseDurationSeconds(text)).toBeUndefined();
  });
});

describe('formatFloat and formatGeneral', () => {
  it.each([
    [1, '1', '1'],
    [-0, '-0', '-0'],
    [0.1, '0.1', '0.1'],
    [1e21, '1000000000000000000000', '1e+21'],
    [1.5e-7, '0.00000015', '1.5e-07'],
    [-123e25, '-1230000000000000000000000000', '-1.23e+27'],
    [Infinity, '+Inf', '+Inf'],
    [NaN, 'NaN', 'NaN'],
  ])('write %d', (value, plain, general) => {
    expect([formatFloat(value), formatGeneral(value)]).toStrictEqual([plain, general]);
  });
});

describe('unquote', () => {
  it.each([
    [String.raw`"a\n\t\"\\"`, 'a\n\t"\\'],
    [String.raw`'it\'s "it"'`, 'it\'s "it"'],
    ['`a\\n"`', 'a\\n"'],
    [String.raw`"\x41\101\u00e9\U0001F600"`, 'AAé😀'],
    [String.raw`"\xc3\xa9"`, 'é'],
    [String.raw`"a\xc5z"`, 'a\udcc5z'],
  ])('reads %s', (literal, expected) => {
    expect(unquote(literal)).toBe(expected);
  });

  it.each([
    '',
    '"',
    '"a',
    `"a'`,
    '"a"b"',
    '"a\nb"',
    String.raw`"\'"`,
    String.raw`"\q"`,
    String.raw`"\x4"`,
    String.raw`"\ud800"`,
    String.raw`"\400"`,
    '`a`b`',
  ])('refuses %j', (literal) => {
    expect(unquote(literal)).toBeUndefined();
  });

  it.each(['', 'plain', 'a"b\\c\n\t\r\u0001\u007f', 'é😀', 'a\udcc5z'])('is undone by quote for %j', (value) => {
    expect(unquote(quote(value))).toBe(value);
  });
});

describe('isLabelName', () => {
  it('takes any UTF-8 but nothing', () => {
    expect(['a', 'a.b', 'é', '', 'a\udcc5'].map(isLabelName)).toStrictEqual([true, true, true, false, false]);
  });
});
