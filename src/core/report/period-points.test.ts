import { expect, test } from 'vitest';
import type { Event } from '../event.ts';
import type { Action } from '../model/action.ts';
import type { OperationOutcome } from '../model/operation.ts';
import type { Snapshot } from '../model/point.ts';
import { pointFigures } from './period-points.ts';

const SNAPSHOT: Snapshot = {
  target: 'settings',
  type: 'files',
  manifest: 'm',
  from: 0,
  to: 1,
  bytes: 1_000,
  storedBytes: 100,
  compression: 'zstd',
  encrypted: false,
  fingerprint: 'f',
};

const COLLECT: Action = { kind: 'collect', key: 'collect', sign: '-', reason: '', losesData: false, preconditions: [] };

function operation(id: string, action: Partial<Action>, outcome: OperationOutcome): [Event, Event] {
  const whole = { ...COLLECT, ...action } as Action;
  return [
    {
      at: 0,
      type: 'operation.planned',
      operation: { id, action: whole, plannedAt: 0, state: 'planned', fingerprint: null },
    },
    {
      at: 1,
      type: 'operation.finished',
      id,
      outcome,
      detail: '',
      durationMs: 1,
      ...(outcome === 'done' && whole.kind === 'capture' ? { snapshots: [SNAPSHOT, SNAPSHOT] } : {}),
    },
  ];
}

test('points are counted by what became of them', () => {
  const events = [
    ...operation('a', { kind: 'capture' }, 'done'),
    ...operation('b', { kind: 'capture' }, 'failed'),
    ...operation('c', { kind: 'capture' }, 'notDone'),
    ...operation('d', { kind: 'validate' }, 'failed'),
    ...operation('e', { kind: 'validate' }, 'unknown'),
    ...operation('f', { kind: 'restore' }, 'done'),
    ...operation('g', { kind: 'restore' }, 'unknown'),
    ...operation('h', {}, 'done'),
    { at: 2, type: 'points.pruned', points: [{ id: 'p', reason: 'old', deleteAt: 3 }] } as const,
  ];
  const figures = {
    pointsTaken: 1,
    pointsFailed: 1,
    pointsDamaged: 1,
    pointsPruned: 1,
    capturedBytes: 2_000,
    storedBytes: 200,
    restored: 1,
    failedRestores: 1,
  };
  expect(pointFigures(events, events)).toEqual(figures);
  const ends = events.filter(({ type }) => type !== 'operation.planned');
  expect(pointFigures(ends, events)).toEqual(figures);
});
