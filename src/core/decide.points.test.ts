import { describe, expect, test } from 'vitest';
import {
  aDatabase,
  aDesired,
  aNotifier,
  aPoint,
  aPointPolicy,
  aPolicy,
  aRecovery,
  aRestore,
  aRung,
  aService,
  aSnapshot,
  aTarget,
  ORIGIN,
  setFlagOff,
} from '../../test/support/policies.ts';
import { World } from '../../test/support/world.ts';
import type { Desired } from './model/desired.ts';
import type { PointCopy, PointPolicy } from './model/point-policy.ts';
import type { RollbackPolicy } from './model/policy.ts';
import type { Step } from './model/step.ts';
import { answerIncident } from './operator-commands.ts';
import { beginRestore } from './points/manual-restores.ts';
import { takePoint } from './points/point-commands.ts';
import { newestComplete } from './points/restore-source.ts';
import { capturedUntil } from './targets/restore-age.ts';

const APP = 'envFile:/app.env';
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MINUTE = 60_000;
const TAKE = 'take:nightly';

function desiredWith(policy: Partial<PointPolicy> = {}, change: Partial<Desired> = {}): Desired {
  return aDesired({
    policies: {},
    targets: { database: aDatabase() },
    pointPolicies: { nightly: aPointPolicy({ take: { schedule: '0 2 * * *', before: [], after: [] }, ...policy }) },
    ...change,
  });
}

function worldWith(desired = desiredWith()): World {
  const world = new World(desired, { [APP]: { FAST_PATH: 'true' } });
  world.contents = { database: 'v1' };
  world.settle();
  return world;
}

/** The schedule came `agoMs` ago. */
function due(world: World, agoMs = 0, key = TAKE): void {
  world.schedules = { ...world.schedules, [key]: { last: world.now - agoMs, next: world.now - agoMs + DAY } };
}

function guardOfDatabase(): RollbackPolicy {
  return aPolicy({ ladder: [aRung({ do: [aRestore({ target: 'database', to: { kind: 'latestValid' } })] })] });
}

function points(world: World) {
  return Object.values(world.memory.points);
}

/** Time passes, nothing else does. */
function pass(world: World, ms: number): void {
  world.now += ms;
  world.settle();
}

describe('a schedule', () => {
  test('takes a point when it is due, once, and has it read again', () => {
    const world = worldWith();
    world.now += DAY;
    due(world);
    world.settle();
    expect(points(world)).toMatchObject([
      { policy: 'nightly', cause: { kind: 'schedule' }, state: 'valid', completedAt: world.now, verifiedAt: world.now },
    ]);
    expect(world.effects).toEqual(['capture database', expect.stringMatching(/^read .*-nightly$/)]);
    pass(world, HOUR);
    expect(points(world)).toHaveLength(1);
  });

  test('is not made up for from before it was there', () => {
    const world = worldWith();
    due(world, HOUR);
    pass(world, 1_000);
    expect(points(world)).toEqual([]);
  });

  test('that was missed for days is made up for once', () => {
    const world = worldWith();
    world.now += 5 * DAY;
    world.restart();
    due(world, 3 * HOUR);
    world.settle();
    pass(world, HOUR);
    expect(points(world)).toHaveLength(1);
  });

  test('that git changes begins anew', () => {
    const world = worldWith();
    world.accept(desiredWith({ take: { schedule: '0 * * * *', before: [], after: [] } }));
    world.now += DAY;
    due(world, DAY + HOUR);
    world.settle();
    expect(points(world)).toEqual([]);
  });

  test('of a suspended policy, and while everything is halted, takes nothing', () => {
    for (const halt of [null, { since: 0, by: 'anna', reason: 'test' }]) {
      const world = worldWith();
      if (halt === null) world.accept(desiredWith({ suspend: true }));
      world.halt = halt;
      world.now += DAY;
      due(world);
      world.settle();
      expect(points(world)).toEqual([]);
    }
  });

  test('whose capture fails is tried again, less and less often, and not for ever', () => {
    const world = worldWith();
    world.perform = (action) =>
      action.kind === 'capture' ? { outcome: 'failed', detail: 'the disk is full' } : { outcome: 'done', detail: '' };
    world.now += DAY;
    due(world);
    world.settle();
    const begun = world.now;
    const told = () => world.plan().conditions.find(({ type }) => type === 'PointFailed')?.message;
    expect(told()).toContain(`tried again at ${new Date(begun + 5 * MINUTE).toISOString()}, for the 1. of 5 times`);
    expect(world.plan().requeueAt).toBe(begun + 5 * MINUTE);
    pass(world, 5 * MINUTE - 1);
    expect(points(world)).toHaveLength(1);
    pass(world, 1);
    for (let minute = 0; minute < 12 * 60; minute += 1) pass(world, MINUTE);
    expect(points(world).map(({ createdAt }) => Math.round((createdAt - begun) / MINUTE))).toEqual([
      0, 5, 15, 35, 75, 155,
    ]);
    expect(told()).toContain('it is not tried again by itself');
    expect(world.plan().requeueAt).not.toBe(world.now);
  });

  test('whose capture fails once is tried again until that is well, and not when a person ended it', () => {
    const world = worldWith();
    let left = 2;
    world.perform = (action) => {
      if (action.kind !== 'capture' || left === 0) return { outcome: 'done', detail: '' };
      left -= 1;
      return { outcome: 'failed', detail: 'the disk is full' };
    };
    world.now += DAY;
    due(world);
    world.settle();
    pass(world, 5 * MINUTE);
    pass(world, 10 * MINUTE);
    pass(world, 12 * HOUR);
    expect(points(world).map(({ state }) => state)).toEqual(['failed', 'failed', 'valid']);
    left = 1;
    world.now += DAY;
    due(world);
    world.settle();
    const id = points(world).at(-1)?.id ?? '';
    world.record({ type: 'point.cancelled', point: id, by: 'anna' });
    pass(world, 6 * HOUR);
    expect(points(world)).toHaveLength(4);
  });

  test('wakes the decision when it is due', () => {
    const world = worldWith();
    world.schedules = { [TAKE]: { last: null, next: world.now + 5_000 } };
    expect(world.plan().requeueAt).toBe(world.now + 5_000);
  });

  test('has all valid points read again, and restored beside the live system where it says so', () => {
    const world = worldWith(desiredWith({ verify: { schedule: '0 4 * * 0', restoreTest: true } }));
    world.record({ type: 'point.begun', point: aPoint(world.now - HOUR) });
    world.settle();
    const rehearsals: boolean[] = [];
    world.perform = (action) => {
      if (action.kind === 'validate') rehearsals.push(action.rehearse);
      return { outcome: 'done', detail: '' };
    };
    world.now += DAY;
    due(world, 0, 'verify:nightly');
    world.settle();
    expect(rehearsals).toEqual([true]);
    expect(points(world)).toMatchObject([{ state: 'valid', verifiedAt: world.now, verify: null }]);
  });
});

