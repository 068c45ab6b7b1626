import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../model/step.ts';
import { compileRule } from './compile-rule.ts';
import { outcomesOf } from './outcomes.ts';
import { type EvaluationContext, MOST_STEPS, RuleError } from './rule.ts';

const CONTEXT: EvaluationContext = {
  targetingKey: 'user-1',
  age: 30,
  name: 'ann',
  tags: ['a', 'b'],
  numbers: [1, 2, 3],
  user: { city: 'Berlin', roles: [{ id: 7 }] },
  empty: '',
  nothing: null,
};

function run(
  rule: JsonValue,
  context: EvaluationContext = CONTEXT,
  evaluators: Record<string, JsonValue> = {},
): JsonValue {
  const compiled = compileRule(rule, evaluators);
  if (compiled.run === null) throw new Error(compiled.faults.map(({ message }) => message).join('; '));
  return compiled.run({ data: context, context, flagKey: 'flag', timestamp: 1_700_000_000, steps: MOST_STEPS });
}

describe('JsonLogic', () => {
  test.each<[rule: JsonValue, value: JsonValue]>([
    ['text', 'text'],
    [{}, {}],
    [{ var: 'age' }, 30],
    [{ var: ['age'] }, 30],
    [{ var: 'absent' }, null],
    [{ var: ['absent', 5] }, 5],
    [{ var: 'user.city' }, 'Berlin'],
    [{ var: 'user.roles.0.id' }, 7],
    [{ var: { cat: ['user', '.', 'city'] } }, 'Berlin'],
    [{ var: 'user.city.length' }, null],
    [{ var: 'toString' }, null],
    [{ var: 'constructor.name' }, null],
    [{ var: '__proto__' }, null],
    [{ var: '$flagd.flagKey' }, 'flag'],
    [{ var: '$flagd.timestamp' }, 1_700_000_000],
    [{ var: '$flagd' }, { flagKey: 'flag', timestamp: 1_700_000_000 }],
    [{ var: { cat: '$flagd.flagKey' } }, 'flag'],
    [{ '==': [1, '1'] }, true],
    [{ '==': [null, 0] }, false],
    [{ '==': [null, null] }, true],
    [{ '===': [1, '1'] }, false],
    [{ '!=': [1, '1'] }, false],
    [{ '!==': [1, '1'] }, true],
    [{ '<': [1, { var: 'age' }, 40] }, true],
    [{ '<': [1, { var: 'age' }, 20] }, false],
    [{ '>=': ['b', 'a'] }, true],
    [{ '>': [{ var: 'name' }, 3] }, false],
    [{ '!': [[]] }, true],
    [{ '!!': ['0'] }, true],
    [{ '!': [0] }, true],
    [{ and: [1, 'x', 0, 'y'] }, 0],
    [{ or: [0, '', 'z', 'y'] }, 'z'],
    [{ if: [false, 'a', true, 'b', 'c'] }, 'b'],
    [{ if: [false, 'a', false, 'b', 'c'] }, 'c'],
    [{ if: [false, 'a'] }, null],
    [{ '?:': [true, 'a', 'b'] }, 'a'],
    [{ '+': ['1', 2] }, 3],
    [{ '+': '3' }, 3],
    [{ '-': [5] }, -5],
    [{ '-': [5, 2] }, 3],
    [{ '*': [2, 3, 4] }, 24],
    [{ '/': [1, 0] }, null],
    [{ '%': [7, 4] }, 3],
    [{ '+': ['x'] }, null],
    [{ max: [1, 3, 2] }, 3],
    [{ min: [1, 3, 2] }, 1],
    [{ cat: ['a', null, 1, true] }, 'a1true'],
    [{ in: ['in', 'Berlin'] }, true],
    [{ in: ['c', { var: 'tags' }] }, false],
    [{ in: ['a', { var: 'tags' }] }, true],
    [{ in: ['a', null] }, false],
    [{ substr: ['jsonlogic', -5] }, 'logic'],
    [{ substr: ['jsonlogic', 1, 3] }, 'son'],
    [{ substr: ['jsonlogic', 4, -2] }, 'log'],
    [{ merge: [[1], 2, [3, 4]] }, [1, 2, 3, 4]],
    [{ map: [{ var: 'numbers' }, { '*': [{ var: '' }, 2] }] }, [2, 4, 6]],
    [{ filter: [{ var: 'numbers' }, { '>': [{ var: '' }, 1] }] }, [2, 3]],
    [{ reduce: [{ var: 'numbers' }, { '+': [{ var: 'current' }, { var: 'accumulator' }] }, 10] }, 16],
    [{ all: [{ var: 'numbers' }, { '>': [{ var: '' }, 0] }] }, true],
    [{ all: [[], true] }, false],
    [{ some: [{ var: 'tags' }, { '==': [{ var: '' }, 'b'] }] }, true],
    [{ none: [{ var: 'tags' }, { '==': [{ var: '' }, 'c'] }] }, true],
    [{ some: [{ var: 'absent' }, true] }, false],
    [{ missing: ['age', 'absent', 'empty', 'nothing'] }, ['absent', 'empty', 'nothing']],
    [{ missing_some: [1, ['age', 'absent']] }, []],
    [{ missing_some: [2, ['age', 'absent']] }, ['absent']],
    // A list that is within another one sees the outer item, and what comes after it the context again.
    [{ if: [{ some: [{ var: 'tags' }, { '==': [{ var: '' }, 'b'] }] }, { var: 'name' }, 'no'] }, 'ann'],
  ])('%j', (rule, value) => {
    expect(run(rule)).toEqual(value);
  });
});

