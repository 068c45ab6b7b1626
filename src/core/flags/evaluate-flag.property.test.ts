import type { EvaluationContext as SdkContext } from '@openfeature/core';
import { FlagdCore } from '@openfeature/flagd-core';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonValue } from '../model/step.ts';
import { compileFlag } from './evaluate-flag.ts';
import type { EvaluationContext } from './rule.ts';

/** flagd's own evaluator hashes UTF-16 units, which only for ASCII are the bytes that the format asks for. */
const ascii = fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 30 });
const VARIANTS = { a: 'A', b: 'B', c: 'C', true: 'T', false: 'F' };
const variant = fc.constantFrom('a', 'b', 'c');

const condition: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.record({ '==': fc.tuple(fc.constant({ var: 'plan' }), fc.constantFrom('free', 'paid')) }),
  fc.record({ in: fc.tuple(fc.constantFrom('x', 'y'), fc.constant({ var: 'tags' })) }),
  fc.record({ '<': fc.tuple(fc.constant({ var: 'age' }), fc.integer({ min: 0, max: 99 })) }),
  fc.record({ starts_with: fc.tuple(fc.constant({ var: 'email' }), ascii) }),
  fc.record({ ends_with: fc.tuple(fc.constant({ var: 'email' }), fc.constantFrom('@a.example', 'le')) }),
  fc.record({
    sem_ver: fc.tuple(
      fc.constant({ var: 'version' }),
      fc.constantFrom('=', '!=', '<', '<=', '>', '>=', '^', '~', '==='),
      fc.constantFrom('1.2.3', 'v1', '1.2', '1.2.3-rc.1', '0.9.0+x', 'nonsense'),
    ),
  }),
  fc.record({ '!': fc.tuple(fc.constant({ var: 'beta' })) }),
);

const bucket = fc.tuple(variant, fc.integer({ min: -10, max: 2 ** 29 }));
const fractional: fc.Arbitrary<JsonValue> = fc
  .tuple(
    fc.option(fc.constantFrom<JsonValue>({ var: 'email' }, { cat: ['salt', { var: 'targetingKey' }] }), {
      nil: undefined,
    }),
    fc.array(bucket, { minLength: 1, maxLength: 6 }),
  )
  .map(([by, buckets]): JsonValue => ({ fractional: by === undefined ? buckets : [by, ...buckets] }));

const { rule } = fc.letrec<{ rule: JsonValue }>((tie) => ({
  rule: fc.oneof(
    { depthSize: 'small' },
    variant,
    fractional,
    condition,
    fc.constant(null),
    fc.record({ if: fc.tuple(condition, tie('rule'), tie('rule')) }),
    fc.record({ if: fc.tuple(condition, tie('rule')) }),
    fc.record({ and: fc.tuple(condition, tie('rule')) }),
    fc.record({ or: fc.tuple(condition, tie('rule')) }),
  ),
}));

const context: fc.Arbitrary<EvaluationContext> = fc.record({
  targetingKey: ascii,
  plan: fc.constantFrom('free', 'paid', 'none'),
  tags: fc.subarray(['x', 'y', 'z']),
  age: fc.integer({ min: 0, max: 99 }),
  email: fc.constantFrom('ann@a.example', 'bob@b.example'),
  version: fc.constantFrom('1.2.3', '1.2.4', '2.0.0', '0.9.0', 'broken', '1'),
  beta: fc.boolean(),
});

/** A copy, which the oracle may write into. */
function contextOf(who: EvaluationContext): SdkContext {
  return JSON.parse(JSON.stringify(who));
}

const SILENT = { error() {}, warn() {}, info() {}, debug() {} };

test("what flagd's own evaluator decides for ASCII is decided here", () => {
  fc.assert(
    fc.property(rule, context, (targeting, who) => {
      const flag = { state: 'ENABLED', variants: VARIANTS, defaultVariant: 'c', targeting } as const;
      const oracle = new FlagdCore(undefined, SILENT, { disableDynamicCodeGeneration: true });
      oracle.setConfigurations(JSON.stringify({ flags: { key: flag } }));
      const theirs = oracle.resolveStringEvaluation('key', 'code', contextOf(who), SILENT);
      const ours = compileFlag({ ...flag, key: 'key' }).evaluate(who, 0);
      expect(ours.kind === 'value' ? ours.variant : undefined).toBe(theirs.variant);
    }),
    { numRuns: 2_000 },
  );
});

test('every user is in one bucket, and the buckets are as large as their weights', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 99 }), ascii, (percent, salt) => {
      const targeting = {
        fractional: [{ cat: [salt, { var: 'targetingKey' }] }, ['a', percent], ['b', 100 - percent]],
      };
      const flag = compileFlag({ key: 'key', state: 'ENABLED', variants: VARIANTS, defaultVariant: 'c', targeting });
      const users = Array.from({ length: 4_000 }, (_, index) => flag.evaluate({ targetingKey: `user-${index}` }, 0));
      const inFirst = users.filter((one) => one.kind === 'value' && one.variant === 'a').length;
      // Five standard deviations of a fair draw.
      const deviation = Math.sqrt(4_000 * (percent / 100) * (1 - percent / 100));
      expect(Math.abs(inFirst - percent * 40)).toBeLessThan(5 * deviation + 1);
    }),
    { numRuns: 30, seed: 7 },
  );
});