describe('a capture', () => {
  function taken(perform: World['perform']): World {
    const world = worldWith();
    world.perform = perform;
    world.now += DAY;
    due(world);
    world.settle();
    return world;
  }

  test('that fails leaves a failed point, and what it stored is collected', () => {
    const world = taken((action) =>
      action.kind === 'capture' ? { outcome: 'failed', detail: 'disk full' } : { outcome: 'done', detail: '' },
    );
    expect(points(world)).toMatchObject([{ state: 'failed', failure: 'disk full', completedAt: null }]);
    expect(world.effects).toEqual(['collect']);
  });

  test('whose content is not as it was stored is invalid', () => {
    const world = taken((action) =>
      action.kind === 'validate' ? { outcome: 'failed', detail: 'blob 12ab' } : { outcome: 'done', detail: '' },
    );
    expect(points(world)).toMatchObject([{ state: 'invalid', failure: 'blob 12ab' }]);
  });

  test('that could not be read again is tried again later, and is not valid before', () => {
    let tries = 0;
    const world = taken((action) => {
      if (action.kind !== 'validate') return { outcome: 'done', detail: '' };
      tries += 1;
      return tries < 3 ? { outcome: 'unknown', detail: 'busy' } : { outcome: 'done', detail: '' };
    });
    expect(points(world)).toMatchObject([{ state: 'stored', verifiedAt: null }]);
    expect(world.plan().requeueAt).toBe(world.now + 5_000);
    pass(world, 5_000);
    expect(tries).toBe(2);
    pass(world, 10_000);
    expect(points(world)).toMatchObject([{ state: 'valid' }]);
  });

  test.each([
    [0, 'valid', false],
    [1, 'failed', true],
  ] as const)('killed with %i operation(s) begun is %s, and ends all the same', (begun, state, isCollected) => {
    const world = worldWith();
    world.now += DAY;
    due(world);
    world.kill(begun);
    world.settle();
    expect(points(world)[0]?.state).toBe(state);
    expect(world.effects.includes('collect')).toBe(isCollected);
    pass(world, DAY);
    due(world);
    world.settle();
    expect(points(world).at(-1)?.state).toBe('valid');
  });

  test('that stands still stops what the target says once, and starts it again in any case', () => {
    const quiesce = [aService('app.service', 'stop')];
    const others = { database: aDatabase({ quiesce }), other: aDatabase({ name: 'other', quiesce }) };
    const desired = desiredWith({ consistency: 'quiesced', targets: ['database', 'other'] }, { targets: others });
    const effects = (['done', 'failed'] as const).map((outcome) => {
      const world = worldWith(desired);
      world.perform = (action) => ({ outcome: action.kind === 'capture' ? outcome : 'done', detail: '' });
      world.now += DAY;
      due(world);
      world.settle();
      return world.effects.filter((effect) => /app\.service/.test(effect));
    });
    expect(effects).toEqual([
      ['capture database other after stop app.service', 'start app.service'],
      ['start app.service'],
    ]);
  });

  test('that stood still is owed its start after a kill', () => {
    const quiesce = [aService('app.service', 'stop')];
    const world = worldWith(
      desiredWith({ consistency: 'quiesced' }, { targets: { database: aDatabase({ quiesce }) } }),
    );
    world.now += DAY;
    due(world);
    world.kill(1);
    world.settle();
    expect(world.effects).toContain('start app.service');
  });

  test('of a target that git no longer has is given up', () => {
    const world = worldWith();
    world.now += DAY;
    due(world);
    const plan = world.plan();
    expect(plan.actions).toMatchObject([{ kind: 'capture' }]);
    world.accept(desiredWith({}, { targets: {} }));
    world.settle();
    expect(points(world)).toMatchObject([{ state: 'failed', failure: 'git no longer has target database' }]);
  });
});

