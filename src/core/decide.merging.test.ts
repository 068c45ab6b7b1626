import { describe, expect, test } from 'vitest';
import {
  aDatabase,
  aDesired,
  aPoint,
  aPointPolicy,
  aPolicy,
  aRecovery,
  aRestore,
  aRung,
  aSnapshot,
} from '../../test/support/policies.ts';
import { World } from '../../test/support/world.ts';
import type { MergeReport } from './merge/merge-report.ts';
import type { RestoreAction } from './model/action.ts';
import { isOpen } from './model/incident.ts';
import type { Point } from './model/point.ts';
import type { RestorePoint, Target } from './model/target.ts';
import { beginRestore } from './points/manual-restores.ts';
import { protectionsOf } from './points/protections.ts';
import { judgePoints } from './points/verdicts.ts';

const APP = 'envFile:/app.env';
const HOUR = 3_600_000;

const GRAPH: Target = {
  ...aDatabase(),
  type: { kind: 'rows', database: { kind: 'sqlite', path: '/graph.db' }, tables: ['entities'] },
};

/** Points of five, three and one hours ago, and a rung that merges. */
function worldWith(to: RestorePoint, target = GRAPH): { world: World; points: readonly [Point, Point, Point] } {
  const step = aRestore({ target: 'database', to, merge: { conflicts: 'skip' } });
  const desired = aDesired({
    policies: { guard: aPolicy({ ladder: [aRung({ name: 'data', do: [step] })] }) },
    targets: { database: target },
    pointPolicies: { nightly: aPointPolicy({ take: { schedule: null, before: ['rollback'], after: [] } }) },
  });
  const world = new World(desired, { [APP]: { FAST_PATH: 'true' } });
  world.contents = { database: 'v1' };
  world.settle();
  const points = [aPoint(world.now - 5 * HOUR), aPoint(world.now - 3 * HOUR), aPoint(world.now - HOUR)] as const;
  for (const point of points) world.record({ type: 'point.begun', point });
  world.contents = { database: 'bad' };
  return { world, points };
}

function restores(world: World): readonly RestoreAction[] {
  return world
    .events('operation.planned')
    .flatMap(({ operation }) => (operation.action.kind === 'restore' ? [operation.action] : []));
}

describe('a rung that merges', () => {
  test('holds the live state against the newest point from before the first breach', () => {
    const { world, points } = worldWith({ kind: 'before', byMs: 2 * HOUR });
    world.live(30, 0.9);
    expect(restores(world)).toMatchObject([
      {
        to: points[1].id,
        merge: { conflicts: 'skip', ancestor: points[2].snapshots[0] },
        reason: expect.stringContaining('merge database to how it was 2h before the first breach, conflicts: skip'),
      },
    ]);
  });

  test('never takes what was only recovered of a damaged database for how it was', () => {
    const { world, points } = worldWith({ kind: 'before', byMs: 2 * HOUR });
    const at = world.now - HOUR / 2;
    const snapshots = [{ ...aSnapshot('database', at), recovered: aRecovery() }];
    world.record({ type: 'point.begun', point: aPoint(at, { snapshots }) });
    world.live(30, 0.9);
    expect(restores(world)).toMatchObject([{ merge: { ancestor: points[2].snapshots[0] } }]);
  });

  test('keeps that point from being pruned for as long as the incident is open', () => {
    const { world, points } = worldWith({ kind: 'before', byMs: 2 * HOUR });
    const [, , ancestor] = points;
    expect(protectionsOf(world.memory).get(ancestor.id)).toBeUndefined();
    world.live(30, 0.9);
    const [incident] = Object.values(world.memory.incidents);
    expect(protectionsOf(world.memory).get(ancestor.id)).toStrictEqual([`${incident?.id} merges against it`]);
    // Newer ones are from after things went wrong.
    const newer = [1, 2, 3].map((minutes) => aPoint(world.now - minutes * 1_000));
    const policies = world.desired?.pointPolicies ?? {};
    const { verdicts, doomed } = judgePoints([...points, ...newer], policies, protectionsOf(world.memory), world.now);
    expect(verdicts.get(ancestor.id)).toMatchObject({ kind: 'keep', guarded: true });
    expect(doomed.map(([id]) => id)).toContain(points[0].id);
    world.live(600, 0);
    expect(Object.values(world.memory.incidents).filter(isOpen)).toStrictEqual([]);
    expect(protectionsOf(world.memory).get(ancestor.id)).toBeUndefined();
  });

  test('does nothing where it would go back to that point itself', () => {
    const { world } = worldWith({ kind: 'latestValid' });
    world.live(30, 0.9);
    expect(restores(world)).toStrictEqual([]);
    expect(world.events('step.finished')).toMatchObject([
      { result: { outcome: 'failed', detail: expect.stringContaining('is itself the newest point of database') } },
    ]);
  });
});

describe('a merge by hand', () => {
  const request = (point: Point, ancestor: Point) => ({
    point: point.id,
    paths: [],
    reason: 'wrong rows',
    merge: { conflicts: 'abort', ancestor: ancestor.id } as const,
  });

  function begin(world: World, point: Point, ancestor: Point): void {
    const situation = { desired: world.desired, memory: world.memory, now: world.now, actor: 'anna' };
    for (const event of beginRestore(situation, request(point, ancestor))) world.record(event);
  }

  test('says what became of the conflicts', () => {
    const { world, points } = worldWith({ kind: 'lastGood' });
    const merge: MergeReport = {
      phases: ['analyzing', 'conflictDetection', 'aborted'],
      end: 'aborted',
      conflicts: 1,
      items: [],
    };
    world.perform = ({ kind }) =>
      kind === 'restore' ? { outcome: 'failed', detail: '1 conflict', merge } : { outcome: 'done', detail: '' };
    begin(world, points[0], points[2]);
    world.settle();
    expect(restores(world)).toMatchObject([{ merge: { conflicts: 'abort', ancestor: points[2].snapshots[0] } }]);
    expect(world.events('restore.ended')).toMatchObject([
      { outcome: 'failed', detail: 'database: 1 conflict', merges: { database: merge } },
    ]);
  });

  test('is given up where its ancestor is gone before it begins', () => {
    const { world, points } = worldWith({ kind: 'lastGood' });
    world.perform = ({ kind }) => (kind === 'capture' ? null : { outcome: 'done', detail: '' });
    begin(world, points[0], points[2]);
    world.round();
    const [operation] = Object.values(world.memory.operations);
    world.record({ type: 'points.verifyAsked', points: [points[2].id], by: 'anna', rehearse: false });
    world.perform = ({ kind }) =>
      kind === 'validate' ? { outcome: 'failed', detail: 'a blob is gone' } : { outcome: 'done', detail: '' };
    world.settle();
    world.record({ type: 'operation.finished', id: operation?.id ?? '', outcome: 'done', detail: '', durationMs: 0 });
    world.settle();
    expect(restores(world)).toStrictEqual([]);
    expect(world.events('restore.ended')).toMatchObject([
      { outcome: 'failed', detail: `the ancestor ${points[2].id} is gone; nothing was touched` },
    ]);
  });

  test('is refused for what cannot be merged, and against itself', () => {
    const { world, points } = worldWith({ kind: 'lastGood' });
    expect(() => begin(world, points[0], points[0])).toThrow('cannot be its own ancestor');
    const other = worldWith({ kind: 'lastGood' }, aDatabase());
    expect(() => begin(other.world, other.points[0], other.points[2])).toThrow(
      'database is of type sqlite, which cannot be merged',
    );
  });
});
