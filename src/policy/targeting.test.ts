import { describe, expect, test } from 'vitest';
import { policyFile } from '../../test/tools/policy-fixtures.ts';
import type { Flag } from '../core/model/flag.ts';
import { loadPolicies } from './load.ts';

const flag = (name: string, more: string): string => `apiVersion: revertd.dev/v1
kind: Flag
metadata: { name: ${name} }
spec:
  variants: { "on": true, "off": false }
  defaultVariant: "off"
${more}
`;

const STAFF = (domain: string): string =>
  flag(
    'rules',
    `  evaluators:
    staff: { ends_with: [{ var: email }, "${domain}"] }
    known: { or: [{ $ref: staff }, { var: known }] }`,
  );
const USES = flag('uses', '  targeting: { if: [{ $ref: known }, "on", null] }');

function flagsOf(...texts: string[]): Readonly<Record<string, Flag>> {
  const files = texts.map((text, index) => policyFile(`${index}.yaml`, text));
  const result = loadPolicies(files, { revision: 'r', host: { domain: '@b.example' }, hostLabels: {} });
  if (!result.ok) throw new Error(result.diagnostics.map(({ message }) => message).join('; '));
  return result.desired.flags;
}

describe('targeting', () => {
  test('comes with the evaluators that it refers to, of other flags and by way of each other', () => {
    const { uses, rules } = flagsOf(USES, STAFF('@a.example'));
    expect(uses?.evaluators).toEqual({
      known: { or: [{ $ref: 'staff' }, { var: 'known' }] },
      staff: { ends_with: [{ var: 'email' }, '@a.example'] },
    });
    expect(rules?.evaluators).toBeUndefined();
  });

  test('has the variables of the host filled in', () => {
    const { uses } = flagsOf(STAFF('${host.domain}'), USES);
    expect(uses?.evaluators?.['staff']).toEqual({ ends_with: [{ var: 'email' }, '@b.example'] });
  });

  test('belongs to what a latch waits for a change of, with its evaluators; metadata do not', () => {
    const digest = (...texts: string[]) => flagsOf(...texts)['uses']?.digest;
    const before = digest(USES, STAFF('@a.example'));
    expect(digest(STAFF('@a.example'), USES)).toBe(before);
    expect(digest(USES, STAFF('@b.example'))).not.toBe(before);
    expect(digest(flag('uses', '  targeting: { if: [{ var: x }, "on", null] }'))).not.toBe(before);
    const bare = digest(flag('uses', ''));
    expect(digest(flag('uses', '  metadata: { owner: a }'))).toBe(bare);
    expect(digest(flag('uses', '  targeting: {}'))).toBe(bare);
  });
});