describe('pruning', () => {
  function worldOf(count: number, policy: Partial<PointPolicy>): World {
    const world = new World(desiredWith(policy, { notifiers: { oncall: aNotifier() } }));
    for (let number = 1; number <= count; number += 1) {
      world.record({ type: 'point.begun', point: aPoint(world.now - number * DAY) });
    }
    return world;
  }

  test('leaves a point that can be brought back, and deletes it after the grace', () => {
    const world = worldOf(4, { retain: { last: 3 } });
    world.settle();
    const [pruned] = points(world).filter(({ state }) => state === 'pruned');
    expect(pruned?.pruned).toMatchObject({ reason: 'no rule of PointPolicy nightly keeps it', was: 'valid' });
    expect(world.plan().requeueAt).toBe(world.now + HOUR);
    pass(world, HOUR - 1);
    expect(points(world)).toHaveLength(4);
    expect(world.effects).not.toContain('collect');
    pass(world, 1);
    expect(points(world)).toHaveLength(3);
    expect(world.effects).toContain('collect');
  });

  test('does not take again what a person brought back', () => {
    const world = worldOf(4, { retain: { last: 3 } });
    world.settle();
    const [pruned] = points(world).filter(({ state }) => state === 'pruned');
    world.record({ type: 'point.undeleted', point: pruned?.id ?? '', by: 'anna' });
    world.settle();
    pass(world, DAY);
    expect(points(world).filter(({ state }) => state === 'valid')).toHaveLength(4);
  });

  test('of more than the policy allows at once is refused whole, said once, and settled when it is over', () => {
    const world = worldOf(10, { retain: { last: 3 } });
    world.settle();
    expect(points(world).every(({ state }) => state === 'valid')).toBe(true);
    expect(world.events('points.pruneRefused')).toMatchObject([{ policy: 'nightly', of: 10, maxFraction: 0.5 }]);
    expect(world.plan().conditions).toMatchObject([
      {
        type: 'PruneRefused',
        object: 'PointPolicy/nightly',
        message: expect.stringContaining('prune --policy nightly --confirm'),
      },
    ]);
    expect(world.effects).toContain('notify oncall points');
    pass(world, DAY);
    expect(world.events('points.pruneRefused')).toHaveLength(1);
    world.accept(desiredWith({ retain: { last: 8 } }));
    world.settle();
    expect(world.events('points.pruneSettled')).toHaveLength(1);
    expect(points(world).filter(({ state }) => state === 'pruned')).toHaveLength(2);
  });

  test('spares the points of a policy that git no longer has', () => {
    const world = worldOf(4, { retain: { last: 1 }, prune: { maxFraction: 0.1, graceMs: HOUR } });
    world.settle();
    world.accept(desiredWith({}, { pointPolicies: {} }));
    pass(world, 400 * DAY);
    expect(points(world).map(({ state }) => state)).toEqual(['valid', 'valid', 'valid', 'valid']);
  });

  test('does not happen while everything is halted', () => {
    const world = worldOf(4, { retain: { last: 3 } });
    world.halt = { since: world.now, by: 'anna', reason: 'test' };
    world.settle();
    expect(points(world).every(({ state }) => state === 'valid')).toBe(true);
  });

  test('takes nothing because the clock was set: spans are what they were', () => {
    const world = worldOf(3, { ttlMs: 10 * DAY, retain: {}, prune: { maxFraction: 1, graceMs: HOUR } });
    world.settle();
    world.now += 365 * DAY;
    world.record({ type: 'clock.jumped', byMs: 365 * DAY });
    world.settle();
    expect(points(world).every(({ state }) => state === 'valid')).toBe(true);
  });

  test('keeps a pruned point beyond its grace where every newer one was found damaged', () => {
    const world = worldOf(2, { retain: { last: 1 } });
    world.settle();
    world.perform = (action) => ({ outcome: action.kind === 'validate' ? 'failed' : 'done', detail: 'damaged' });
    const newest = points(world).find(({ state }) => state === 'valid')?.id ?? '';
    world.record({ type: 'points.verifyAsked', points: [newest], by: 'anna', rehearse: false });
    world.settle();
    pass(world, DAY);
    expect(points(world).map(({ state }) => state)).toEqual(['invalid', 'pruned']);
  });
});

