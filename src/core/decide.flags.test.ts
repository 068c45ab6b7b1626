import { describe, expect, test } from 'vitest';
import {
  aDatabase,
  aDesired,
  aFlag,
  aFlagsTarget,
  aPointPolicy,
  aPolicy,
  aRestore,
  aRung,
} from '../../test/support/policies.ts';
import { World } from '../../test/support/world.ts';
import { conflictSet } from './incidents/conflict-set.ts';
import type { Desired } from './model/desired.ts';
import type { Flag } from './model/flag.ts';
import type { Point } from './model/point.ts';
import type { RollbackPolicy } from './model/policy.ts';
import type { RestoreStep, Step } from './model/step.ts';
import { overrideFlag } from './operator-commands.ts';
import { beginRestore, type RestoreRequest } from './points/manual-restores.ts';
import { takePoint } from './points/point-commands.ts';

const APP = 'envFile:/app.env';
const HOUR = 3_600_000;
const CAUSE = { kind: 'command', by: 'anna' } as const;
const FAST = aFlag();
const DEEP = aFlag({
  name: 'deep',
  digest: 'deep-1',
  deliver: FAST.deliver.map((place) => ({ ...place, entry: 'DEEP' })),
});
const FLAGS = { 'fast-path': FAST, deep: DEEP };

function desiredWith(change: Partial<Desired> = {}): Desired {
  return aDesired({
    flags: FLAGS,
    policies: {},
    targets: { flags: aFlagsTarget() },
    pointPolicies: { nightly: aPointPolicy({ targets: ['flags'] }) },
    ...change,
  });
}

function worldWith(desired = desiredWith()): World {
  const world = new World(desired, { [APP]: { FAST_PATH: 'true', DEEP: 'true' } });
  world.settle();
  return world;
}

function situation(world: World) {
  return { desired: world.desired, memory: world.memory, now: world.now, actor: 'anna' };
}

function taken(world: World): Point {
  world.now += HOUR;
  const before = new Set(Object.keys(world.memory.points));
  for (const event of takePoint(situation(world), { policy: 'nightly', cause: CAUSE })) world.record(event);
  world.settle();
  const point = Object.values(world.memory.points).find(({ id }) => !before.has(id));
  if (point === undefined) throw new Error('no point was taken');
  return point;
}

function set(world: World, flag: string, variant: string): void {
  world.now += 1_000;
  const request = { flag, variant, ttlMs: null, reason: 'a try', force: true };
  for (const event of overrideFlag(situation(world), request)) world.record(event);
  world.settle();
}

function restore(world: World, point: Point, change: Partial<RestoreRequest> = {}): void {
  world.now += 1_000;
  const events = beginRestore(situation(world), { point: point.id, paths: [], reason: 'it was better', ...change });
  for (const event of events) world.record(event);
  world.settle();
}

function ended(world: World) {
  return world.events('restore.ended').at(-1);
}

const withFlag = (change: Partial<Flag>): Partial<Desired> => ({
  flags: { ...FLAGS, 'fast-path': aFlag({ digest: 'flag-2', ...change }) },
});

describe('a point', () => {
  test('holds what the flags effectively are, and why', () => {
    const world = worldWith();
    set(world, 'deep', 'off');
    world.now += HOUR;
    for (const event of takePoint(situation(world), { policy: 'nightly', cause: CAUSE })) world.record(event);
    const [action] = world.plan().actions;
    expect(action).toMatchObject({
      kind: 'capture',
      flags: {
        flags: {
          revision: 'rev-1',
          flags: {
            'fast-path': { variant: 'on', because: 'git', hold: null, cause: null },
            deep: {
              variant: 'off',
              because: 'override',
              hold: 'override:deep',
              cause: expect.stringContaining('anna'),
            },
          },
        },
      },
    });
    world.settle();
    expect(Object.values(world.memory.points)).toMatchObject([
      { state: 'valid', snapshots: [{ type: 'flags', flags: { 'fast-path': 'on', deep: 'off' } }] },
    ]);
  });

  test('holds the named ones alone', () => {
    const world = worldWith(desiredWith({ targets: { flags: aFlagsTarget(['deep']) } }));
    expect(taken(world).snapshots).toMatchObject([{ flags: { deep: 'on' } }]);
    expect(taken(world).snapshots[0]?.flags).not.toHaveProperty('fast-path');
  });
});

