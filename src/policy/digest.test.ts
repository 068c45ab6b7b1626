import { expect, it } from 'vitest';
import { policyFile } from '../../test/tools/policy-fixtures.ts';
import { canonicalJson, digestOf } from './digest.ts';
import { loadPolicies } from './load.ts';

it('does not depend on the order of keys, nor on keys without a value', () => {
  expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: true, e: undefined })).toBe(
    '{"a":true,"b":[1,{"c":"x","d":null}]}',
  );
  expect(digestOf({ a: 1, b: 2 })).toBe(digestOf({ b: 2, a: 1 }));
  expect(digestOf([1, 2])).not.toBe(digestOf([2, 1]));
});

function load(flagLines: string, triggerLines: string, checkLine: string) {
  const text = `apiVersion: revertd.dev/v1
kind: Flag
metadata: { name: fast }
spec: { variants: { blue: 1, red: 2 }, ${flagLines} }
---
apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: slow }
spec:
  triggers: [{ name: t, query: x, ${triggerLines} }]
  ladder: [{ rung: r, do: [{ setFlag: { flag: fast, to: { variant: red } } }], verify: { checks: [${checkLine}] } }]
`;
  const result = loadPolicies([policyFile('f.yaml', text)], { revision: 'r', host: {}, hostLabels: {} });
  if (!result.ok) throw new Error('the text must load');
  const policy = result.desired.policies['slow'];
  return {
    flag: result.desired.flags['fast']?.digest,
    trigger: policy?.triggers[0]?.digest,
    check: policy?.ladder[0]?.verify.checks[0]?.key,
  };
}

const BASE = ['defaultVariant: blue', 'above: 1, for: 1m', '{ unit: { name: a.service, is: active } }'] as const;

it('changes with the meaning, and with nothing else', () => {
  const base = load(...BASE);
  expect(load('drift: report, safeVariant: red, defaultVariant: blue', 'for: 60s, above: 1', BASE[2])).toEqual(base);
  expect(load('defaultVariant: red', BASE[1], BASE[2])).toEqual({
    ...base,
    flag: expect.not.stringMatching(base.flag ?? ''),
  });
  expect(load(BASE[0], 'above: 2, for: 1m', BASE[2])).toEqual({
    ...base,
    trigger: expect.not.stringMatching(base.trigger ?? ''),
  });
  const other = load(BASE[0], BASE[1], '{ unit: { name: b.service, is: active } }');
  expect(other).toEqual({ ...base, check: expect.not.stringMatching(base.check ?? '') });
});