describe('a rung', () => {
  const restore = (to: Extract<Step, { kind: 'restore' }>['to']): Step => aRestore({ target: 'database', to });
  const createPoint: Step = {
    kind: 'createPoint',
    origin: ORIGIN,
    timeoutMs: HOUR,
    policy: 'nightly',
    until: 'stored',
  };

  function rungWorld(
    steps: readonly Step[],
    change: Partial<PointPolicy> = {},
    onFailure: readonly Step[] = [],
  ): World {
    const policy = aPolicy({ ladder: [aRung({ name: 'data', do: steps, onFailure })] });
    const world = worldWith(
      desiredWith(
        { take: { schedule: null, before: ['rollback'], after: [] }, ...change },
        { policies: { guard: policy } },
      ),
    );
    for (const [hours, content] of [
      [1, 'old'],
      [5, 'older'],
    ] as const) {
      const point = aPoint(world.now - hours * HOUR);
      const snapshots = point.snapshots.map((snapshot) => ({ ...snapshot, fingerprint: content }));
      world.record({ type: 'point.begun', point: { ...point, snapshots } });
    }
    world.contents = { database: 'bad' };
    return world;
  }

  test('keeps what it is about to overwrite first, by the policy that wants it', () => {
    const world = rungWorld([restore({ kind: 'latestValid' })]);
    world.live(30, 0.9);
    expect(world.effects.filter((effect) => /^(capture|move)/.test(effect))).toEqual([
      'capture database',
      expect.stringMatching(/^move database to .*-nightly$/),
    ]);
    expect(world.contents['database']).toBe('old');
    const safety = points(world).find(({ cause }) => cause.kind === 'rollback');
    expect(safety).toMatchObject({
      policy: 'nightly',
      cause: { incident: 'INC-1', rung: 'data', safety: true },
      snapshots: [{ fingerprint: 'bad' }],
    });
  });

  test('keeps it for a while where no policy speaks for it', () => {
    const world = rungWorld([restore({ kind: 'latestValid' })], { take: { schedule: null, before: [], after: [] } });
    world.live(30, 0.9);
    expect(points(world).find(({ cause }) => cause.kind === 'rollback')).toMatchObject({
      policy: null,
      ttlMs: 30 * DAY,
    });
  });

  test('does not restore what it could not keep', () => {
    const world = rungWorld([restore({ kind: 'latestValid' })]);
    world.perform = (action) =>
      action.kind === 'capture' ? { outcome: 'failed', detail: 'disk full' } : { outcome: 'done', detail: '' };
    world.live(30, 0.9);
    expect(world.contents['database']).toBe('bad');
    expect(world.events('step.finished')).toMatchObject([
      { result: { outcome: 'failed', detail: expect.stringContaining('disk full') } },
    ]);
  });

  test('restores what is damaged all the same where the step says so', () => {
    const world = rungWorld([aRestore({ target: 'database', to: { kind: 'latestValid' }, safety: 'attempt' })]);
    world.perform = (action) =>
      action.kind === 'capture' ? { outcome: 'failed', detail: 'malformed' } : { outcome: 'done', detail: '' };
    world.live(30, 0.9);
    expect(world.contents['database']).toBe('old');
    expect(points(world).find(({ cause }) => cause.kind === 'rollback')).toMatchObject({ failure: 'malformed' });
  });

  test('a damaged database that is kept as what can be read of it is kept, and is no way back but by name', () => {
    const world = rungWorld([restore({ kind: 'latestValid' })]);
    const perform = world.perform;
    world.perform = (action) => {
      if (action.kind !== 'capture') return perform(action);
      expect(action.recover).toBe(true);
      const snapshots = [{ ...aSnapshot('database', world.now), recovered: aRecovery() }];
      return { outcome: 'done', detail: '', snapshots };
    };
    world.live(30, 0.9);
    expect(world.contents['database']).toBe('old');
    const safety = points(world).find(({ cause }) => cause.kind === 'rollback');
    expect(safety).toMatchObject({ recover: true, ttlMs: 30 * DAY, snapshots: [{ recovered: { rows: 90 } }] });
    const newest = newestComplete(world.memory, 'database', world.now);
    expect(newest.kind === 'point' ? newest.point.id : newest.reason).toMatch(/-nightly$/);
    expect(newest).not.toMatchObject({ point: { id: safety?.id } });
  });

  test('never lets a capture delay a flag', () => {
    const world = rungWorld([setFlagOff(), restore({ kind: 'latestValid' })]);
    world.live(30, 0.9);
    const flag = world.effects.findIndex((effect) => effect.startsWith('write FAST_PATH'));
    expect(flag).toBeGreaterThanOrEqual(0);
    expect(world.effects.indexOf('capture database')).toBeGreaterThan(flag);
  });

  test.each<[string, Extract<Step, { kind: 'restore' }>['to'], string]>([
    ['the newest valid point from before the incident', { kind: 'latestValid' }, 'old'],
    ['a time', { kind: 'at', at: 100_000_000_000 - 2 * HOUR }, 'older'],
    ['a distance from the first breach', { kind: 'before', byMs: 2 * HOUR }, 'older'],
    ['the last good state, which had an hour to bake', { kind: 'lastGood' }, 'older'],
  ])('goes back to %s', (_what, to, content) => {
    const world = rungWorld([restore(to)]);
    world.live(30, 0.9);
    expect(world.contents['database']).toBe(content);
  });

  test('goes back to a point by its id, and says why it cannot', () => {
    const world = rungWorld([restore({ kind: 'point', point: 'nowhere' })]);
    world.live(30, 0.9);
    expect(world.events('step.finished')).toMatchObject([{ result: { detail: 'there is no point nowhere' } }]);
    const [known] = points(world);
    const again = rungWorld([restore({ kind: 'point', point: known?.id ?? '' })]);
    again.live(30, 0.9);
    expect(again.contents['database']).toBe('old');
  });

  test('undoes a restore that failed by what it kept', () => {
    const undo = restore({ kind: 'safetyPoint' });
    const world = rungWorld([restore({ kind: 'latestValid' })], {}, [undo]);
    world.perform = (action) => {
      const isFirst = action.kind === 'restore' && action.snapshot?.fingerprint === 'old';
      if (isFirst) world.contents = { database: 'half' };
      return { outcome: isFirst ? 'failed' : 'done', detail: 'torn' };
    };
    world.live(30, 0.9);
    expect(world.contents['database']).toBe('bad');
    expect(points(world).filter(({ cause }) => cause.kind === 'rollback')).toHaveLength(1);
  });

  test('undoes what other steps did by the point that the rung took first', () => {
    const world = rungWorld([createPoint, setFlagOff(), createPoint], {}, [restore({ kind: 'safetyPoint' })]);
    world.perform = (action) => {
      if (action.kind === 'deliver') world.contents = { database: 'half' };
      return { outcome: 'done', detail: '' };
    };
    world.live(400, 0.9);
    expect(world.effects.filter((effect) => /^(write|capture|move)/.test(effect))).toEqual([
      'capture database',
      'write FAST_PATH=false',
      'capture database',
      expect.stringMatching(/^move database to .*-nightly$/),
    ]);
    expect(world.contents['database']).toBe('bad');
  });

  test('takes a point of a policy, and does not go back to that', () => {
    const world = rungWorld([createPoint, restore({ kind: 'latestValid' })]);
    world.live(30, 0.9);
    expect(world.events('step.finished')[0]).toMatchObject({ result: { outcome: 'done' } });
    expect(world.contents['database']).toBe('old');
  });

  test('tells people how old the point is that it goes back to, and counts the loss from there', () => {
    const world = rungWorld([restore({ kind: 'latestValid' })]);
    const [point] = points(world);
    const [rung] = world.desired.policies['guard']?.ladder ?? [];
    world.live(30, 0.9);
    const incident = world.events('incident.opened')[0]?.incident;
    if (incident === undefined) throw new Error('no incident was opened');
    expect(capturedUntil(world.memory, incident, rung, 'database')).toBe(point?.snapshots[0]?.to);
    expect(capturedUntil(world.memory, incident, rung, 'other')).toBeNull();
  });

  test('fails where its point cannot be taken', () => {
    const world = rungWorld([createPoint]);
    world.perform = (action) =>
      action.kind === 'capture' ? { outcome: 'failed', detail: 'disk full' } : { outcome: 'done', detail: '' };
    world.live(30, 0.9);
    expect(world.events('step.finished')).toMatchObject([
      { result: { outcome: 'failed', detail: expect.stringContaining('disk full') } },
    ]);
  });

  test('has its points kept for as long as its incident is open', () => {
    const world = rungWorld([restore({ kind: 'latestValid' })], {
      retain: { last: 1 },
      prune: { maxFraction: 1, graceMs: HOUR },
    });
    world.live(30, 0.9);
    const states = Object.fromEntries(points(world).map(({ id, state, cause }) => [`${cause.kind} ${id}`, state]));
    expect(Object.values(states).filter((state) => state === 'valid').length).toBeGreaterThanOrEqual(1);
    expect(points(world).find(({ cause }) => cause.kind === 'rollback')?.state).toBe('valid');
  });

  test.each([0, 1])('is killed while it keeps what it overwrites (%i begun), and keeps it again', (begun) => {
    const world = rungWorld([restore({ kind: 'latestValid' })]);
    for (let round = 0; round < 60; round += 1) {
      world.now += 1_000;
      world.reading(0.9);
      const plan = world.plan();
      if (plan.actions.some(({ kind }) => kind === 'capture')) {
        world.kill(begun);
        break;
      }
      world.round();
    }
    world.live(60, 0.9);
    expect(world.contents['database']).toBe('old');
    const kept = points(world).filter(({ cause, state }) => cause.kind === 'rollback' && state === 'valid');
    expect(kept).toMatchObject([{ snapshots: [{ fingerprint: 'bad' }] }]);
  });
});

