import { expect, test } from 'vitest';
import { compileFlag, type Evaluation, type FlagDefinition } from './evaluate-flag.ts';
import type { EvaluationContext } from './rule.ts';

const FLAG: FlagDefinition = {
  key: 'flag',
  state: 'ENABLED',
  variants: { on: true, off: false, zero: 0, text: '', true: 'yes', 2: 'two' },
  defaultVariant: 'off',
};
const SECOND = 1_000;

type Case = readonly [
  what: string,
  flag: Partial<FlagDefinition>,
  context: EvaluationContext,
  evaluation: Partial<Evaluation> & { readonly kind: Evaluation['kind'] },
];

const CASES: readonly Case[] = [
  ['a flag without targeting is static', {}, {}, { kind: 'value', variant: 'off', value: false, reason: 'STATIC' }],
  ['an empty targeting is none', { targeting: {} }, {}, { kind: 'value', reason: 'STATIC' }],
  ['values that look like nothing are values', { defaultVariant: 'zero' }, {}, { kind: 'value', value: 0 }],
  ['so are empty texts', { defaultVariant: 'text' }, {}, { kind: 'value', value: '' }],
  [
    'a disabled flag has no value',
    { state: 'DISABLED', targeting: 'on' },
    {},
    { kind: 'codeDefault', reason: 'DISABLED' },
  ],
  [
    'without a default the application decides',
    { defaultVariant: null },
    {},
    { kind: 'codeDefault', reason: 'DEFAULT' },
  ],
  ['targeting names a variant', { targeting: 'on' }, {}, { kind: 'value', value: true, reason: 'TARGETING_MATCH' }],
  ['null is the default', { targeting: { var: 'x' } }, {}, { kind: 'value', variant: 'off', reason: 'DEFAULT' }],
  [
    'null without a default',
    { targeting: { var: 'x' }, defaultVariant: null },
    {},
    { kind: 'codeDefault', reason: 'DEFAULT' },
  ],
  ['truths are names of variants', { targeting: { '==': [1, 1] } }, {}, { kind: 'value', value: 'yes' }],
  ['so are numbers', { targeting: { '+': [1, 1] } }, {}, { kind: 'value', value: 'two' }],
  ['an unknown variant', { targeting: { var: 'x' } }, { x: 'toString' }, { kind: 'failure', errorCode: 'GENERAL' }],
  ['a result that is no name', { targeting: { var: 'x' } }, { x: { y: 1 } }, { kind: 'failure', errorCode: 'GENERAL' }],
  ['an unknown default', { defaultVariant: 'gone' }, {}, { kind: 'failure', errorCode: 'GENERAL' }],
  [
    'an unknown default of a flag whose targeting decides',
    { defaultVariant: 'gone', targeting: 'on' },
    {},
    { kind: 'value' },
  ],
  ['targeting that cannot run', { targeting: { nonsense: 1 } }, {}, { kind: 'failure', errorCode: 'PARSE_ERROR' }],
  [
    'a key that a rule needs',
    { targeting: { fractional: [['on', 1]] } },
    {},
    { kind: 'failure', errorCode: 'TARGETING_KEY_MISSING' },
  ],
  [
    'targeting that comes to no end',
    { targeting: { map: [{ var: 'x' }, { map: [{ var: '' }, { map: [{ var: '' }, 1] }] }] } },
    { x: Array.from({ length: 300 }, () => Array.from({ length: 300 }, () => Array.from({ length: 10 }, () => 1))) },
    { kind: 'failure', errorCode: 'GENERAL' },
  ],
];

test.each(CASES)('%s', (_what, flag, context, evaluation) => {
  expect(compileFlag({ ...FLAG, ...flag }).evaluate(context, 0)).toMatchObject(evaluation);
});

test('the time is a parameter, in whole seconds for the rule', () => {
  const targeting = { if: [{ '>=': [{ var: '$flagd.timestamp' }, 100] }, 'on', 'off'] };
  const flag = compileFlag({ ...FLAG, targeting });
  expect(flag.evaluate({}, 100 * SECOND - 1)).toMatchObject({ variant: 'off' });
  expect(flag.evaluate({}, 100 * SECOND)).toMatchObject({ variant: 'on' });
});

test('who holds a flag goes before its state and its targeting', () => {
  for (const flag of [{}, { state: 'DISABLED' }, { targeting: { nonsense: 1 } }] as const) {
    expect(compileFlag({ ...FLAG, ...flag }).heldAt('on')).toMatchObject({
      kind: 'value',
      value: true,
      reason: 'STATIC',
    });
  }
});

test('a context that is nested as deep as a body can be breaks nothing', () => {
  const depth = 200_000;
  const context = JSON.parse(`{"x": ${'['.repeat(depth)}${']'.repeat(depth)}}`) as EvaluationContext;
  const targeting = { cat: [{ var: 'x' }] };
  expect(compileFlag({ ...FLAG, targeting }).evaluate(context, 0)).toMatchObject({
    kind: 'failure',
    errorCode: 'GENERAL',
  });
});
