import { describe, expect, test } from 'vitest';
import { ORIGIN } from '../../../test/support/policies.ts';
import { EMPTY_MEMORY, type Memory } from '../memory.ts';
import type { Action } from '../model/action.ts';
import { plannedOperation } from '../model/operation.ts';
import type { Observed } from '../observed.ts';
import { judgeSavedPlan } from './saved-plan.ts';

function aDelivery(change: { key?: string; preconditions?: readonly string[] } = {}): Action {
  return {
    kind: 'deliver',
    key: 'deliver:envFile:/app.env@1',
    sign: '~',
    reason: 'git wants it',
    origin: ORIGIN,
    losesData: false,
    preconditions: ['envFile:/app.env#FAST_PATH git'],
    document: { kind: 'envFile', path: '/app.env' },
    changes: [{ flag: 'fast-path', place: 'envFile:/app.env#FAST_PATH', entry: 'FAST_PATH', before: 'a', after: 'b' }],
    takeUp: [],
    ...change,
  };
}

const REPORT: Action = {
  kind: 'report',
  key: 'report:INC-1',
  sign: '>',
  reason: 'closed',
  losesData: false,
  preconditions: [],
  incident: 'INC-1',
};

function shows(value: string): Observed['documents'] {
  const sight = { kind: 'read', at: 1, exists: true, digest: 'd', entries: ['FAST_PATH'] } as const;
  return { 'envFile:/app.env': { ...sight, values: { FAST_PATH: value } } };
}

const busy: Memory = { ...EMPTY_MEMORY, operations: { one: plannedOperation(aDelivery(), { number: 1, at: 0 }) } };

function judge(present: readonly Action[], memory = EMPTY_MEMORY, value = 'a') {
  const saved = { actions: [REPORT], withheld: [aDelivery()] };
  const { same, underWay, done, moved } = judgeSavedPlan(
    saved,
    { actions: [], withheld: present },
    { memory, documents: shows(value) },
  );
  return { same: same.length, underWay: underWay.length, done: done.length, moved: moved.map(({ why }) => why) };
}

const NONE = { same: 0, underWay: 0, done: 0, moved: [] };

describe('an action of a saved plan', () => {
  test.each([
    ['is the same', judge([aDelivery()]), { ...NONE, same: 1 }],
    ['is the same beside others', judge([aDelivery(), aDelivery({ key: 'other' })]), { ...NONE, same: 1 }],
    ['is under way', judge([], busy), { ...NONE, underWay: 1 }],
    ['is done', judge([], EMPTY_MEMORY, 'b'), { ...NONE, done: 1 }],
    ['is not due any more', judge([]), { ...NONE, moved: ['it would not be done now any more'] }],
    [
      'rests on something else',
      judge([aDelivery({ preconditions: ['envFile:/app.env#FAST_PATH latch:a'] })]),
      {
        ...NONE,
        moved: ['it rested on envFile:/app.env#FAST_PATH git, and would rest on envFile:/app.env#FAST_PATH latch:a'],
      },
    ],
  ])('%s', (_title, found, expected) => {
    expect(found).toEqual(expected);
  });
});
