import { expect, test } from 'vitest';
import { loadSpec } from '../../test/support/policy-tests.ts';

const ANY = 'expect: [{ at: 1m, nothing: true }]';

test.each([
  [
    'a series with a typo',
    `input: [{ series: 'latency{job="shop"', values: "1x3" }]\n${ANY}`,
    'E-SERIES',
    'expected , or }',
  ],
  ['values with a typo', `input: [{ series: latency, values: "1x3 2+" }]\n${ANY}`, 'E-SERIES', 'unexpected 2+'],
  [
    'a series twice',
    `input: [{ series: a, values: "1" }, { series: a, values: "2" }]\n${ANY}`,
    'E-DUPLICATE-NAME',
    'twice',
  ],
  [
    'a source that is not there',
    `input: [{ series: 'a{job="shpo"}', values: "1" }]\n${ANY}`,
    'E-NO-METRICSOURCE',
    '"shop"',
  ],
  [
    'a trigger that is not there',
    'expect: [{ at: 1m, triggers: { guard/slwo: firing } }]',
    'E-NO-TRIGGER',
    '"guard/slow"',
  ],
  ['a flag that is not there', 'expect: [{ at: 1m, flags: { prcing: "on" } }]', 'E-NO-FLAG', 'did you mean "pricing"?'],
  ['a variant that is not there', 'expect: [{ at: 1m, flags: { pricing: "onn" } }]', 'E-NO-VARIANT', '"on"'],
  ['a rung that is not there', 'expect: [{ at: 1m, rungs: [flag] }]', 'E-NO-RUNG', '"flags"'],
  [
    'a notifier that is not there',
    'expect: [{ at: 1m, notifications: [{ to: [oncal] }] }]',
    'E-NO-NOTIFIER',
    '"oncall"',
  ],
  [
    'a document that is not there',
    'expect: [{ at: 1m, documents: { /etc/shop/evn: { A: "1" } } }]',
    'E-NO-DOCUMENT',
    '/etc/shop/env',
  ],
  [
    'an entry that is not there',
    'expect: [{ at: 1m, documents: { /etc/shop/env: { PRICNG: "1" } } }]',
    'E-NO-ENTRY',
    '"PRICING"',
  ],
  [
    'a step that is not there',
    `events: [{ at: 1s, fail: { step: restart shp.service } }]\n${ANY}`,
    'E-NO-STEP',
    'restart shop.service',
  ],
  [
    'a check that is not there',
    `events: [{ at: 1s, check: { of: /helth, is: "false" } }]\n${ANY}`,
    'E-NO-CHECK',
    '/health',
  ],
  ['a state that there is not', 'expect: [{ at: 1m, triggers: { guard/slow: fireing } }]', 'E-', 'firing'],
  ['a key that there is not', 'expect: [{ at: 1m, trigers: { guard/slow: firing } }]', 'E-', 'triggers'],
  ['neither at nor within', 'expect: [{ nothing: true, rungs: [] }]', 'E-', 'within'],
  [
    'times that go back',
    'expect: [{ at: 2m, nothing: true }, { at: 1m, nothing: true }]',
    'E-ORDER',
    '1m comes after 2m',
  ],
  ['a test that is too long', 'expect: [{ at: 30d, nothing: true }]', 'E-LONG', 'at most 20000'],
  [
    'a commit of what is not there',
    `events: [{ at: 1s, commit: { Flag/prcing: { state: DISABLED } } }]\n${ANY}`,
    'E-COMMIT',
    'did you mean Flag/pricing?',
  ],
  [
    'a commit that would be refused',
    `events: [{ at: 1s, commit: { Flag/pricing: null } }]\n${ANY}`,
    'E-COMMIT',
    'E-NO-FLAG',
  ],
  [
    'a variable that is not there',
    'expect: [{ at: 1m, documents: { "${host.env}": { A: "1" } } }]',
    'E-VARIABLE',
    'env',
  ],
])('%s is a fault', (_name, spec, code, words) => {
  const { tests, diagnostics } = loadSpec(spec);
  expect(tests).toEqual([]);
  const [fault] = diagnostics;
  expect(fault).toMatchObject({ severity: 'error', file: 'tests.yaml' });
  expect(fault?.code).toContain(code);
  expect(`${fault?.message} ${fault?.expected ?? ''}`).toContain(words);
});

test('a fault of the policies is reported once, however many tests there are', () => {
  const { tests, diagnostics } = loadSpec(ANY, 'apiVersion: revertd.dev/v1\nkind: Flagg\n');
  expect(tests).toEqual([]);
  expect(diagnostics.map(({ code }) => code)).toEqual(['E-KIND']);
});
