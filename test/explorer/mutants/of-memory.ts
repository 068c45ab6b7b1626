import type { Event } from '../../../src/core/event.ts';
import { evolve } from '../../../src/core/evolve.ts';
import type { Memory } from '../../../src/core/memory.ts';
import { mapValues, without } from '../../../src/core/record.ts';
import { TICK_MS } from '../model/small-world.ts';
import { APPROVAL } from '../worlds/approval.ts';
import { BRAKES } from '../worlds/brakes.ts';
import { CLOCK } from '../worlds/clock.ts';
import { CODE } from '../worlds/code.ts';
import { DOCUMENTS } from '../worlds/documents.ts';
import { KILLS } from '../worlds/kills.ts';
import { PEOPLE } from '../worlds/people.ts';
import { ROLLBACK } from '../worlds/rollback.ts';
import type { Mutant } from './mutant.ts';
import { misremembered } from './planted.ts';

/** Bugs in what is remembered, each in the fold of one event. */
export const OF_MEMORY: readonly Mutant[] = [
  {
    name: 'drift-told-twice',
    breaks: 'settled',
    bug: 'a drift that was told is not remembered',
    world: DOCUMENTS,
    rules: () => misremembered((after, event, before) => (event.type === 'drift.seen' ? before : after)),
    moves: 2,
  },
  {
    name: 'unknown-is-not-done',
    breaks: 'no-unsafe-effect-twice',
    bug: 'a step of which nobody knows whether it was done is done again',
    world: KILLS,
    rules: () =>
      misremembered((after, event, before) =>
        event.type === 'operation.finished' && event.outcome === 'unknown'
          ? evolve(before, { ...event, outcome: 'notDone' })
          : after,
      ),
    moves: 3,
  },
  {
    name: 'ladders-apart',
    breaks: 'one-ladder',
    bug: 'an incident forgets what it touches',
    world: ROLLBACK,
    rules: () => misremembered((after, event) => (event.type === 'incident.opened' ? touchingNothing(after) : after)),
    moves: 3,
  },
  {
    name: 'no-cooldown-after-abort',
    breaks: 'cooldown-and-limit',
    bug: 'an incident that a person aborted is not counted',
    world: BRAKES,
    rules: () =>
      misremembered((after, event) =>
        event.type === 'incident.closed' && event.outcome === 'aborted' ? { ...after, rollbacks: [] } : after,
      ),
    moves: 3,
  },
  {
    name: 'consent-to-less',
    breaks: 'consent-to-data-loss',
    bug: 'who agreed to a loss is taken to agree to a greater one',
    world: { ...APPROVAL, moves: new Set(['grow']), outcomes: [], disturbances: 1 },
    rules: () =>
      misremembered((after, event, before) =>
        event.type === 'approval.requested' ? stillAgreed(after, before) : after,
      ),
    moves: 6,
  },
  {
    name: 'commit-lifts-latches',
    breaks: 'holds-end-as-agreed',
    bug: 'any commit makes a rollback forgotten',
    world: ROLLBACK,
    rules: () => misremembered((after, event) => (event.type === 'revision.accepted' ? withoutLatches(after) : after)),
    moves: 3,
  },
  {
    name: 'override-too-short',
    breaks: 'holds-end-as-agreed',
    bug: 'an override ends before its time',
    world: PEOPLE,
    rules: () => misremembered((after, event) => (event.type === 'hold.placed' ? expiringEarly(after, event) : after)),
    moves: 2,
  },
  {
    name: 'failure-without-end',
    breaks: 'no-operation-is-lost',
    bug: 'an operation that failed stays under way',
    world: DOCUMENTS,
    rules: () =>
      misremembered((after, event, before) =>
        event.type === 'operation.finished' && event.outcome === 'failed'
          ? { ...after, operations: before.operations }
          : after,
      ),
    moves: 1,
  },
  {
    name: 'cooldown-by-the-clock',
    breaks: 'clock-changes-nothing',
    bug: 'when the clock is set, rollbacks keep the time by the old one',
    world: ROLLBACK,
    rules: () =>
      misremembered((after, event, before) =>
        event.type === 'clock.jumped' ? { ...after, rollbacks: before.rollbacks } : after,
      ),
    moves: 3,
  },
  {
    name: 'evidence-of-a-past-life',
    breaks: 'no-action-on-absence',
    bug: 'a new life trusts evaluations that lie ahead of a clock which was set back',
    world: CLOCK,
    rules: () =>
      misremembered((after, event, before) =>
        event.type === 'daemon.started' ? { ...after, triggers: before.triggers } : after,
      ),
    moves: 5,
  },
  {
    name: 'quarantine-forgotten',
    breaks: 'quarantine-holds',
    bug: 'what a rollback put away is not remembered',
    world: { ...CODE, moves: new Set(['push']), disturbances: 1 },
    rules: () =>
      misremembered((after, event, before) =>
        event.type === 'hold.placed' && event.hold.kind === 'quarantine' ? before : after,
      ),
    moves: 14,
  },
  {
    name: 'ladder-over-nothing',
    breaks: 'quarantine-holds',
    bug: 'an incident forgets that its ladder may move a target, so that a push is deployed meanwhile',
    world: CODE,
    rules: () => misremembered((after, event) => (event.type === 'incident.opened' ? touchingNothing(after) : after)),
    moves: 3,
  },
  {
    name: 'half-baked',
    breaks: 'good-is-proven',
    bug: 'calm counts from before it was seen',
    world: CODE,
    rules: () => misremembered((after, event) => (event.type === 'target.calmed' ? calmBefore(after) : after)),
    moves: 4,
  },
  {
    name: 'reload-for-ever',
    breaks: 'comes-to-rest',
    bug: 'a take-up that was done stays owed',
    world: PEOPLE,
    rules: () =>
      misremembered((after, event, before) =>
        event.type === 'operation.finished' && event.id.startsWith('takeUp:')
          ? { ...after, documents: before.documents }
          : after,
      ),
    moves: 2,
  },
];

function touchingNothing(memory: Memory): Memory {
  return {
    ...memory,
    incidents: mapValues(memory.incidents, (incident) => ({ ...incident, conflictSet: [] })),
    rollbacks: memory.rollbacks.map((one) => ({ ...one, conflictSet: [] })),
  };
}

function stillAgreed(after: Memory, before: Memory): Memory {
  return {
    ...after,
    incidents: mapValues(after.incidents, (incident) => {
      const old = before.incidents[incident.id]?.phase;
      const isAsked = incident.phase.kind === 'awaiting-approval' && old?.kind === 'awaiting-approval';
      return isAsked ? { ...incident, phase: { ...incident.phase, given: old.given } } : incident;
    }),
  };
}

function calmBefore(memory: Memory): Memory {
  const earlier = (at: number | null) => (at === null ? null : at - TICK_MS);
  return {
    ...memory,
    targets: mapValues(memory.targets, (target) => ({
      ...target,
      current: target.current === null ? null : { ...target.current, calmSince: earlier(target.current.calmSince) },
    })),
  };
}

function withoutLatches(memory: Memory): Memory {
  const latches = Object.values(memory.holds).filter(({ kind }) => kind === 'latch');
  return {
    ...memory,
    holds: without(
      memory.holds,
      latches.map(({ id }) => id),
    ),
  };
}

function expiringEarly(memory: Memory, { hold }: Extract<Event, { type: 'hold.placed' }>): Memory {
  if (hold.kind !== 'override' || hold.expiresAt === null) return memory;
  return { ...memory, holds: { ...memory.holds, [hold.id]: { ...hold, expiresAt: hold.expiresAt - TICK_MS } } };
}