describe('what flagd adds', () => {
  test.each<[rule: JsonValue, value: JsonValue]>([
    [{ starts_with: [{ var: 'name' }, 'a'] }, true],
    [{ ends_with: [{ var: 'name' }, 'a'] }, false],
    [{ starts_with: [{ var: 'age' }, '3'] }, null],
    [{ ends_with: ['x'] }, null],
    [{ sem_ver: ['1.2.3', '>', '1.2.2'] }, true],
    [{ sem_ver: ['1.2.3', '!=', '1.2.3'] }, false],
    [{ sem_ver: ['1.2.3', '<=', '1.2.3'] }, true],
    [{ sem_ver: ['1.2.3', '>=', '1.2.4'] }, false],
    [{ sem_ver: ['1.9.0', '^', 'v1'] }, true],
    [{ sem_ver: ['2.0.0', '^', '1.0.0'] }, false],
    [{ sem_ver: ['1.2.9', '~', '1.2.0'] }, true],
    [{ sem_ver: ['1.3.0', '~', '1.2.0'] }, false],
    [{ sem_ver: [1.2, '<', '1.10.0'] }, true],
    [{ sem_ver: ['1.0.0', '===', '1.0.0'] }, null],
    [{ sem_ver: ['x', '=', '1.0.0'] }, null],
    [{ sem_ver: ['1.0.0', '='] }, null],
    [{ fractional: [['only', 1]] }, 'only'],
    [{ fractional: ['key', ['never', 0], ['always', 100]] }, 'always'],
    [{ fractional: ['key', ['never', -50], ['always', 100]] }, 'always'],
    [{ fractional: ['key', ['none', 0], ['neither', 0]] }, null],
    [{ fractional: ['key', ['half', 0.5], ['rest', 1]] }, null],
    [{ fractional: ['key', ['much', 2 ** 31]] }, null],
    [{ fractional: ['key', ['much', 2 ** 31 - 1]] }, 'much'],
    [{ fractional: [{ var: 'absent' }, ['one', 1]] }, null],
    [{ fractional: [{ var: 'age' }, ['one', 1]] }, null],
    [{ fractional: ['key', [{ var: 'name' }, { var: 'age' }]] }, 'ann'],
    [{ fractional: ['key', ['x', { var: 'name' }]] }, null],
    [
      {
        if: [
          {
            fractional: [
              [false, 0],
              [true, 1],
            ],
          },
          'yes',
          'no',
        ],
      },
      'yes',
    ],
  ])('%j', (rule, value) => {
    expect(run(rule)).toEqual(value);
  });

  test('users are bucketed by the key of the flag and their own', () => {
    const coin: JsonValue = { fractional: [['heads'], ['tails', 1]] };
    const byBoth = {
      fractional: [{ cat: [{ var: '$flagd.flagKey' }, { var: 'targetingKey' }] }, ['heads'], ['tails']],
    };
    for (let user = 0; user < 100; user += 1) {
      const context = { targetingKey: `user-${user}` };
      expect(run(coin, context)).toBe(run(byBoth, context));
    }
  });

  test('who has no targeting key is told so, but only by a rule that needs it', () => {
    const rule: JsonValue = { if: [{ var: 'beta' }, { fractional: [['on', 1]] }, null] };
    expect(run(rule, {})).toBeNull();
    expect(() => run(rule, { beta: true })).toThrow(RuleError);
    expect(() => run(rule, { beta: true, targetingKey: 7 })).toThrow(RuleError);
    expect(run(rule, { beta: true, targetingKey: '' })).toBe('on');
  });

  test('a context cannot pretend to be flagd, nor reach a prototype', () => {
    const context = JSON.parse('{"$flagd": {"flagKey": "x"}, "__proto__": {"admin": true}}') as EvaluationContext;
    expect(run({ var: '$flagd.flagKey' }, context)).toBe('flag');
    expect(run({ var: 'admin' }, context)).toBeNull();
    expect(run({ var: '__proto__.admin' }, context)).toBe(true);
  });

  test('evaluators are rules that others refer to', () => {
    const evaluators = {
      grown: { '>=': [{ var: 'age' }, 18] },
      ann: { and: [{ $ref: 'grown' }, { '==': [{ var: 'name' }, 'ann'] }] },
    };
    expect(run({ if: [{ $ref: 'ann' }, 'on', 'off'] }, CONTEXT, evaluators)).toBe('on');
    expect(run({ if: [{ $ref: 'ann' }, 'on', 'off'] }, { age: 17, name: 'ann' }, evaluators)).toBe('off');
  });
});

