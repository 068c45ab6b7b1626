import { slotsOf } from '../../../src/core/incidents/approval-slots.ts';
import type { ApprovalRule } from '../../../src/core/model/approval.ts';
import { type AwaitingPhase, isOpen } from '../../../src/core/model/incident.ts';
import type { Operation } from '../../../src/core/model/operation.ts';
import type { Move } from './move.ts';
import type { SmallWorld } from './small-world.ts';
import type { State } from './state.ts';
import { desiredAt } from './world-facts.ts';

/** A move, and how many disturbances it counts for. What brings things on their way or answers a question is none. */
export type Possible = { readonly move: Move; readonly cost: 0 | 1 | 2 };

/** Everything that may happen next. The first move is the calm one: by it alone, all comes to rest. */
export function possibleMoves(world: SmallWorld, state: State): Possible[] {
  const { host } = state;
  const prompt = host.running.findIndex(({ action }) => isPrompt(world, action.kind));
  if (prompt >= 0) return [{ move: finish(prompt, 'done', true), cost: 0 }];
  const starting = host.running.findIndex(({ action, state: at }) => at === 'planned' && isBegunAtOnce(action.kind));
  if (starting >= 0) return beginnings(world, starting);
  const all = [
    ...host.running.flatMap((operation, index) => endings(world, operation, index)),
    ...people(world, state),
    ...schedules(world, state),
    ...ticks(world, state),
    ...faults(world, state),
  ];
  return all.filter(({ move }) => ALWAYS.has(move.kind) || world.moves.has(move.kind));
}

const ALWAYS = new Set<Move['kind']>([
  'tick',
  'due',
  'begin',
  'finish',
  'resume',
  'show',
  'answer',
  'adopt',
  'approve',
  'reject',
]);

function isPrompt(world: SmallWorld, kind: Operation['action']['kind']): boolean {
  return (kind === 'notify' || kind === 'report' || kind === 'keep') && world.prompt.has(kind);
}

/** The executor says that they run before it does anything else; only a kill comes before that. */
function isBegunAtOnce(kind: Operation['action']['kind']): boolean {
  return kind === 'capture' || kind === 'validate' || kind === 'copy';
}

function beginnings({ moves }: SmallWorld, operation: number): Possible[] {
  const begin: Possible = { move: { kind: 'begin', operation }, cost: 0 };
  return moves.has('kill') ? [begin, { move: { kind: 'kill', begun: null }, cost: 1 }] : [begin];
}

function finish(operation: number, outcome: 'done' | 'failed' | 'unknown', effect: boolean, killed = false): Move {
  return { kind: 'finish', operation, outcome, effect, killed };
}

function endings(world: SmallWorld, { action, state }: Operation, index: number): Possible[] {
  // What a restore owes from its beginning matters, so that its beginning is a move of its own.
  if (action.kind === 'restore' && state === 'planned') return [{ move: { kind: 'begin', operation: index }, cost: 0 }];
  const possible: Possible[] = [{ move: finish(index, 'done', true), cost: 0 }];
  if (world.moves.has('kill')) possible.push({ move: finish(index, 'done', true, true), cost: 1 });
  if (world.outcomes.includes('failed')) possible.push({ move: finish(index, 'failed', false), cost: 1 });
  const mayBeUnknown =
    world.outcomes.includes('unknown') &&
    (action.kind === 'deliver' || action.kind === 'step' || action.kind === 'restore' || action.kind === 'validate');
  if (mayBeUnknown) {
    possible.push({ move: finish(index, 'unknown', false), cost: 1 });
    if (action.kind !== 'step' && action.kind !== 'validate')
      possible.push({ move: finish(index, 'unknown', true), cost: 1 });
  }
  return possible;
}