describe('a restore by hand', () => {
  test('sets overrides of whoever asked for it, is delivered, and is undone by its safety point', () => {
    const world = worldWith();
    const point = taken(world);
    set(world, 'fast-path', 'off');
    expect(world.documents[APP]).toMatchObject({ FAST_PATH: 'false' });
    restore(world, point);
    expect(ended(world)).toMatchObject({ outcome: 'done', detail: 'flags: set fast-path to "on"' });
    expect(world.memory.holds['override:fast-path']).toMatchObject({
      variant: 'on',
      actor: 'anna',
      expiresAt: null,
      cause: 'anna by RST-1 until it is lifted: it was better',
    });
    expect(world.memory.holds['override:deep']).toBeUndefined();
    expect(world.documents[APP]).toMatchObject({ FAST_PATH: 'true', DEEP: 'true' });
    const safety = Object.values(world.memory.points).find(({ id }) => id !== point.id);
    expect(safety?.snapshots).toMatchObject([{ flags: { 'fast-path': 'off', deep: 'on' } }]);
    if (safety !== undefined) restore(world, safety);
    expect(world.documents[APP]).toMatchObject({ FAST_PATH: 'false', DEEP: 'true' });
  });

  test('of one flag leaves the others', () => {
    const world = worldWith();
    const point = taken(world);
    set(world, 'fast-path', 'off');
    set(world, 'deep', 'off');
    restore(world, point, { paths: ['deep'] });
    expect(world.documents[APP]).toMatchObject({ FAST_PATH: 'false', DEEP: 'true' });
    expect(() => restore(world, point, { paths: ['depe'] })).toThrow('the point holds no flag depe of flags');
  });

  test('says which flags git no longer has, and which the point does not have', () => {
    const world = worldWith();
    const point = taken(world);
    const other = aFlag({ name: 'other', deliver: [] });
    world.accept(desiredWith({ flags: { 'fast-path': aFlag({ digest: 'flag-2', defaultVariant: 'off' }), other } }));
    world.settle();
    restore(world, point);
    expect(ended(world)).toMatchObject({
      outcome: 'done',
      detail:
        'flags: set fast-path to "on"; left as they are: deep, which git no longer has; other, which the point does not hold',
    });
  });

  test.each([
    [
      { variants: { off: false, better: true }, defaultVariant: 'better' },
      'flag fast-path has no variant "on" any more',
    ],
    [{ suspend: true, defaultVariant: 'off' }, 'flag fast-path is suspended'],
  ])('is refused as a whole where a flag cannot be set: %j', (change, text) => {
    const world = worldWith();
    const point = taken(world);
    set(world, 'deep', 'off');
    world.accept(desiredWith(withFlag(change)));
    world.settle();
    expect(() => restore(world, point)).toThrow(text);
    expect(world.memory.holds['override:deep']).toMatchObject({ variant: 'off' });
  });

  test('fails, and sets nothing, where that turns out only after what it overwrites was kept', () => {
    const world = worldWith();
    const point = taken(world);
    set(world, 'deep', 'off');
    world.perform = () => null;
    restore(world, point);
    world.accept(desiredWith(withFlag({ variants: { off: false, better: true }, defaultVariant: 'better' })));
    world.perform = () => ({ outcome: 'done', detail: '' });
    const [operation] = Object.values(world.memory.operations).filter(({ action }) => action.kind === 'capture');
    world.record({
      type: 'operation.finished',
      id: operation?.id ?? '',
      outcome: 'done',
      detail: '',
      durationMs: 0,
      snapshots: point.snapshots,
    });
    world.settle();
    expect(ended(world)).toMatchObject({ outcome: 'failed', detail: expect.stringContaining('no variant "on"') });
    expect(world.memory.holds['override:deep']).toMatchObject({ variant: 'off' });
  });
});

