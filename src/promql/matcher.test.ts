import { describe, expect, it } from 'vitest';
import { labelsPredicate, valuePredicate } from './matcher.ts';
import type { Matcher } from './series.ts';

describe('valuePredicate', () => {
  it.each<[Matcher['op'], string, readonly string[], readonly string[]]>([
    ['=', 'a', ['a'], ['', 'aa']],
    ['=', '', [''], ['a']],
    ['!=', 'a', ['', 'b'], ['a']],
    ['=~', 'a|b', ['a', 'b'], ['', 'ab', 'a|b']],
    ['=~', 'a|', ['a', ''], ['b']],
    ['=~', '.*', ['', 'a', 'a\nb'], []],
    ['=~', '.+', ['a', '\n'], ['']],
    ['=~', 'a.c', ['abc', 'a\nc'], ['xabc', 'abcx']],
    ['=~', '5..', ['500', '5xx'], ['50', '1500']],
    ['=~', '(?i)get', ['GET', 'get'], ['gets']],
    ['=~', 'a|b.', ['a', 'bx'], ['ax', 'b']],
    ['=~', '\\Qa.b\\E', ['a.b'], ['axb']],
    ['!~', '5..', ['200', ''], ['500']],
  ])('%s %j', (op, value, matching, others) => {
    const test = valuePredicate({ name: 'x', op, value });
    expect(matching.map((text) => test?.(text))).toStrictEqual(matching.map(() => true));
    expect(others.map((text) => test?.(text))).toStrictEqual(others.map(() => false));
  });

  it('has none for what is no RE2', () => {
    expect(valuePredicate({ name: 'x', op: '=~', value: '(?!a)' })).toBeUndefined();
    expect(valuePredicate({ name: 'x', op: '!~', value: 'a**' })).toBeUndefined();
  });
});

describe('labelsPredicate', () => {
  it('wants all matchers met, an absent label being empty', () => {
    const test = labelsPredicate([
      { name: 'job', op: '=', value: 'a' },
      { name: 'constructor', op: '=', value: '' },
    ]);
    expect([test({ job: 'a' }), test({ job: 'a', constructor: 'x' }), test({})]).toStrictEqual([true, false, false]);
  });

  it('refuses what is no RE2', () => {
    expect(() => labelsPredicate([{ name: 'x', op: '=~', value: '(' }])).toThrow('no valid RE2');
  });
});
