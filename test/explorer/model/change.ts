import { approveRung, rejectRung } from '../../../src/core/approval-commands.ts';
import type { EventSpec } from '../../../src/core/event.ts';
import { isOpen } from '../../../src/core/model/incident.ts';
import type { Operation, OperationOutcome } from '../../../src/core/model/operation.ts';
import {
  abortIncident,
  adopt,
  answerIncident,
  CommandError,
  liftHold,
  overrideFlag,
} from '../../../src/core/operator-commands.ts';
import type { Millis } from '../../../src/core/units.ts';
import type { Move } from './move.ts';
import { digestOf, recoveryOf, snapshotsOf, withCheckout, withEffect } from './operations.ts';
import { pointCommand } from './point-commands.ts';
import { type SmallWorld, TICK_MS } from './small-world.ts';
import type { Host, State } from './state.ts';
import { desiredAt } from './world-facts.ts';

/** What a move does before anything is decided about it. */
export type Change = {
  readonly host: Host;
  readonly events: readonly EventSpec[];
  /** Operations that took effect, or may have. */
  readonly effects: readonly Operation[];
  /** A new life begins, in which this becomes of the operations of the old one. */
  readonly restart?: { readonly recovered: readonly EventSpec[]; readonly setBackMs: Millis };
};

/** How far a clock is set back: further than the shortest cooldown, and than any state of a trigger is fresh. */
export const SET_BACK_MS: Millis = 4 * TICK_MS;

export function changeBy(world: SmallWorld, state: State, move: Move): Change {
  const { host } = state;
  switch (move.kind) {
    case 'tick':
      return quiet({
        ...host,
        elapsedMs: host.elapsedMs + TICK_MS,
        now: host.now + TICK_MS,
        weather: move.weather,
      });
    case 'finish':
      return finish(state, move);
    case 'kill':
      return kill(state, host, move.begun, 0);
    case 'killAndSetBack':
      return kill(state, { ...host, now: host.now - SET_BACK_MS }, null, SET_BACK_MS);
    case 'setBack':
      return {
        ...quiet({ ...host, now: host.now - SET_BACK_MS }),
        events: [{ type: 'clock.jumped', byMs: -SET_BACK_MS }],
      };
    case 'halt':
    case 'resume':
      return quiet({ ...host, halted: move.kind === 'halt' });
    case 'hide':
    case 'show':
      return quiet({ ...host, hidden: move.kind === 'hide' });
    case 'edit':
      return quiet(edited(world, host, move.edit));
    case 'push': {
      const { target, revision } = at(world.pushes, move.push);
      return quiet(withCheckout(host, target, { tip: revision }));
    }
    case 'checkout': {
      const { target, revision } = at(world.checkoutsByHand, move.checkout);
      return quiet(withCheckout(host, target, { head: revision }));
    }
    case 'grow':
      return quiet({ ...host, loss: host.loss + 1 });
    case 'due': {
      const key = at(world.schedules, move.schedule);
      return quiet({ ...host, due: { ...host.due, [key]: host.now }, dues: host.dues + 1 });
    }
    case 'begin':
      return begin(state, move.operation);
    case 'verify':
    case 'pin':
    case 'putBack':
    case 'prune': {
      const events = unlessRefused(() => pointCommand(world, state, move.kind));
      return { host, events, effects: [] };
    }
    case 'commit':
      return commit(world, state, move.revision);
    default:
      return command(world, state, move);
  }
}

function quiet(host: Host): Change {
  return { host, events: [], effects: [] };
}

function begin({ host }: State, index: number): Change {
  const operation = at(host.running, index);
  const running = host.running.map((one) => (one === operation ? { ...one, state: 'running' as const } : one));
  const event: EventSpec = { type: 'operation.running', id: operation.id, fingerprint: null };
  return { host: { ...host, running }, events: [event], effects: [] };
}

function finish(state: State, move: Extract<Move, { kind: 'finish' }>): Change {
  const operation = at(state.host.running, move.operation);
  const running = state.host.running.filter((one) => one !== operation);
  const host = { ...withEffect(state.host, move.effect ? operation : null), running };
  const event = finished(operation, move.outcome, host);
  const change: Change = { host, events: [event], effects: [operation] };
  return move.killed ? killedAfter(state, change) : change;
}

