import { expect, test } from 'vitest';
import { aDatabase, aPoint, aRestore, aSnapshot } from '../../../test/support/policies.ts';
import type { Event, EventSpec } from '../event.ts';
import type { Action } from '../model/action.ts';
import { projectEvent } from './project-event.ts';

const openedAt = (incident: string): number | null => (incident === 'INC-1' ? 100 : null);
const project = (spec: EventSpec) => projectEvent({ at: 1_100, ...spec } satisfies Event, openedAt);

const common = { key: 'k', sign: '!', reason: 'r', losesData: true, preconditions: [] } as const;
const restore: Action = {
  ...common,
  kind: 'restore',
  target: aDatabase(),
  to: 'p',
  paths: [],
  undo: [],
  activate: [],
  why: { kind: 'command', restore: 'RST-1' },
  timeoutMs: 1,
};
const snapshot = aSnapshot('database', 1);

test.each<[string, Action, object]>([
  ['of a revision of git', restore, { type: 'restore', point: null, strategy: 'immediate' }],
  ['of a point', { ...restore, snapshot }, { point: 'p', strategy: 'immediate' }],
  ['of some paths', { ...restore, snapshot, paths: ['a'] }, { point: 'p', strategy: 'partial' }],
  [
    'that merges',
    { ...restore, snapshot, merge: { conflicts: 'skip', ancestor: snapshot } },
    { point: 'p', strategy: 'merge/skip' },
  ],
  [
    'that is none',
    { ...common, kind: 'step', incident: 'INC-1', rung: 'data', step: aRestore() },
    { type: 'step', point: null, strategy: null },
  ],
])('a restore %s', (_what, action, expected) => {
  const operation = { id: 'k#1', action, plannedAt: 1_100, state: 'planned', fingerprint: null } as const;
  expect(project({ type: 'operation.planned', operation }).operation).toMatchObject({
    id: 'k#1',
    kind: 'planned',
    status: 'planned',
    ...expected,
  });
});

test('what ended has its outcome, or what its merge ended with, and is measured', () => {
  const finished = { type: 'operation.finished', id: 'k#1', detail: 'd', durationMs: 7 } as const;
  const duration = (outcome: string) => ({
    name: 'operation_duration',
    value: 7,
    unit: 'ms',
    tags: { operation: 'k#1', outcome },
  });
  expect(project({ ...finished, outcome: 'failed' })).toEqual({
    operation: { id: 'k#1', kind: 'ended', status: 'failed', detail: 'd', isSuccess: false },
    figures: [duration('failed')],
  });
  const merge = { phases: [], end: 'partiallyCompleted', conflicts: 1, items: [] } as const;
  expect(project({ ...finished, outcome: 'done', merge, snapshots: [snapshot] })).toEqual({
    operation: { id: 'k#1', kind: 'ended', status: 'partiallyCompleted', detail: 'd', isSuccess: true },
    figures: [
      duration('done'),
      { name: 'snapshot_size', value: snapshot.bytes, unit: 'bytes', tags: { target: 'database' } },
    ],
  });
});

test('an incident is measured from its begin; one that nobody knows is not', () => {
  const closed = { type: 'incident.closed', outcome: 'resolved', reason: 'r' } as const;
  expect(project({ ...closed, incident: 'INC-1' }).figures).toEqual([
    { name: 'incident_duration', value: 1_000, unit: 'ms', tags: { incident: 'INC-1', outcome: 'resolved' } },
  ]);
  expect(project({ ...closed, incident: 'INC-2' }).figures).toEqual([]);
});

test('an event names the one point that it is about, and none of several', () => {
  expect(project({ type: 'point.begun', point: aPoint(1) }).point).toBe(aPoint(1).id);
  expect(project({ type: 'points.verifyAsked', points: ['p'], by: 'anna', rehearse: false }).point).toBe('p');
  expect(
    project({ type: 'points.verifyAsked', points: ['p', 'q'], by: 'anna', rehearse: false }).point,
  ).toBeUndefined();
  expect(project({ type: 'source.recovered' })).toEqual({ figures: [] });
});
