import { describe, expect, test } from 'vitest';
import {
  aFlag,
  aPolicy,
  aRun,
  aRung,
  aTrigger,
  aDesired as aWhole,
  ORIGIN,
  setFlagOff,
} from '../../../test/support/policies.ts';
import type { PolicySet } from '../model/desired.ts';
import { comparePolicies } from './compare-policies.ts';

const NOTHING: PolicySet = {
  revision: 'rev-0',
  metricSources: {},
  flags: {},
  policies: {},
  notifiers: {},
  targets: {},
};
const BASE: PolicySet = aWhole();

function changed(change: Partial<PolicySet>) {
  return comparePolicies(BASE, { ...BASE, revision: 'rev-2', ...change });
}

describe('comparing two revisions', () => {
  test('equal ones do not differ, nor do ones whose lines moved', () => {
    expect(changed({})).toEqual([]);
    const moved = aPolicy({ origin: { file: 'other.yaml', line: 9, column: 3 } });
    expect(changed({ policies: { guard: moved } })).toEqual([]);
  });

  test('a trigger: threshold and time, before and after, with the place', () => {
    const origin = { file: 'guard.yaml', line: 7, column: 5 };
    const trigger = aTrigger({ origin, threshold: { kind: 'above', value: 0.3 }, forMs: 5_000, digest: 'trigger-2' });
    expect(changed({ policies: { guard: aPolicy({ triggers: [trigger] }) } })).toEqual([
      {
        object: 'RollbackPolicy/guard trigger latency',
        kind: 'changed',
        origin,
        fields: [
          { field: 'threshold', before: '> 0.5', after: '> 0.3', origin },
          { field: 'for', before: '10s', after: '5s', origin },
        ],
      },
    ]);
  });

  test('a ladder: its order, and a rung that is new', () => {
    const second = aRung({ name: 'restart', do: [aRun(['/bin/restart'])] });
    const changes = changed({ policies: { guard: aPolicy({ ladder: [aRung(), second] }) } });
    expect(changes.map(({ object, kind }) => `${kind} ${object}`)).toEqual([
      'changed RollbackPolicy/guard',
      'added RollbackPolicy/guard rung restart',
    ]);
    expect(changes[0]?.fields).toEqual([
      { field: 'ladder', before: 'flags', after: 'flags → restart', origin: ORIGIN },
    ]);
    expect(changes[1]?.fields).toContainEqual({ field: 'do[0]', after: 'run /bin/restart', origin: ORIGIN });
  });

  test('a step that became another one is one line, and its deadline another', () => {
    const rung = aRung({ do: [{ ...setFlagOff('other'), timeoutMs: 60_000 }] });
    expect(changed({ policies: { guard: aPolicy({ ladder: [rung] }) } })[0]?.fields).toEqual([
      {
        field: 'do[0]',
        before: 'set flag fast-path to its safe variant',
        after: 'set flag other to its safe variant',
        origin: ORIGIN,
      },
      { field: 'do[0].timeout', before: '30s', after: '1m', origin: ORIGIN },
    ]);
  });

  test('a flag: variants, default and places', () => {
    const flag = aFlag({ variants: { on: true, off: false, beta: true }, defaultVariant: 'beta', deliver: [] });
    expect(changed({ flags: { 'fast-path': flag } })[0]?.fields.map(({ field }) => field)).toEqual([
      'variants.beta',
      'defaultVariant',
      'deliver[0].document',
      'deliver[0].entry',
    ]);
  });

  test('everything is added to nothing and removed again, parts with their whole', () => {
    const all = [
      'RollbackPolicy/guard',
      'RollbackPolicy/guard rung flags',
      'RollbackPolicy/guard trigger latency',
      'Flag/fast-path',
    ];
    const added = comparePolicies(NOTHING, BASE);
    expect(added.map(({ object }) => object)).toEqual(all);
    expect(added.every(({ kind }) => kind === 'added')).toBe(true);
    const removed = comparePolicies(BASE, NOTHING);
    expect(removed.map(({ object }) => object)).toEqual(all);
    expect(
      removed.every(({ kind, fields }) => kind === 'removed' && fields.every(({ after }) => after === undefined)),
    ).toBe(true);
  });
});
