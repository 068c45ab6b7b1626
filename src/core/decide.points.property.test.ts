import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  aDatabase,
  aDesired,
  aFlagsTarget,
  aPointPolicy,
  aPolicy,
  aRestore,
  aRung,
} from '../../test/support/policies.ts';
import { World } from '../../test/support/world.ts';
import type { Memory } from './memory.ts';
import type { Action } from './model/action.ts';
import type { OperationOutcome } from './model/operation.ts';
import { isCaptured, isUnderWay } from './model/point.ts';
import { CommandError, overrideFlag } from './operator-commands.ts';
import type { Plan } from './plan/plan.ts';
import { beginRestore } from './points/manual-restores.ts';
import { pinPoint, prunePointsNow, takePoint, verifyPoints } from './points/point-commands.ts';
import { pointsInOrder } from './points/points-by-state.ts';
import { MOST_RETRIES } from './points/retry-captures.ts';
import { newestValidPoints } from './points/verdicts.ts';

/** `REVERTD_TEST_RUNS` multiplies the runs, for a long look at ever new worlds; without it they are always the same. */
const LONG_LOOK = process.env['REVERTD_TEST_RUNS'];
const RUNS = 12 * Number(LONG_LOOK ?? 1);
const SEED = LONG_LOOK === undefined ? { seed: 20_261_121 } : {};

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const DESIRED = aDesired({
  policies: {
    guard: aPolicy({
      ladder: [
        aRung({
          name: 'data',
          do: [
            aRestore({ target: 'flags', to: { kind: 'latestValid' }, flags: ['fast-path'] }),
            aRestore({ target: 'database', to: { kind: 'latestValid' } }),
          ],
        }),
      ],
      release: { kind: 'after', spanMs: DAY },
      cooldownMs: MINUTE,
    }),
  },
  targets: { database: aDatabase(), flags: aFlagsTarget() },
  pointPolicies: {
    nightly: aPointPolicy({
      targets: ['database', 'flags'],
      take: { schedule: '0 2 * * *', before: ['rollback'], after: [] },
      retain: { last: 2 },
      ttlMs: 3 * DAY,
      prune: { maxFraction: 1, graceMs: DAY },
    }),
  },
});

type Move =
  | { readonly kind: 'pass'; readonly minutes: number }
  | { readonly kind: 'due' | 'take' | 'verify' | 'prune' | 'restore' | 'breach' | 'pin' | 'on' | 'off' }
  | { readonly kind: 'fail'; readonly of: Action['kind']; readonly outcome: OperationOutcome; readonly times: number }
  | { readonly kind: 'kill'; readonly begun: number; readonly midway: boolean };

const anyMove: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), minutes: fc.integer({ min: 1, max: 4_000 }) }),
  },
  fc.record({
    kind: fc.constantFrom('due', 'due', 'take', 'verify', 'prune', 'restore', 'breach', 'pin', 'on', 'off'),
  }),
  fc.record({
    kind: fc.constant('fail' as const),
    of: fc.constantFrom('capture', 'validate', 'collect', 'restore'),
    outcome: fc.constantFrom('failed', 'unknown'),
    times: fc.integer({ min: 1, max: 20 }),
  }),
  fc.record({ kind: fc.constant('kill' as const), begun: fc.integer({ min: 0, max: 2 }), midway: fc.boolean() }),
);

/** What must never be, of one decision on a memory. */
function wrongIn({ points }: Memory, plan: Plan, now: number): string | null {
  const newest = [...newestValidPoints(pointsInOrder({ points }), now).values()].map(({ id }) => id);
  for (const event of plan.events) {
    if (event.type !== 'points.pruned') continue;
    for (const { id } of event.points) {
      const point = points[id];
      if (newest.includes(id)) return `${id} is pruned, the newest valid point`;
      if (point !== undefined && point.pinned !== null) return `${id} is pruned, although it is pinned`;
      if (point !== undefined && isUnderWay(point)) return `${id} is pruned while it is ${point.state}`;
    }
  }
  for (const { kind, ...action } of plan.actions) {
    if (kind !== 'restore' || !('to' in action)) continue;
    const point = plan.memory.points[action.to];
    if (point === undefined || !isCaptured(point)) return `a restore from ${action.to}, which is ${point?.state}`;
  }
  return null;
}