test('deciding again on the same memory begins nothing more', () => {
  const world = worldWith();
  world.now += DAY;
  due(world);
  const plan = world.plan();
  world.memory = plan.memory;
  expect(world.plan().actions).toEqual([]);
});

describe('a restore by hand', () => {
  function restoring(): { world: World; begin: () => void } {
    const world = worldWith();
    const point = aPoint(world.now - HOUR);
    world.record({ type: 'point.begun', point });
    world.settle();
    const situation = () => ({ desired: world.desired, memory: world.memory, now: world.now, actor: 'anna' });
    const begin = () => {
      const events = beginRestore(situation(), { point: point.id, paths: [], reason: 'wrong rows' });
      for (const event of events) world.record(event);
    };
    return { world, begin };
  }

  test('keeps what it overwrites, restores, and is told', () => {
    const { world, begin } = restoring();
    begin();
    expect(begin).toThrow('is being restored already (RST-1)');
    world.settle();
    expect(world.effects.filter((effect) => /^(capture|move)/.test(effect))).toEqual([
      'capture database',
      expect.stringContaining('move database to'),
    ]);
    expect(world.events('restore.ended')).toMatchObject([{ restore: 'RST-1', outcome: 'done' }]);
    expect(world.memory.restores).toEqual({});
  });

  test('yields to an incident that opens before anything was touched', () => {
    const { world, begin } = restoring();
    world.accept({ ...world.desired, policies: { guard: guardOfDatabase() } });
    let isSlow = true;
    world.perform = (action) => (action.kind === 'capture' && isSlow ? null : { outcome: 'done', detail: '' });
    begin();
    world.round();
    isSlow = false;
    world.reading(0.9);
    world.now += 60_000;
    world.reading(0.9);
    world.settle();
    expect(world.events('restore.ended')).toMatchObject([
      { outcome: 'failed', detail: 'INC-1 opened meanwhile, and may restore database; nothing was touched' },
    ]);
    expect(world.events('operation.planned').map(({ operation }) => operation.action.key)).not.toContain(
      'restore:RST-1/database',
    );
    expect(world.events('step.finished')).toMatchObject([{ result: { outcome: 'done' } }]);
  });

  test('touches nothing where its point turns out to be damaged meanwhile', () => {
    const { world, begin } = restoring();
    world.perform = ({ kind }) => (kind === 'capture' ? null : { outcome: 'done', detail: '' });
    begin();
    world.round();
    const [operation] = Object.values(world.memory.operations);
    const [point] = Object.values(world.memory.restores).map((restore) => restore.point);
    world.record({ type: 'points.verifyAsked', points: [point ?? ''], by: 'anna', rehearse: false });
    world.perform = ({ kind }) =>
      kind === 'validate' ? { outcome: 'failed', detail: 'a blob is gone' } : { outcome: 'done', detail: '' };
    world.settle();
    world.record({ type: 'operation.finished', id: operation?.id ?? '', outcome: 'done', detail: '', durationMs: 0 });
    world.settle();
    expect(world.effects.filter((effect) => effect.startsWith('move'))).toEqual([]);
    expect(world.events('restore.ended')).toMatchObject([
      { outcome: 'failed', detail: `${point} is invalid: a blob is gone; nothing was touched` },
    ]);
  });

  test('of a rung is not done again from a point that was found damaged since', () => {
    const { world } = restoring();
    world.accept({ ...world.desired, policies: { guard: guardOfDatabase() } });
    world.perform = ({ kind }) => ({ outcome: kind === 'restore' ? 'unknown' : 'done', detail: '' });
    world.reading(0.9);
    world.now += 60_000;
    world.reading(0.9);
    world.settle();
    const going = world.events('step.started')[0]?.destination ?? '';
    world.perform = ({ kind }) => ({ outcome: kind === 'validate' ? 'failed' : 'done', detail: 'a blob is gone' });
    world.record({ type: 'points.verifyAsked', points: [going], by: 'anna', rehearse: false });
    world.settle();
    for (const event of answerIncident(
      { desired: world.desired, memory: world.memory, now: world.now, actor: 'anna' },
      'INC-1',
      'retry',
    )) {
      world.record(event);
    }
    world.settle();
    expect(world.effects.filter((effect) => effect.startsWith('move'))).toEqual([]);
    expect(world.events('step.finished').at(-1)?.result).toEqual({
      outcome: 'failed',
      detail: `point ${going}, where it was to go, is invalid: a blob is gone`,
    });
  });

  test('is not captured by a schedule while it is under way', () => {
    const { world, begin } = restoring();
    let isSlow = true;
    world.perform = ({ kind }) => (kind === 'restore' && isSlow ? null : { outcome: 'done', detail: '' });
    begin();
    world.now += DAY;
    due(world);
    world.settle();
    expect(points(world).filter(({ state }) => state === 'creating')).toMatchObject([{ cause: { kind: 'schedule' } }]);
    isSlow = false;
    const moving = Object.keys(world.memory.operations).find((id) => id.startsWith('restore:')) ?? '';
    world.record({ type: 'operation.finished', id: moving, outcome: 'done', detail: '', durationMs: 0 });
    world.settle();
    expect(points(world).filter(({ state }) => state === 'creating')).toEqual([]);
    expect(world.events('restore.ended')).toMatchObject([{ outcome: 'done' }]);
  });

  test('touches nothing where that cannot be kept', () => {
    const { world, begin } = restoring();
    world.perform = (action) => ({ outcome: action.kind === 'capture' ? 'failed' : 'done', detail: 'disk full' });
    begin();
    world.settle();
    expect(world.effects.filter((effect) => effect.startsWith('move'))).toEqual([]);
    expect(world.events('restore.ended')).toMatchObject([
      { outcome: 'failed', detail: expect.stringContaining('disk full') },
    ]);
  });

  test.each([0, 1])('killed with %i operation(s) begun ends all the same', (begun) => {
    const { world, begin } = restoring();
    begin();
    world.kill(begun);
    world.settle();
    expect(world.events('restore.ended')).toMatchObject([{ outcome: begun === 0 ? 'done' : 'failed' }]);
  });

  test('is refused while an incident may restore the same', () => {
    const { world, begin } = restoring();
    world.accept(
      desiredWith(
        {},
        {
          policies: {
            guard: aPolicy({
              ladder: [aRung({ do: [aRestore({ target: 'database', to: { kind: 'latestValid' } })] })],
            }),
          },
        },
      ),
    );
    for (let second = 0; second < 12; second += 1) {
      world.now += 1_000;
      world.reading(0.9);
      world.round();
    }
    expect(Object.keys(world.memory.incidents)).toEqual(['INC-1']);
    expect(begin).toThrow('INC-1 may restore database');
  });
});