describe('faults', () => {
  test.each<[rule: JsonValue, path: (string | number)[], message: RegExp]>([
    [{ if: [{ equal: [1, 1] }, 'on'] }, ['if', 0], /no operator `equal`/],
    [{ if: [{ '==': [1, 1], '!=': [1, 2] }, 'on'] }, ['if', 0], /an operation has one name; found ==, !=/],
    [{ $ref: 'nobody' }, [], /no evaluator "nobody"/],
    [{ fractional: ['key'] }, [], /has no buckets/],
    [{ fractional: ['key', 'on'] }, ['fractional', 1], /a bucket is \[VARIANT\]/],
    [{ $ref: 'loop' }, ['evaluators', 'loop', '!'], /"loop" refers to itself/],
    [{ $ref: 'long' }, ['evaluators', 'long'], /more than 10000 operations/],
    [{ $ref: 'wide9' }, ['evaluators', 'wide7'], /more than 10000 operations/],
  ])('%j cannot run', (rule, path, message) => {
    const doubling = Object.fromEntries(
      Array.from({ length: 30 }, (_, at) => [
        `wide${30 - at}`,
        { or: [1, 2, 3, 4].map(() => ({ $ref: `wide${29 - at}` })) },
      ]),
    );
    const { run: runs, faults } = compileRule(rule, {
      loop: { '!': { $ref: 'loop' } },
      ...doubling,
      wide0: 1,
      long: { or: Array(12_000).fill(1) },
    });
    expect(runs).toBeNull();
    expect(faults.find(({ fatal }) => fatal)?.message).toMatch(message);
    expect(faults.find(({ fatal }) => fatal)?.path.slice(0, path.length)).toEqual(path);
  });

  test('what is nested too deep cannot run, and does not end the process', () => {
    let rule: JsonValue = 1;
    for (let depth = 0; depth < 50_000; depth += 1) rule = { '!': [rule] };
    expect(compileRule(rule).run).toBeNull();
  });

  test.each<[rule: JsonValue, path: (string | number)[], message: RegExp]>([
    [{ fractional: ['key', ['on', 1]] }, ['fractional', 0], /the same for all of them/],
    [
      {
        fractional: [
          ['on', 0.5],
          ['off', 1],
        ],
      },
      ['fractional', 0, 1],
      /a whole number/,
    ],
    [
      {
        fractional: [
          ['on', -1],
          ['off', 1],
        ],
      },
      ['fractional', 0, 1],
      /a whole number/,
    ],
    [{ fractional: [['on', 2 ** 31]] }, ['fractional', 0, 1], /a whole number from 0 to 2147483647/],
    [
      {
        fractional: [
          ['on', 2 ** 30],
          ['off', 2 ** 30],
        ],
      },
      [],
      /the weights are 2147483648 together/,
    ],
    [
      {
        fractional: [
          ['on', 0],
          ['off', 0],
        ],
      },
      [],
      /all weights are 0/,
    ],
    [{ sem_ver: [{ var: 'v' }, '===', '1'] }, ['sem_ver', 1], /compares by/],
    [{ starts_with: ['a'] }, [], /`starts_with` has 2 arguments; found 1/],
    [{ substr: ['a'] }, [], /`substr` has 2 or 3 arguments/],
    [{ if: [true] }, [], /a condition and what follows/],
    [{ some: [[1]] }, [], /a list and a rule/],
  ])('%j is doubtful, and runs as flagd would run it', (rule, path, message) => {
    const { run: runs, faults } = compileRule(rule);
    expect(runs).not.toBeNull();
    expect(faults[0]?.message).toMatch(message);
    expect(faults[0]?.path).toEqual(path);
  });

  test('a near name is suggested', () => {
    expect(compileRule({ start_with: ['a', 'b'] }).faults[0]?.suggestion).toBe('starts_with');
  });

  test.each<[string, JsonValue]>([
    ['items of items', { map: [{ var: 'many' }, { map: [{ var: '' }, { map: [{ var: '' }, 1] }] }] }],
    ['nested lists', { reduce: [{ var: 'many' }, { merge: [{ var: 'accumulator' }, { var: 'accumulator' }] }, [1]] }],
    ['texts', { reduce: [{ var: 'many' }, { cat: [{ var: 'accumulator' }, { var: 'accumulator' }] }, 'ab'] }],
  ])('%s that take for ever come to an end', (_name, rule) => {
    const many = Array.from({ length: 2_000 }, () => Array.from({ length: 200 }, () => [1]));
    expect(() => run(rule, { many })).toThrow(RuleError);
  });
});

