import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { move, settle } from '../../test/support/move-world.ts';
import { aDesired, aFlag, aPolicy, aRun, aRung, aVerify, ORIGIN, setFlagOff } from '../../test/support/policies.ts';
import { anyDesired, anyMove, DOCUMENT, type Move } from '../../test/support/random-world.ts';
import { World } from '../../test/support/world.ts';
import { decide } from './decide.ts';
import type { Event } from './event.ts';
import { evolve } from './evolve.ts';
import { overlaps } from './incidents/conflict-set.ts';
import type { Memory } from './memory.ts';
import type { Desired } from './model/desired.ts';
import { type Incident, isActing, isOpen } from './model/incident.ts';
import type { Plan } from './plan/plan.ts';
import { mapValues } from './record.ts';

/** `REVERTD_TEST_RUNS` multiplies the runs, for a long look at ever new worlds; without it they are always the same. */
const LONG_LOOK = process.env['REVERTD_TEST_RUNS'];
const RUNS = 25 * Number(LONG_LOOK ?? 1);
const SEED = LONG_LOOK === undefined ? { seed: 20_261_121 } : {};

type Noted = { readonly incident: Incident; readonly at: number };

/** Time as it passes for the host, whatever its clock was set to. */
class Witness {
  readonly world: World;
  readonly #ended: Noted[] = [];
  readonly #opened: Noted[] = [];
  /** When overrides end, by the time that really passes. */
  readonly #expiries = new Map<string, number>();
  readonly #mending = new Map<string, Incident>();
  /** Policies that a person has just had act against their brake. */
  readonly #forced = new Set<string>();
  #seen = 0;
  #clockSetMs = 0;

  constructor(world: World) {
    this.world = world;
  }

  /** One decision, looked at from all sides, and applied. */
  readonly round = (): Plan => {
    const { world } = this;
    const [observed, memory, halted] = [world.observe(), world.memory, world.halt !== null];
    const plan = decide(world.desired, observed, memory, world.now);
    expectDeterminism(world, plan);
    expectFold(memory, plan);
    expectRest(world, plan);
    if (halted) expectStandstill(plan);
    expectNoConflicts(plan.memory);
    expectDrillsGiveWay(plan.memory);
    expectConsent(plan);
    expectLifts(memory, plan);
    this.#note();
    world.round();
    this.#note();
    return plan;
  };