/** What people do who were asked, or who end what they began. */
function people(world: SmallWorld, { host, memory }: State): Possible[] {
  const possible: Possible[] = [];
  if (host.halted) possible.push({ move: { kind: 'resume' }, cost: 0 });
  if (host.hidden) possible.push({ move: { kind: 'show' }, cost: 0 });
  const holds = Object.values(memory.holds);
  if (holds.some(({ kind }) => kind === 'adoption' || kind === 'targetAdoption'))
    possible.push({ move: { kind: 'adopt' }, cost: 0 });
  const open = Object.values(memory.incidents).filter(isOpen);
  for (const [incident, { phase, policy }] of open.entries()) {
    if (phase.kind === 'awaiting-approval' && phase.request !== null) {
      const rule = policy.ladder[phase.rung]?.approval;
      if (rule !== undefined) possible.push(...approvals(world, phase, rule, incident));
    }
    if (phase.kind !== 'asking') continue;
    for (const answer of ['done', 'next', 'retry'] as const) {
      possible.push({ move: { kind: 'answer', incident, answer, killed: false }, cost: 0 });
      possible.push({ move: { kind: 'answer', incident, answer, killed: true }, cost: 1 });
    }
  }
  return possible;
}

/** Whoever has not agreed yet may, and fills a slot that is open; anybody may reject. */
function approvals(world: SmallWorld, { given }: AwaitingPhase, rule: ApprovalRule, incident: number): Possible[] {
  return world.people.flatMap(({ name, roles }, person): Possible[] => {
    const { missing } = slotsOf(rule, given);
    const mayFill =
      roles.some((role) => Object.hasOwn(missing, role)) && given.every(({ subject }) => subject !== name);
    const reject: Possible = { move: { kind: 'reject', incident, person }, cost: 1 };
    return mayFill ? [{ move: { kind: 'approve', incident, person }, cost: 0 }, reject] : [reject];
  });
}

function ticks(world: SmallWorld, { host }: State): Possible[] {
  return world.weathers.map(({ isFault }, weather) => ({
    move: { kind: 'tick', weather },
    cost: isFault && weather !== host.weather ? 1 : 0,
  }));
}

/** Each comes once at an instant. */
function schedules(world: SmallWorld, { host }: State): Possible[] {
  if (host.dues >= world.dues) return [];
  return world.schedules.flatMap((key, schedule): Possible[] =>
    host.due[key] === host.now ? [] : [{ move: { kind: 'due', schedule }, cost: 0 }],
  );
}

function faults(world: SmallWorld, { host, memory }: State): Possible[] {
  const moves: Move[] = [{ kind: 'kill', begun: null }];
  for (const [operation, { action }] of host.running.entries()) {
    // Whatever these had done already is done anew, or given up.
    if (isBegunAtOnce(action.kind) || action.kind === 'collect') continue;
    if (action.kind !== 'deliver') moves.push({ kind: 'kill', begun: { operation, effect: false } });
    moves.push({ kind: 'kill', begun: { operation, effect: true } });
  }
  moves.push({ kind: 'setBack' }, { kind: 'killAndSetBack' });
  if (host.loss + 1 < world.losses.length) moves.push({ kind: 'grow' });
  if (Object.keys(memory.points).length > 0) {
    moves.push({ kind: 'verify' }, { kind: 'pin' }, { kind: 'putBack' }, { kind: 'prune' });
  }
  if (!host.halted) moves.push({ kind: 'halt' });
  if (!host.hidden) moves.push({ kind: 'hide' });
  for (const revision of world.revisions.keys()) {
    if (revision !== host.revision) moves.push({ kind: 'commit', revision });
  }
  const { flags } = desiredAt(world, host.revision);
  for (const [override, { flag }] of world.overrides.entries()) {
    if (Object.hasOwn(flags, flag)) moves.push({ kind: 'override', override });
  }
  for (const [hold, { kind }] of Object.values(memory.holds).entries()) {
    if (kind !== 'adoption' && kind !== 'targetAdoption') moves.push({ kind: 'lift', hold });
  }
  for (const incident of Object.values(memory.incidents).filter(isOpen).keys()) moves.push({ kind: 'abort', incident });
  for (const [edit, { document, entry, value }] of world.edits.entries()) {
    if ((host.files[document]?.[entry] ?? null) !== value) moves.push({ kind: 'edit', edit });
  }
  for (const [push, { target, revision }] of world.pushes.entries()) {
    if (host.checkouts[target]?.tip !== revision) moves.push({ kind: 'push', push });
  }
  for (const [checkout, { target, revision }] of world.checkoutsByHand.entries()) {
    if (host.checkouts[target]?.head !== revision) moves.push({ kind: 'checkout', checkout });
  }
  return moves.map((move) => ({ move, cost: 1 }));
}