test('who asks for a variant and gets a truth names it too', () => {
  expect(outcomesOf({ in: ['a', { var: 'x' }] }, {}, []).map(({ value }) => value)).toEqual([true, false]);
  expect(outcomesOf({ and: [{ '!': [{ var: 'x' }] }, 'on'] }, {}, []).map(({ value }) => value)).toEqual([false, 'on']);
  expect(outcomesOf({ or: [{ '!': [{ var: 'x' }] }, { var: 'y' }, 'off'] }, {}, []).map(({ value }) => value)).toEqual([
    true,
    'off',
  ]);
});

test('the outcomes of a rule are what its branches and buckets name', () => {
  const rule: JsonValue = {
    if: [
      { '==': ['x', 'y'] },
      'a',
      { var: 'z' },
      { fractional: [['b', 1], [{ if: [true, 'c'] }]] },
      { or: [null, { $ref: 'd' }] },
    ],
  };
  expect(outcomesOf(rule, { d: { and: ['e', 'f'] } }, ['targeting'])).toEqual([
    { value: 'a', path: ['targeting', 'if', 1] },
    { value: 'b', path: ['targeting', 'if', 3, 'fractional', 0, 0] },
    { value: 'c', path: ['targeting', 'if', 3, 'fractional', 1, 0, 'if', 1] },
    { value: 'f', path: ['evaluators', 'd', 'and', 1] },
  ]);
});