  /** The incident whose ladder may touch things from now on. */
  #beginning(event: Event): Incident | undefined {
    if (event.type === 'incident.opened') {
      const { incident } = event;
      if (incident.phase.kind !== 'fixing-forward') return incident;
      this.#mending.set(incident.id, incident);
    }
    return event.type === 'fixForward.ended' ? this.#mending.get(event.incident) : undefined;
  }

  /** Cooldown and limit, by the time that really passed. */
  #note(): void {
    for (const event of this.world.log.slice(this.#seen)) {
      if (event.type === 'clock.jumped') this.#clockSetMs += event.byMs;
      const at = event.at - this.#clockSetMs;
      if (event.type === 'brake.overridden') this.#forced.add(event.policy);
      const acting = this.#beginning(event);
      if (acting !== undefined) {
        if (!this.#forced.delete(acting.policy.name)) expectAllowed(acting, at, this.#opened, this.#ended);
        this.#opened.push({ incident: acting, at });
      }
      if (event.type === 'hold.placed' && event.hold.kind === 'override') {
        this.#expiries.set(event.hold.id, (event.hold.expiresAt ?? Number.POSITIVE_INFINITY) - this.#clockSetMs);
      }
      if (event.type === 'hold.lifted' && event.reason !== 'ann') expectExpired(this.#expiries.get(event.id), at);
      if (event.type === 'incident.closed') {
        const opened = this.#opened.find(({ incident }) => incident.id === event.incident);
        if (opened !== undefined) this.#ended.push({ incident: opened.incident, at });
      }
    }
    this.#seen = this.world.log.length;
  }
}

function expectAllowed(incident: Incident, at: number, opened: readonly Noted[], ended: readonly Noted[]): void {
  const { policy, conflictSet } = incident;
  const related = ({ incident: other }: Noted): boolean =>
    other.policy.name === policy.name || overlaps(other.conflictSet, conflictSet);
  for (const one of ended.filter(related)) expect(at - one.at).toBeGreaterThanOrEqual(one.incident.policy.cooldownMs);
  if (policy.limit === undefined) return;
  const { rollbacks, perMs } = policy.limit;
  expect(opened.filter(related).filter((one) => at - one.at < perMs).length).toBeLessThan(rollbacks);
}

function expectExpired(expiry: number | undefined, at: number): void {
  if (expiry !== undefined) expect(at).toBeGreaterThanOrEqual(expiry);
}

function expectDeterminism(world: World, plan: Plan): void {
  const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
  const again = decide(copy(world.desired), copy(world.observe()), copy(world.memory), world.now);
  expect(again).toEqual(plan);
  expect(copy(plan)).toEqual(plan);
}

function expectFold(memory: Memory, plan: Plan): void {
  const { triggers: _moving, ...folded } = plan.events.reduce(evolve, memory);
  const { triggers, ...rest } = plan.memory;
  expect(folded).toEqual(rest);
  expect(Object.keys(_moving).sort()).toEqual(Object.keys(triggers).sort());
}

/** With what was planned under way, nothing more is to be done. */
function expectRest(world: World, plan: Plan): void {
  const again = decide(world.desired, { ...world.observe(), readings: [] }, plan.memory, world.now);
  expect(again.actions).toEqual([]);
  expect(again.events).toEqual([]);
  if (plan.requeueAt !== null) expect(plan.requeueAt).toBeGreaterThan(world.now);
}

function expectStandstill(plan: Plan): void {
  expect(plan.actions.filter(({ kind }) => kind !== 'notify' && kind !== 'report')).toEqual([]);
  const moving = new Set<string>(['rung.entered', 'rung.skipped', 'rung.failed', 'step.started', 'step.finished']);
  expect(plan.events.filter(({ type }) => moving.has(type))).toEqual([]);
  expect(plan.events.filter((event) => event.type === 'hold.lifted' && !event.id.startsWith('adoption:'))).toEqual([]);
}

function expectNoConflicts(memory: Memory): void {
  const open = Object.values(memory.incidents).filter(isActing);
  for (const [index, one] of open.entries()) {
    for (const other of open.slice(index + 1)) expect(overlaps(one.conflictSet, other.conflictSet)).toBe(false);
  }
}

/** One drill at a time, and none over what an incident may touch, nor while everything is halted. */
function expectDrillsGiveWay(memory: Memory): void {
  const runs = Object.values(memory.drills ?? {}).flatMap(({ run }) => run ?? []);
  expect(runs.length).toBeLessThanOrEqual(1);
  for (const { conflictSet } of runs) {
    expect(memory.halt).toBeNull();
    const open = Object.values(memory.incidents).filter(isOpen);
    expect(open.filter((incident) => overlaps(incident.conflictSet, conflictSet))).toEqual([]);
  }
}

/** Nothing is written over a value that waits for adoption. */
function expectConsent(plan: Plan): void {
  for (const action of plan.actions) {
    if (action.kind !== 'deliver') continue;
    for (const change of action.changes) expect(plan.memory.holds).not.toHaveProperty([`adoption:${change.place}`]);
  }
}

/** A decision lifts a latch only when its incident is closed and its lift has come; an override only at its end. */
function expectLifts(before: Memory, plan: Plan): void {
  let memory = before;
  for (const event of plan.events) {
    const { holds, incidents } = memory;
    memory = evolve(memory, event);
    if (event.type !== 'hold.lifted') continue;
    const hold = holds[event.id];
    if (hold?.kind === 'override') expect(hold.expiresAt).toBeLessThanOrEqual(plan.at);
    if (hold?.kind !== 'latch') continue;
    expect(hold.lift.kind).not.toBe('manual');
    expect(incidents[hold.incident]?.phase.kind).toBe('closed');
  }
}

function unsafeSteps(world: World): string[] {
  return world.log.flatMap((event) => {
    if (event.type !== 'operation.finished' || event.outcome === 'notDone') return [];
    return event.id.startsWith('step:') ? [event.id.slice(0, event.id.lastIndexOf('#'))] : [];
  });
}

function aWorld(desired: Desired): World {
  const world = new World(desired, { [DOCUMENT]: { FAST_PATH: 'true', OTHER: 'true' } });
  world.checkouts = { code: { head: 'v1', tip: 'v1' } };
  return world;
}

describe('in any world, whatever befalls it', () => {
  const anyWorld = fc.tuple(anyDesired, fc.array(anyMove, { minLength: 1, maxLength: 25 }));

  test('every decision keeps the invariants, and the world comes to rest', () => {
    fc.assert(
      fc.property(anyWorld, ([desired, moves]) => {
        const world = aWorld(desired);
        const witness = new Witness(world);
        for (const one of moves) move(world, one, witness.round);
        const retries = world.events('incident.answered').filter(({ answer }) => answer === 'retry').length;
        const steps = unsafeSteps(world);
        expect(steps.length - new Set(steps).size).toBeLessThanOrEqual(retries);
      }),
      { numRuns: RUNS, ...SEED },
    );
  });

  test('once all is well again nothing is left behind', () => {
    fc.assert(
      fc.property(anyWorld, ([desired, moves]) => {
        const world = aWorld(desired);
        const round = () => world.round();
        for (const one of moves) move(world, one, round);
        calm(world, round);
        const { memory } = world;
        const open = Object.values(memory.incidents).filter(isOpen);
        expect(open.filter(({ phase, policy }) => phase.kind !== 'asking' && !isSuspended(world, policy.name))).toEqual(
          [],
        );
        expect(memory).toMatchObject({ operations: {}, outbox: {}, reportsOwed: {}, brakes: {}, halt: null });
        expect(
          Object.values(memory.documents).filter(({ failing, owed }) => failing !== null || owed !== null),
        ).toEqual([]);
        expect(Object.values(memory.targets).filter(({ failing, owed }) => failing !== null || owed !== null)).toEqual(
          [],
        );
        expect(world.plan().conditions.filter(({ type }) => TROUBLE.has(type))).toEqual([]);
        const length = world.log.length;
        move(world, CALM, round);
        expect(world.log.length).toBe(length);
      }),
      { numRuns: RUNS, ...SEED },
    );
  });
});

const CALM: Move = { kind: 'live', seconds: 600, weather: ['clear', 'clear', 'clear', 'clear'], healthy: true };
const TROUBLE = new Set<string>(['Halted', 'Braked', 'DeliveryFailing', 'TakeUpOwed', 'NotificationFailing']);

function calm(world: World, round: () => Plan): void {
  move(world, { kind: 'outcomes', outcome: 'done' }, round);
  move(world, { kind: 'readable' }, round);
  move(world, { kind: 'resume' }, round);
  for (let round_ = 0; round_ < 3; round_ += 1) move(world, CALM, round);
}

function isSuspended(world: World, policy: string): boolean {
  return world.desired.policies[policy]?.suspend === true;
}

describe('in any world', () => {
  const anyMoves = fc.array(anyMove, { minLength: 1, maxLength: 25 });

  /** Only the absence of data speaks against the host: nothing was ever seen to be bad. */
  const withoutBreach = (one: Move): Move =>
    one.kind === 'live'
      ? { ...one, weather: one.weather.map((kind) => (kind === 'breached' ? 'silent' : kind)) }
      : one.kind === 'commit'
        ? { ...one, desired: withoutFire(one.desired) }
        : one;

  test('nothing is rolled back on the absence of data alone', () => {
    fc.assert(
      fc.property(anyDesired, anyMoves, (desired, moves) => {
        const world = aWorld(withoutFire(desired));
        // What a person begins by hand needs no reason.
        const own = moves.filter(({ kind }) => kind !== 'rollback');
        for (const one of own) move(world, withoutBreach(one), () => world.round());
        expect(world.events('incident.opened')).toEqual([]);
        expect(unsafeSteps(world)).toEqual([]);
      }),
      { numRuns: RUNS, ...SEED },
    );
  });

  test('a clock that is set back, again and again, changes nothing that is done', () => {
    const anySetBacks = fc.array(fc.constantFrom(0, 0, 0, -60_000, -7_200_000), { minLength: 25, maxLength: 25 });
    const steady = anyMoves.map((moves) => moves.flatMap((one) => (one.kind === 'jump' ? [] : [unsuspecting(one)])));
    // Messages tell instants, so that one may be told again by the new clock.
    const anyQuiet = anyDesired.map(unsuspected);
    fc.assert(
      fc.property(anyQuiet, steady, anySetBacks, (desired, moves, setBacks) => {
        const [world, other] = [aWorld(desired), aWorld(desired)];
        for (const [index, one] of moves.entries()) {
          move(world, one, () => world.round());
          move(other, one, () => other.round());
          move(other, { kind: 'jump', byMs: setBacks[index] ?? 0 }, () => other.round());
        }
        expect(other.effects).toEqual(world.effects);
        expect(told(other)).toEqual(told(world));
      }),
      { numRuns: RUNS, ...SEED },
    );
  });
});

/** With too few triggers for a clock that was set to throw suspicion on what they show just after. */
function unsuspected(desired: Desired): Desired {
  const { guard } = desired.policies;
  return { ...desired, notifiers: {}, policies: guard === undefined ? {} : { guard } };
}

function unsuspecting(one: Move): Move {
  return one.kind === 'commit' ? { ...one, desired: unsuspected(one.desired) } : one;
}

/** What happened, but for when. */
function told(world: World): string[] {
  return world.log.flatMap(({ type }) => (type === 'clock.jumped' ? [] : [type]));
}

/** As git would have it if no trigger fired on absence. */
function withoutFire(desired: Desired): Desired {
  const policies = mapValues(desired.policies, (policy) => ({
    ...policy,
    triggers: policy.triggers.map((trigger) =>
      trigger.noData === 'fire' ? { ...trigger, noData: 'hold' as const } : trigger,
    ),
  }));
  return { ...desired, policies };
}

describe('a rollback that is killed anywhere', () => {
  const place = {
    origin: ORIGIN,
    document: { kind: 'envFile', path: '/app.env' },
    entry: 'FAST_PATH',
    takeUp: [aRun(['reload'])],
  } as const;
  const ladder = [aRung({ do: [aRun(['once'], { repeatable: false }), setFlagOff()], verify: aVerify() })];
  const desired = aDesired({
    flags: { 'fast-path': aFlag({ deliver: [place] }) },
    policies: { guard: aPolicy({ ladder }) },
  });

  /** The service is slow for as long as the flag is on; kills come before the rounds of these numbers. */
  function run(kills: readonly { readonly round: number; readonly begun: number; readonly awayMs: number }[]): World {
    const world = new World(desired, { [DOCUMENT]: { FAST_PATH: 'true' } });
    let rounds = 0;
    const round = (): Plan => {
      for (const kill of kills) {
        if (kill.round !== rounds) continue;
        world.kill(kill.begun, kill.awayMs);
      }
      rounds += 1;
      const open = Object.values(world.memory.incidents).find(isOpen);
      if (open?.phase.kind === 'asking') {
        world.record({ type: 'incident.answered', incident: open.id, answer: 'done', actor: 'ann' });
      }
      return world.round();
    };
    for (let passed = 0; passed < 200; passed += 5) {
      world.now += 5_000;
      world.reading(world.documents[DOCUMENT]?.['FAST_PATH'] === 'true' && passed > 20 ? 0.9 : 0.1);
      settle(world, round);
    }
    return world;
  }

  test('ends as if it had not been', () => {
    const anyKills = fc.array(
      fc.record({ round: fc.nat(60), begun: fc.nat(2), awayMs: fc.constantFrom(0, 1_000, 3_600_000) }),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(anyKills, (kills) => {
        const world = run(kills);
        expect(world.documents[DOCUMENT]).toEqual({ FAST_PATH: 'false' });
        expect(world.events('incident.closed')).toMatchObject([{ outcome: 'resolved' }]);
        expect(world.effects.filter((effect) => effect === 'once')).toHaveLength(1);
        expect(world.effects.filter((effect) => effect.startsWith('write'))).toEqual(['write FAST_PATH=false']);
        expect(world.effects.lastIndexOf('reload')).toBeGreaterThan(world.effects.indexOf('write FAST_PATH=false'));
      }),
      { numRuns: RUNS * 2, ...SEED },
    );
  });
});