describe('a checkout in a point', () => {
  const TRACKED = aTarget({ type: { track: { remote: 'origin', ref: 'main', intervalMs: 5_000 } } });
  const toPoint = (to: Extract<Step, { kind: 'restore' }>['to']) => aRestore({ target: 'code', to });

  function codeWorld(steps: readonly Step[] = [], onFailure: readonly Step[] = []): World {
    const policy = aPolicy({ ladder: [aRung({ name: 'code', do: steps, onFailure })] });
    const nightly = { targets: ['code'], take: { schedule: null, before: [], after: [] } } as const;
    const world = worldWith(desiredWith(nightly, { targets: { code: TRACKED }, policies: { guard: policy } }));
    world.checkouts = { code: { head: 'v1', tip: 'v1' } };
    world.settle();
    take(world);
    world.checkouts = { code: { head: 'v2', tip: 'v2' } };
    world.settle();
    return world;
  }

  function take(world: World): void {
    const cause = { kind: 'command', by: 'anna' } as const;
    const situation = { desired: world.desired, memory: world.memory, now: world.now, actor: 'anna' };
    for (const event of takePoint(situation, { policy: 'nightly', cause })) world.record(event);
    world.settle();
  }

  const kinds = (world: World) => world.effects.filter((effect) => /^(capture|move)/.test(effect)).slice(1);
  const kept = (world: World) => world.memory.targets['code']?.kept;

  test('has its revision kept from garbage collection, until the point is deleted', () => {
    const world = codeWorld();
    expect(points(world)).toMatchObject([{ state: 'valid', snapshots: [{ type: 'git', fingerprint: 'v1/v1' }] }]);
    expect(kept(world)).toEqual(['v1']);
    world.record({ type: 'points.deleted', points: points(world).map(({ id }) => id) });
    world.settle();
    expect(kept(world)).toEqual([]);
  });

  test('is where a rung goes back to, which keeps what it leaves and puts it into quarantine', () => {
    const world = codeWorld([toPoint({ kind: 'latestValid' })]);
    world.now += HOUR;
    world.live(30, 0.9);
    expect(kinds(world)).toEqual(['capture code', expect.stringMatching(/^move code to .*-nightly$/)]);
    expect(world.checkouts['code']?.head).toBe('v1');
    expect(world.memory.holds).toMatchObject({ 'quarantine:code:v2': { tree: 'v2' } });
  });

  test('is not gone back to where it shows what a rollback left', () => {
    const world = codeWorld([toPoint({ kind: 'latestValid' })]);
    world.record({ type: 'hold.placed', hold: { ...QUARANTINE, since: world.now } });
    world.now += HOUR;
    world.live(30, 0.9);
    expect(world.events('step.finished')[0]).toMatchObject({
      result: { detail: 'there is no valid point of code from before the incident' },
    });
  });

  test('is not kept first where a revision is gone back to, unless the rung may want it back', () => {
    const toRevision = toPoint({ kind: 'revision', revision: 'v0' });
    const plain = codeWorld([toRevision]);
    plain.live(30, 0.9);
    expect(kinds(plain)).toEqual(['move code to v0']);
    const careful = codeWorld([toRevision], [toPoint({ kind: 'safetyPoint' })]);
    careful.live(30, 0.9);
    expect(kinds(careful)).toEqual(['capture code', 'move code to v0']);
  });

  test('restored by hand is not deployed over again, and can be undone', () => {
    const world = codeWorld();
    const restore = (point: string) => {
      const situation = { desired: world.desired, memory: world.memory, now: world.now, actor: 'anna' };
      const request = { point, paths: [], reason: 'v2 is wrong' };
      for (const event of beginRestore(situation, request)) world.record(event);
      world.settle();
      pass(world, HOUR);
    };
    restore(points(world)[0]?.id ?? '');
    expect(world.checkouts['code']?.head).toBe('v1');
    expect(world.memory.holds).toMatchObject({ 'quarantine:code:v2': { cause: 'anna: v2 is wrong' } });
    const safety = points(world).find(({ description }) => description !== undefined);
    restore(safety?.id ?? '');
    expect(world.checkouts['code']?.head).toBe('v2');
    expect(world.memory.holds).toEqual({});
  });
});