/** Rounds until all is settled, each held against what must never be. */
function settle(world: World): void {
  for (let rounds = 0; rounds < 80; rounds += 1) {
    const { memory, now } = world;
    const plan = world.round();
    expect(wrongIn(memory, plan, now)).toBeNull();
    if (plan.actions.length === 0 && plan.events.length === 0) return;
  }
  throw new Error('the world does not come to rest');
}

function make(world: World, move: Move): void {
  const situation = { desired: world.desired, memory: world.memory, now: world.now, actor: 'anna' };
  const [newest] = pointsInOrder(world.memory);
  switch (move.kind) {
    case 'pass':
      world.now += move.minutes * MINUTE;
      return;
    case 'due':
      world.now += MINUTE;
      world.schedules = { 'take:nightly': { last: world.now, next: world.now + DAY } };
      return;
    case 'fail': {
      let left = move.times;
      world.perform = ({ kind }) => {
        if (kind !== move.of || left === 0) return { outcome: 'done', detail: '' };
        left -= 1;
        return { outcome: move.outcome, detail: 'as it happens' };
      };
      return;
    }
    case 'kill':
      world.kill(move.begun, MINUTE, move.midway ? 'midway' : undefined);
      return;
    case 'breach':
      world.now += 5_000;
      world.reading(0.9);
      world.now += 60_000;
      world.reading(0.9);
      return;
    case 'take':
      return world.record(takePoint(situation, { policy: 'nightly', cause: { kind: 'command' } })[0] ?? NOTHING);
    case 'verify':
      return recordAll(world, verifyPoints(situation, { points: [], rehearse: false }));
    case 'prune':
      return recordAll(world, prunePointsNow(situation, { confirm: true }));
    case 'on':
    case 'off': {
      const request = { flag: 'fast-path', variant: move.kind, ttlMs: null, reason: 'to see', force: false };
      return recordAll(world, overrideFlag(situation, request));
    }
    case 'pin':
      return newest === undefined ? undefined : recordAll(world, pinPoint(situation, newest.id, undefined));
    case 'restore':
      return recordAll(world, beginRestore(situation, { point: newest?.id ?? '', paths: [], reason: 'to see' }));
  }
}

const NOTHING = { type: 'clock.jumped', byMs: 0 } as const;

function recordAll(world: World, events: ReturnType<typeof verifyPoints>): void {
  for (const event of events) world.record(event);
}

/** What a person is refused changes nothing. */
function tried(world: World, move: Move): void {
  try {
    make(world, move);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
  }
}

/** The most captures for one instant of the schedule; what begins for a new one is followed by that. */
function mostTries({ log }: World): number {
  let [most, tries] = [0, 0];
  for (const [index, event] of log.entries()) {
    if (event.type !== 'point.begun' || event.point.cause.kind !== 'schedule') continue;
    tries = log[index + 1]?.type === 'schedule.served' ? 1 : tries + 1;
    most = Math.max(most, tries);
  }
  return most;
}

test('points survive whatever happens, and everything about them comes to an end', () => {
  fc.assert(
    fc.property(fc.array(anyMove, { maxLength: 40, size: 'max' }), (moves) => {
      const world = new World(DESIRED, { 'envFile:/app.env': { FAST_PATH: 'true' } });
      settle(world);
      for (const move of moves) {
        tried(world, move);
        settle(world);
      }
      world.perform = () => ({ outcome: 'done', detail: '' });
      for (let hour = 0; hour < 72; hour += 6) {
        world.now += 6 * 60 * MINUTE;
        world.reading(0.1);
        settle(world);
      }
      expect(Object.keys(world.memory.operations)).toEqual([]);
      expect(Object.values(world.memory.points).filter(isUnderWay)).toEqual([]);
      expect([world.memory.restores, world.memory.collection]).toEqual([{}, null]);
      expect(mostTries(world)).toBeLessThanOrEqual(1 + MOST_RETRIES);
    }),
    { numRuns: RUNS, ...SEED },
  );
});