function finished(operation: Operation, outcome: OperationOutcome, host: Host): EventSpec {
  const digest = digestOf(operation, host);
  return {
    type: 'operation.finished',
    id: operation.id,
    outcome,
    detail: outcome,
    durationMs: 0,
    ...(digest === null ? {} : { digest }),
    ...(outcome === 'done' ? snapshotsOf(operation, host.now) : {}),
  };
}

function kill(state: State, clock: Host, begun: Extract<Move, { kind: 'kill' }>['begun'], setBackMs: Millis): Change {
  const operation = begun === null ? null : at(state.host.running, begun.operation);
  const touched = withEffect(clock, begun?.effect === true ? operation : null);
  const host: Host = { ...touched, startedMs: clock.elapsedMs, running: [] };
  const running: EventSpec[] =
    operation !== null && isAnnounced(operation)
      ? [{ type: 'operation.running', id: operation.id, fingerprint: null }]
      : [];
  const recovered = state.host.running.map((one) => {
    const known = one.state === 'running' ? { effect: false } : null;
    const outcome = recoveryOf(one, host, one === operation ? begun : known);
    return finished(one, outcome, host);
  });
  return {
    host,
    events: running,
    effects: operation === null ? [] : [operation],
    restart: { recovered, setBackMs },
  };
}

/** What the executor says of an operation before its effect: writes, messages and reports begin unannounced. */
function isAnnounced({ action, state }: Operation): boolean {
  const kinds: (typeof action.kind)[] = ['step', 'takeUp', 'restore', 'activate'];
  return state === 'planned' && kinds.includes(action.kind);
}

/** The daemon dies after what happened was logged; what else was under way had not begun. */
function killedAfter(state: State, change: Change): Change {
  const { restart, host } = kill({ ...state, host: change.host }, change.host, null, 0);
  return { ...change, host, ...(restart === undefined ? {} : { restart }) };
}

function edited(world: SmallWorld, host: Host, index: number): Host {
  const { document, entry, value } = at(world.edits, index);
  const { [entry]: _old, ...rest } = host.files[document] ?? {};
  return { ...host, files: { ...host.files, [document]: value === null ? rest : { ...rest, [entry]: value } } };
}

function commit(world: SmallWorld, { host, memory }: State, revision: number): Change {
  const accepted = desiredAt(world, revision).revision;
  const previous = memory.revision;
  return {
    host: { ...host, revision },
    events: [{ type: 'revision.accepted', revision: accepted, previous, subject: null, author: null, warnings: [] }],
    effects: [],
  };
}

type Command = Extract<Move, { kind: 'override' | 'lift' | 'adopt' | 'abort' | 'answer' | 'approve' | 'reject' }>;

/** What a person commands, by the functions that the API calls. */
function command(world: SmallWorld, state: State, move: Command): Change {
  const { host, memory } = state;
  const situation = { desired: desiredAt(world, host.revision), memory, now: host.now, actor: 'ann' };
  const said = (events: readonly EventSpec[]): Change => ({ host, events, effects: [] });
  switch (move.kind) {
    case 'override': {
      const { flag, variant, ttlMs } = at(world.overrides, move.override);
      return said(overrideFlag(situation, { flag, variant, ttlMs, reason: 'trying', force: true }));
    }
    case 'lift':
      return said(liftHold(situation, at(Object.keys(memory.holds), move.hold), undefined));
    case 'adopt':
      return said(adopt(situation, undefined));
    case 'abort':
      return said(abortIncident(situation, incidentAt(state, move.incident), undefined));
    case 'approve':
    case 'reject': {
      const person = at(world.people, move.person);
      const run = move.kind === 'approve' ? approveRung : rejectRung;
      return said(
        unlessRefused(() => run({ memory, checks: {}, now: host.now, person }, incidentAt(state, move.incident), {})),
      );
    }
    case 'answer': {
      const change = said(answerIncident(situation, incidentAt(state, move.incident), move.answer));
      return move.killed ? killedAfter(state, change) : change;
    }
  }
}

/** A command that is refused changes nothing. */
function unlessRefused(run: () => readonly EventSpec[]): readonly EventSpec[] {
  try {
    return run();
  } catch (error) {
    if (error instanceof CommandError) return [];
    throw error;
  }
}

function incidentAt({ memory }: State, index: number): string {
  return at(Object.values(memory.incidents).filter(isOpen), index).id;
}

function at<T>(list: readonly T[], index: number): T {
  const one = list[index];
  if (one === undefined) throw new RangeError(`there are ${list.length}, not ${index + 1}`);
  return one;
}
