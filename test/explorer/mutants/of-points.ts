import { evolve } from '../../../src/core/evolve.ts';
import type { Desired } from '../../../src/core/model/desired.ts';
import type { Plan } from '../../../src/core/plan/plan.ts';
import { pointsInOrder } from '../../../src/core/points/points-by-state.ts';
import { newestValidPoints } from '../../../src/core/points/verdicts.ts';
import { mapValues } from '../../../src/core/record.ts';
import { TICK_MS } from '../model/small-world.ts';
import { POINTS } from '../worlds/points.ts';
import type { Mutant } from './mutant.ts';
import { misled, misremembered, miswritten } from './planted.ts';

/** Bugs about rollback points. */
export const OF_POINTS: readonly Mutant[] = [
  {
    name: 'ttl-before-all',
    breaks: 'newest-point-stays',
    bug: 'the newest valid point goes when its time to live ends, like any other',
    world: POINTS,
    rules: () => miswritten((plan) => withoutOldNewest(plan)),
    moves: 1,
  },
  {
    name: 'pin-forgotten',
    breaks: 'protected-points-survive',
    bug: 'that a person pinned a point is not remembered',
    world: POINTS,
    rules: () => misremembered((after, event, before) => (event.type === 'point.pinned' ? before : after)),
    moves: 7,
  },
  {
    name: 'no-grace',
    breaks: 'pruned-in-measure',
    bug: 'what is pruned is deleted at once, whatever grace its policy gives',
    world: POINTS,
    rules: () => misled(({ desired }) => ({ desired: withoutGrace(desired) })),
    moves: 6,
  },
  {
    name: 'damage-forgotten',
    breaks: 'sound-source',
    bug: 'that a point was found damaged is taken for a reading that failed',
    world: { ...POINTS, moves: new Set(['putBack']), disturbances: 2 },
    rules: () =>
      misremembered((after, event, before) =>
        event.type === 'operation.finished' && event.outcome === 'failed' && event.id.startsWith('validate:')
          ? evolve(before, { ...event, outcome: 'unknown' })
          : after,
      ),
    moves: 9,
  },
  {
    name: 'spoilt-capture-kept',
    breaks: 'captures-apart',
    bug: 'a capture during which its target was restored is taken for a point',
    world: POINTS,
    rules: () =>
      misremembered((after, event, before) =>
        event.type === 'operation.running' && before.operations[event.id]?.action.kind === 'restore'
          ? { ...after, points: before.points }
          : after,
      ),
    moves: 9,
  },
  {
    name: 'asked-for-ever',
    breaks: 'capture-retries-end',
    bug: 'a capture that failed leaves its schedule unserved',
    world: POINTS,
    rules: () =>
      misremembered((after, event) =>
        event.type === 'operation.finished' && event.outcome === 'failed' && event.id.startsWith('capture:')
          ? { ...after, schedules: mapValues(after.schedules, (one) => ({ ...one, at: one.at - 1 })) }
          : after,
      ),
    moves: 4,
  },
];

const TTL_MS = TICK_MS;

function withoutOldNewest(plan: Plan): Plan {
  const newest = newestValidPoints(pointsInOrder(plan.memory), plan.at).get('database');
  if (newest === undefined || plan.at - (newest.completedAt ?? plan.at) < TTL_MS) return plan;
  const points = [{ id: newest.id, reason: 'its time to live ended', deleteAt: plan.at + TICK_MS }];
  const event = { at: plan.at, type: 'points.pruned', points } as const;
  return { ...plan, events: [...plan.events, event], memory: evolve(plan.memory, event) };
}

const graceless = new WeakMap<Desired, Desired>();

/** The same one for the same, for much is known by the identity of what git says. */
function withoutGrace(desired: Desired): Desired {
  const known = graceless.get(desired);
  if (known !== undefined) return known;
  const pointPolicies = mapValues(desired.pointPolicies ?? {}, (policy) => ({
    ...policy,
    prune: { ...policy.prune, graceMs: 0 },
  }));
  const hasty = { ...desired, pointPolicies };
  graceless.set(desired, hasty);
  return hasty;
}
