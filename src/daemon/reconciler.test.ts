import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { aDesired, aFlag, aPolicy, aRun, aRung } from '../../test/support/policies.ts';
import type { Reading } from '../core/observed.ts';
import { Store } from '../store/store.ts';
import { createHands } from './apply/hands.ts';
import { CheckWatch } from './observe/check-watch.ts';
import { DocumentWatch } from './observe/document-watch.ts';
import { MeasureWatch } from './observe/measure-watch.ts';
import { TargetWatch } from './observe/target-watch.ts';
import { Reconciler } from './reconciler.ts';

let folder: string;
let store: Store;
let now: number;
let started: string[];
let reconciler: Reconciler;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'revertd-reconciler-'));
  store = new Store(folder);
  now = 1_000_000;
  started = [];
  const { places, targets } = createHands({}, {});
  const checks = new CheckWatch(
    (check) => Promise.resolve({ key: check.key, outcome: 'true', detail: '' }),
    () => now,
    () => {},
  );
  reconciler = new Reconciler({
    store,
    now: () => now,
    documents: new DocumentWatch(
      places,
      () => now,
      () => {},
    ),
    checks,
    targets: new TargetWatch(
      targets,
      () => now,
      () => {},
    ),
    measures: new MeasureWatch({
      query: ({ key }) => ({ key, at: 0, value: null, detail: 'not measured' }),
      count: () => Promise.resolve({ value: null, detail: 'not counted' }),
      now: () => 0,
      onChange: () => undefined,
    }),
    windows: () => ({}),
    drills: () => ({}),
    abandon: () => {},
    schedules: () => ({}),
    halt: () => null,
    start: (operation) => started.push(operation.action.kind),
    onPlan: () => {},
    onWants: () => {},
    onEvents: () => {},
    onFault: (error) => {
      throw error;
    },
  });
  reconciler.record('revertd', { type: 'daemon.started', version: '0', host: 'test', pid: 1 });
  const ladder = [aRung({ do: [aRun(['restart'])] })];
  const flags = { 'fast-path': aFlag({ deliver: [] }) };
  reconciler.follow(aDesired({ flags, policies: { guard: aPolicy({ ladder }) } }));
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

function reading(at: number): Reading {
  const elements = [{ labels: {}, value: 0.9 }];
  const result = { kind: 'elements', elements } as const;
  return { trigger: 'guard/latency', at, intervalMs: 5_000, covered: true, healthy: true, result };
}

function breach(times: number): void {
  for (let time = 0; time < times; time += 1) {
    now += 5_000;
    reconciler.take([reading(now)]);
    reconciler.cycle();
  }
}

test('without acting a trigger still fires, so that a dry run shows what would be done; nothing is written', () => {
  reconciler.acting = false;
  const { seq } = store.head;
  breach(3);
  expect(reconciler.plan?.actions).toMatchObject([{ kind: 'step' }]);
  expect(started).toEqual([]);
  expect(store.head.seq).toBe(seq);
});

test('a reading that waits while the clock is set back makes no trigger deaf', () => {
  breach(1);
  reconciler.take([reading(now + 1_000)]);
  now -= 3_600_000;
  reconciler.followClock(-3_600_000);
  breach(2);
  expect(started).toEqual(['step']);
});