const QUARANTINE = {
  kind: 'quarantine',
  id: 'quarantine:code:v1',
  object: 'Target/code',
  cause: 'slow',
  target: 'code',
  incident: 'INC-0',
  origin: ORIGIN,
  commit: 'v1',
  tree: 'v1',
} as const;

describe('a new revision of a tracked checkout', () => {
  const TRACKED = aTarget({ type: { track: { remote: 'origin', ref: 'main', intervalMs: 5_000 } } });

  function codeWorld(take: PointPolicy['take']): World {
    const world = worldWith(desiredWith({ take }, { targets: { database: aDatabase(), code: TRACKED } }));
    world.checkouts = { code: { head: 'v1', tip: 'v1' } };
    world.settle();
    world.checkouts = { code: { head: 'v1', tip: 'v2' } };
    return world;
  }

  const kinds = (world: World) => world.effects.filter((effect) => /^(capture|move)/.test(effect));

  test('is deployed once the point before it is stored', () => {
    const world = codeWorld({ schedule: null, before: ['revision'], after: [] });
    world.settle();
    expect(kinds(world)).toEqual(['capture database', 'move code to v2']);
    expect(points(world)).toMatchObject([{ cause: { kind: 'revision', by: 'code to v2' } }]);
  });

  test('waits while that point cannot be taken, which is tried again', () => {
    const world = codeWorld({ schedule: null, before: ['revision'], after: [] });
    let isFull = true;
    world.perform = (action) => ({ outcome: action.kind === 'capture' && isFull ? 'failed' : 'done', detail: 'full' });
    world.settle();
    pass(world, 60_000);
    expect(kinds(world)).toEqual([]);
    expect(points(world)).toHaveLength(1);
    isFull = false;
    pass(world, 600_000);
    expect(kinds(world)).toEqual(['capture database', 'move code to v2']);
  });

  test('has a point taken after it, once', () => {
    const world = codeWorld({ schedule: null, before: [], after: ['revision'] });
    world.settle();
    pass(world, DAY);
    expect(kinds(world)).toEqual(['move code to v2', 'capture database']);
    expect(points(world)).toMatchObject([{ cause: { kind: 'revision', by: 'code at v2' } }]);
  });
});