describe('a restore by hand of several targets', () => {
  function both(): { world: World; point: Point } {
    const world = worldWith(
      desiredWith({
        targets: { database: aDatabase(), flags: aFlagsTarget() },
        pointPolicies: { nightly: aPointPolicy({ targets: ['database', 'flags'] }) },
      }),
    );
    world.contents = { database: 'good' };
    const point = taken(world);
    world.contents = { database: 'bad' };
    set(world, 'fast-path', 'off');
    return { world, point };
  }

  test('does one after the other', () => {
    const { world, point } = both();
    restore(world, point);
    expect(ended(world)).toMatchObject({ outcome: 'done', detail: 'database: ; flags: set fast-path to "on"' });
    expect(world.contents).toMatchObject({ database: 'good' });
  });

  test('leaves the flags as they are after one that failed', () => {
    const { world, point } = both();
    world.perform = ({ kind }) => ({ outcome: kind === 'restore' ? 'failed' : 'done', detail: 'locked' });
    restore(world, point);
    expect(ended(world)).toMatchObject({ outcome: 'failed', detail: expect.stringContaining('database: locked') });
    expect(world.memory.holds['override:fast-path']).toMatchObject({ variant: 'off' });
  });

  test('ends where what it overwrites turns out to be damaged meanwhile', () => {
    const { world, point } = both();
    world.perform = ({ kind }) => ({ outcome: kind === 'validate' ? 'failed' : 'done', detail: 'blob 12ab' });
    restore(world, point);
    expect(ended(world)).toMatchObject({
      outcome: 'failed',
      detail: 'nothing of flags was touched, for what it overwrites could not be kept: blob 12ab',
    });
  });

  test('ends where git lets go of one of them meanwhile', () => {
    const { world, point } = both();
    world.perform = ({ kind }) => (kind === 'restore' ? null : { outcome: 'done', detail: '' });
    restore(world, point);
    world.accept({ ...world.desired, targets: { database: aDatabase() } });
    const [operation] = Object.values(world.memory.operations).filter(({ action }) => action.kind === 'restore');
    const finished = { type: 'operation.finished', outcome: 'done', detail: '', durationMs: 0 } as const;
    world.record({ ...finished, id: operation?.id ?? '' });
    world.settle();
    expect(ended(world)).toMatchObject({
      outcome: 'failed',
      detail: expect.stringMatching(/^git no longer has target flags; .* undoes the rest$/),
    });
  });
});

