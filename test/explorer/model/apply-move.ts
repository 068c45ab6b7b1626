import type { Event, EventSpec } from '../../../src/core/event.ts';
import { EMPTY_MEMORY, type Memory } from '../../../src/core/memory.ts';
import type { Desired } from '../../../src/core/model/desired.ts';
import type { Operation } from '../../../src/core/model/operation.ts';
import type { Observed } from '../../../src/core/observed.ts';
import type { Millis } from '../../../src/core/units.ts';
import { type Change, changeBy } from './change.ts';
import type { Move } from './move.ts';
import { dueTimesOf, measuresOf, readingsOf, sightsOf, targetSightsOf, watchReadings } from './observe.ts';
import type { Rules } from './rules.ts';
import type { SmallWorld } from './small-world.ts';
import type { Host, State, Transition } from './state.ts';
import { BLANK_WITNESS, forget, noteEffect, type Scene, testify, type Witness } from './witness.ts';
import { desiredAt, horizonsOfWorld } from './world-facts.ts';

const BEGINNING: Millis = 100_000_000_000;

/** A host on which the daemon has started for the first time and decided once. */
export function firstState(world: SmallWorld, rules: Rules): State {
  const { revision } = desiredAt(world, 0);
  const host: Host = {
    elapsedMs: 0,
    now: BEGINNING,
    revision: 0,
    files: world.files,
    checkouts: world.checkouts,
    loss: 0,
    due: {},
    dues: 0,
    hidden: false,
    halted: false,
    weather: 0,
    startedMs: 0,
    running: [],
  };
  const blank: State = { host, memory: EMPTY_MEMORY, logged: {}, recordedAt: BEGINNING, witness: BLANK_WITNESS };
  const events: EventSpec[] = [
    { type: 'daemon.started', version: '0', host: 'test', pid: 1 },
    { type: 'revision.accepted', revision, previous: null, subject: null, author: null, warnings: [] },
    ...world.points(BEGINNING).map((point): EventSpec => ({ type: 'point.imported', point })),
  ];
  return decideAfter(world, rules, blank, { kind: 'kill', begun: null }, { host, events, effects: [] }).after;
}

/** What follows from one move: the world changes, the log is written, revertd decides, and its plan is begun. */
export function applyMove(world: SmallWorld, rules: Rules, before: State, move: Move): Transition {
  return decideAfter(world, rules, before, move, changeBy(world, before, move));
}

function decideAfter(world: SmallWorld, rules: Rules, before: State, move: Move, change: Change): Transition {
  const { host } = change;
  const desired = desiredAt(world, host.revision);
  const log = new Log(rules, before, sceneOf(host, desired));
  log.noteEffects(change.effects);
  for (const spec of change.events) log.record({ at: host.now, ...spec });
  if (change.restart !== undefined) restart(world, log, host, change.restart);
  const readings = move.kind === 'tick' ? readingsOf(world, host) : [];
  const known = readings.length === 0 ? log.witness : watchReadings(world, host, log.witness);
  const observed: Observed = {
    readings,
    documents: sightsOf(world, host),
    checks: {},
    halt: haltOf(host),
    targets: targetSightsOf(host),
    measures: measuresOf(world, host),
    schedules: dueTimesOf(world, host),
  };
  const { memory } = log;
  const happened = [...log.events];
  const plan = rules.decide(desired, observed, memory, host.now);
  log.witness = known;
  for (const event of plan.events) log.follow(event);
  const after: State = {
    host: { ...host, running: plan.operations.length === 0 ? host.running : [...host.running, ...plan.operations] },
    memory: plan.memory,
    logged: log.logged,
    recordedAt: log.recordedAt,
    witness: forgetPast(world, host, log.witness, plan.memory),
  };
  return { world, rules, before, move, happened, desired, observed, memory, known, plan, after };
}

/** The next life: what is left of memory, what became of the operations, and then a decision as always. */
function restart(
  world: SmallWorld,
  log: Log,
  host: Host,
  { recovered, setBackMs }: NonNullable<Change['restart']>,
): void {
  if (world.afterKill === 'log') log.memory = { ...log.memory, triggers: log.logged };
  if (setBackMs !== 0) {
    // The log's last record cannot be later than now: memory moves along with it, and no further.
    const byMs = Math.min(0, host.now - log.recordedAt);
    if (byMs !== 0) log.record({ at: host.now, type: 'clock.jumped', byMs });
  }
  log.record({ at: host.now, type: 'daemon.started', version: '0', host: 'test', pid: 1 });
  for (const spec of recovered) log.record({ at: host.now, ...spec });
}

/** Of rollbacks only those are kept that cooldown or limit can still look back on. */
function forgetPast(world: SmallWorld, { elapsedMs }: Host, witness: Witness, { incidents }: Memory): Witness {
  if (witness.rollbacks.length === 0) return witness;
  const { cooldownMs, limitMs } = horizonsOfWorld(world);
  return forget(
    witness,
    new Set(Object.keys(incidents)),
    ({ openedMs, endedMs }) => endedMs !== null && elapsedMs - endedMs >= cooldownMs && elapsedMs - openedMs >= limitMs,
  );
}

function haltOf(host: Host): Observed['halt'] {
  return host.halted ? { since: 0, by: 'ann', reason: 'looking' } : null;
}

function sceneOf(host: Host, desired: Desired): Scene {
  return { elapsedMs: host.elapsedMs, digestOf: (flag) => desired.flags[flag]?.digest ?? null };
}

/** The daemon's log while one move is made, with those who follow it. */
class Log {
  memory: Memory;
  logged: Memory['triggers'];
  recordedAt: Millis;
  witness: Witness;
  readonly events: Event[] = [];
  readonly #rules: Rules;
  readonly #scene: Scene;

  constructor(rules: Rules, { memory, logged, recordedAt, witness }: State, scene: Scene) {
    this.memory = memory;
    this.logged = logged;
    this.recordedAt = recordedAt;
    this.witness = witness;
    this.#rules = rules;
    this.#scene = scene;
  }

  noteEffects(effects: readonly Operation[]): void {
    for (const operation of effects) this.witness = noteEffect(this.witness, operation);
  }

  record(event: Event): void {
    this.events.push(event);
    this.memory = this.#rules.evolve(this.memory, event);
    this.follow(event);
  }

  /** An event whose memory is known already. */
  follow(event: Event): void {
    this.recordedAt = event.at;
    this.witness = testify(this.witness, event, this.#scene);
    if (TRIGGER_EVENTS.has(event.type)) {
      this.logged = this.#rules.evolve({ ...EMPTY_MEMORY, triggers: this.logged }, event).triggers;
    }
  }
}

const TRIGGER_EVENTS = new Set<Event['type']>([
  'trigger.changed',
  'triggers.recorded',
  'triggers.forgotten',
  'clock.jumped',
  'daemon.started',
]);