describe('what has ended', () => {
  const rules = { ttlMs: DAY, maxPoints: 10, compression: 'zstd', prunesItself: true, pruneEveryMs: 0 } as const;

  function worldOfOldPoints(change: Partial<typeof rules> | { prunesItself: false } | { pruneEveryMs: number }): World {
    const world = worldWith(
      desiredWith({ ttlMs: DAY, prune: { maxFraction: 1, graceMs: DAY } }, { points: { ...rules, ...change } }),
    );
    for (let taken = 0; taken < 2; taken += 1) {
      world.now += 60_000;
      due(world);
      world.settle();
    }
    return world;
  }

  const pruned = (world: World) => world.events('points.pruned').flatMap((event) => event.points.map(({ id }) => id));

  test('is pruned at once', () => {
    const world = worldOfOldPoints({});
    const [first] = points(world);
    pass(world, DAY - 60_000);
    expect(pruned(world)).toEqual([first?.id]);
  });

  test('is pruned with the next sweep, which the plan asks to be woken for', () => {
    const everyMs = 5 * 60_000;
    const world = worldOfOldPoints({ pruneEveryMs: everyMs });
    const [first] = points(world);
    const endsAt = (first?.completedAt ?? 0) + DAY;
    const sweepAt = Math.ceil(endsAt / everyMs) * everyMs;
    world.now = endsAt;
    const plan = world.settle().at(-1);
    expect(pruned(world)).toEqual([]);
    expect(plan?.requeueAt).toBeLessThanOrEqual(sweepAt);
    world.now = sweepAt;
    world.settle();
    expect(pruned(world)).toEqual([first?.id]);
  });

  test('stays where a host prunes nothing by itself', () => {
    const world = worldOfOldPoints({ prunesItself: false });
    pass(world, 10 * DAY);
    expect(pruned(world)).toEqual([]);
  });
});

describe('a copy', () => {
  const copy = (name: string): PointCopy => ({
    name,
    step: {
      kind: 'run',
      argv: ['cp', '${file}', name],
      env: {},
      repeatable: true,
      unless: [],
      origin: ORIGIN,
      timeoutMs: HOUR,
    },
  });
  const copied = (world: World) => world.effects.filter((effect) => effect.startsWith('copy'));

  function worldOfCopies(names: readonly string[], change: Partial<PointPolicy> = {}): World {
    const world = worldWith(desiredWith({ copies: names.map(copy), ...change }));
    world.now += 60_000;
    due(world);
    return world;
  }

  test('is made of each intact point, to each place, once', () => {
    const world = worldOfCopies(['disk', 'bucket']);
    world.settle();
    const [first] = points(world);
    expect(first?.copies).toMatchObject({ disk: { kind: 'copied' }, bucket: { kind: 'copied' } });
    pass(world, HOUR);
    due(world);
    world.settle();
    const ids = points(world).map(({ id }) => id);
    expect(copied(world)).toEqual(ids.flatMap((id) => [`copy ${id} to disk`, `copy ${id} to bucket`]));
  });

  test('waits until the content was read again, and is not made of what is damaged', () => {
    const world = worldOfCopies(['disk']);
    world.perform = (action) =>
      action.kind === 'validate' ? { outcome: 'failed', detail: 'damaged' } : { outcome: 'done', detail: '' };
    world.settle();
    pass(world, DAY);
    expect(copied(world)).toEqual([]);
  });

  test('that fails is told, and tried again ever later, while others go on', () => {
    const world = worldOfCopies(['disk', 'bucket']);
    let isFailing = true;
    let tries = 0;
    world.perform = (action) => {
      if (action.kind !== 'copy' || action.copy.name !== 'disk') return { outcome: 'done', detail: '' };
      tries += 1;
      return isFailing ? { outcome: 'failed', detail: 'no such device' } : { outcome: 'done', detail: '' };
    };
    const plan = world.settle().at(-1);
    expect(plan?.conditions).toMatchObject([
      { type: 'CopyFailing', message: 'its copy "disk" failed, tried 1 time(s): no such device' },
    ]);
    expect(plan?.requeueAt).toBeLessThanOrEqual(world.now + 60_000);
    expect(copied(world)).toHaveLength(1);
    pass(world, 59_000);
    expect(tries).toBe(1);
    pass(world, 1_000);
    expect(tries).toBe(2);
    isFailing = false;
    pass(world, 120_000);
    expect(points(world)[0]?.copies).toMatchObject({ disk: { kind: 'copied' } });
    expect(world.settle().at(-1)?.conditions).toEqual([]);
  });

  test.each([0, 1])('killed with %i operation(s) begun is made again', (begun) => {
    const world = worldOfCopies(['disk']);
    while (!world.plan().actions.some(({ kind }) => kind === 'copy')) world.round();
    world.kill(begun);
    world.settle();
    expect(points(world)[0]?.copies).toMatchObject({ disk: { kind: 'copied' } });
    expect(copied(world)).toHaveLength(1 + begun);
  });

  test('of a suspended policy, and while everything is halted, is not made', () => {
    const suspended = worldOfCopies(['disk']);
    suspended.settle();
    const [point] = points(suspended);
    if (point === undefined) throw new Error('no point was taken');
    const { copies: _copies, ...uncopied } = point;
    const world = worldWith(desiredWith({ copies: [copy('disk')], suspend: true }));
    world.record({ type: 'point.begun', point: uncopied });
    pass(world, HOUR);
    expect(copied(world)).toEqual([]);
  });
});