describe('a rung', () => {
  const RESTORE = { target: 'flags', to: { kind: 'latestValid' }, flags: ['deep', 'fast-path'] } as const;

  function guard(change: Partial<Extract<Step, { kind: 'restore' }>> = {}, policy: Partial<RollbackPolicy> = {}) {
    return aPolicy({ ladder: [aRung({ name: 'data', do: [aRestore({ ...RESTORE, ...change })] })], ...policy });
  }

  /** With a point in which both are on, from before both were changed in git. */
  function changedWorld(change: Partial<RestoreStep> = {}, policy: Partial<RollbackPolicy> = {}): World {
    const policies = { guard: guard(change, policy) };
    const world = worldWith(desiredWith({ policies }));
    taken(world);
    const flags = {
      'fast-path': aFlag({ digest: 'flag-2', defaultVariant: 'off' }),
      deep: { ...DEEP, digest: 'deep-2', defaultVariant: 'off' },
    };
    world.now += HOUR;
    world.accept(desiredWith({ policies, flags }));
    world.settle();
    expect(world.documents[APP]).toMatchObject({ FAST_PATH: 'false', DEEP: 'false' });
    return world;
  }

  const steps = (world: World) => world.events('step.finished').map(({ result }) => result);

  test('latches each flag that is something else, and is done when every place shows it', () => {
    const world = changedWorld();
    world.live(60, 0.9);
    expect(world.documents[APP]).toMatchObject({ FAST_PATH: 'true', DEEP: 'true' });
    expect(world.memory.holds['latch:deep:INC-1']).toMatchObject({
      variant: 'on',
      incident: 'INC-1',
      lift: { kind: 'onFlagChange', digest: 'deep-2' },
    });
    expect(steps(world)).toEqual([{ outcome: 'done', detail: 'set deep to "on", fast-path to "on"' }]);
    expect(world.effects.filter((effect) => effect.startsWith('move'))).toEqual([]);
    const kept = Object.values(world.memory.points).filter(({ cause }) => cause.kind === 'rollback');
    expect(kept).toMatchObject([{ snapshots: [{ flags: { deep: 'off', 'fast-path': 'off' } }] }]);
  });

  test('waits for the places, and fails when they never show it', () => {
    const world = changedWorld({}, { ladder: [aRung({ do: [aRestore({ ...RESTORE, timeoutMs: 60_000 })] })] });
    world.perform = (action) => ({ outcome: action.kind === 'deliver' ? 'failed' : 'done', detail: 'read-only' });
    world.live(60, 0.9);
    expect(steps(world)).toEqual([]);
    world.live(60, 0.9);
    expect(steps(world)).toMatchObject([{ outcome: 'failed', detail: expect.stringContaining('not every place of') }]);
  });

  test('restores the named flags alone', () => {
    const world = changedWorld({ paths: ['deep'], flags: ['deep'] });
    world.live(60, 0.9);
    expect(world.documents[APP]).toMatchObject({ FAST_PATH: 'false', DEEP: 'true' });
  });

  test('has nothing to set where all is so already', () => {
    const world = worldWith(desiredWith({ policies: { guard: guard() } }));
    taken(world);
    world.live(60, 0.9);
    expect(steps(world)).toEqual([{ outcome: 'done', detail: 'every flag was so already' }]);
    expect(world.memory.holds).toEqual({});
  });

  test('fails, and sets nothing, where a variant is gone', () => {
    const world = changedWorld();
    const flags = { ...world.desired.flags, deep: { ...DEEP, variants: { off: false }, defaultVariant: 'off' } };
    world.accept({ ...world.desired, flags });
    world.live(60, 0.9);
    expect(steps(world)).toEqual([{ outcome: 'failed', detail: 'flag deep has no variant "on" any more' }]);
    expect(world.memory.holds).toEqual({});
  });

  test('fails where a person lifts the latch meanwhile', () => {
    const world = changedWorld();
    world.perform = (action) => ({ outcome: action.kind === 'deliver' ? 'failed' : 'done', detail: 'read-only' });
    world.live(20, 0.9);
    world.record({ type: 'hold.lifted', id: 'latch:deep:INC-1', object: 'Flag/deep', reason: 'anna' });
    world.settle();
    expect(steps(world)).toMatchObject([{ outcome: 'failed', detail: expect.stringContaining('lifted its latch') }]);
  });

  test('a latch keeps a person from restoring the flag by hand, until it is lifted', () => {
    const world = changedWorld();
    world.live(60, 0.9);
    const safety = Object.values(world.memory.points).find(({ cause }) => cause.kind === 'rollback');
    world.record({ type: 'incident.closed', incident: 'INC-1', outcome: 'resolved', reason: 'over', byHand: true });
    expect(() => safety && restore(world, safety)).toThrow('`revertd holds lift latch:deep:INC-1` releases it');
  });

  test('what onFailure puts back is what the rung overwrote', () => {
    const undo = aRestore({ ...RESTORE, to: { kind: 'safetyPoint' } });
    const ladder = [aRung({ do: [aRestore(RESTORE)], onFailure: [undo] })];
    const world = changedWorld({}, { ladder });
    world.live(600, 0.9);
    expect(steps(world).map(({ detail }) => detail)).toEqual([
      'set deep to "on", fast-path to "on"',
      'set deep to "off", fast-path to "off"',
    ]);
    expect(world.documents[APP]).toMatchObject({ FAST_PATH: 'false', DEEP: 'false' });
  });

  test('touches the flags, as far as ladders must not meet', () => {
    expect(conflictSet(guard())).toEqual(['flag:deep', 'flag:fast-path', 'target:flags']);
  });

  test.each([0, 1])('killed with %i operation(s) begun ends all the same', (begun) => {
    const world = changedWorld();
    for (let seconds = 0; seconds < 15; seconds += 5) {
      world.now += 5_000;
      world.reading(0.9);
      world.kill(begun);
    }
    world.live(120, 0.9);
    expect(world.documents[APP]).toMatchObject({ FAST_PATH: 'true', DEEP: 'true' });
  });
});
