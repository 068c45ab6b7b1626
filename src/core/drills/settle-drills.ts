import { overlaps } from '../incidents/conflict-set.ts';
import type { Memory } from '../memory.ts';
import type { Action } from '../model/action.ts';
import type { Drill, DrillRun } from '../model/drill.ts';
import { isOpen } from '../model/incident.ts';
import type { OperationId } from '../model/operation.ts';
import { triggerKey } from '../model/trigger.ts';
import { doubtRehearsed } from '../points/suspect-points.ts';
import { viewTrigger } from '../triggers/trigger-view.ts';
import type { Turn } from '../turn.ts';
import { formatInstant, type Millis } from '../units.ts';
import { abortedResult, resultOf } from './drill-result.ts';
import { plannedRun } from './plan-drill.ts';

/**
 * met → due → started → (aborted | ended). A drill waits for everything else and nothing waits for a drill: none begins
 * while an incident is open, the host is halted or another one runs, and an incident over the same things ends it.
 */
export function settleDrills(turn: Turn): void {
  forgetOthers(turn);
  const drills = Object.values(turn.desired.drills ?? {}).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const drill of drills) meet(turn, drill);
  for (const [name, { run }] of Object.entries(turn.memory.drills ?? {})) if (run !== null) conclude(turn, name, run);
  for (const drill of drills) begin(turn, drill);
}

/** Instants from before a schedule was known, was changed, or was suspended, are nobody's to make up for. */
function meet(turn: Turn, drill: Drill): void {
  const schedule = scheduleKey(drill);
  if (turn.memory.drills?.[drill.name]?.schedule !== schedule) {
    turn.emit({ type: 'drill.met', drill: drill.name, schedule });
  }
}

function scheduleKey({ schedule, timezone, suspend }: Drill): string {
  if (suspend) return 'suspended';
  return schedule === null ? 'by hand' : `${schedule} ${timezone}`;
}

function forgetOthers(turn: Turn): void {
  for (const [name, { run }] of Object.entries(turn.memory.drills ?? {})) {
    if (Object.hasOwn(turn.desired.drills ?? {}, name)) continue;
    if (run !== null) abort(turn, name, run, 'git no longer has the drill');
    turn.emit({ type: 'drill.forgotten', drill: name });
  }
}

function conclude(turn: Turn, drill: string, run: DrillRun): void {
  const measured = turn.memory.drills?.[drill]?.measured ?? {};
  if (run.ended !== null) {
    doubtRehearsed(turn, drill, run);
    turn.emit({ type: 'drill.ended', drill, result: resultOf(run, run.ended, measured, turn.now) });
    return;
  }
  const reason = priorTo(turn, run);
  if (reason !== null) abort(turn, drill, run, reason);
}

function abort(turn: Turn, drill: string, run: DrillRun, reason: string): void {
  const measured = turn.memory.drills?.[drill]?.measured ?? {};
  turn.emit({ type: 'drill.ended', drill, result: abortedResult(run, reason, measured, turn.now) });
}

/** What goes before a drill that runs; null if nothing does. */
function priorTo({ memory }: Turn, run: DrillRun): string | null {
  if (memory.halt !== null) return `halted by ${memory.halt.by}`;
  const incident = Object.values(memory.incidents).find(
    (one) => isOpen(one) && (one.policy.name === run.policy || overlaps(one.conflictSet, run.conflictSet)),
  );
  return incident === undefined ? null : `${incident.id} (${incident.policy.name}) is over the same things`;
}

function begin(turn: Turn, drill: Drill): void {
  const due = dueInstant(turn, drill);
  if (due === null || drillBlocker(turn.memory) !== null || unrest(turn, drill) !== null) return;
  const run = plannedRun(turn, drill, { kind: 'schedule', due });
  if (run !== undefined) turn.emit({ type: 'drill.started', drill: drill.name, run });
}

/** The newest instant of its schedule that nothing came of yet; null if there is none. */
export function dueInstant(turn: Pick<Turn, 'memory' | 'observed'>, { name, suspend }: Drill): Millis | null {
  const memory = turn.memory.drills?.[name];
  const last = turn.observed.drills?.[name]?.last ?? null;
  if (suspend || memory === undefined || memory.run !== null) return null;
  return last !== null && last > memory.handledUntil && last !== memory.handledDue ? last : null;
}

/** Why no drill may begin now; null if one may. */
export function drillBlocker(memory: Memory): string | null {
  if (memory.halt !== null) return `all automatic action is stopped by ${memory.halt.by}`;
  const incident = Object.values(memory.incidents).find(isOpen);
  if (incident !== undefined) return `${incident.id} (${incident.policy.name}) is open`;
  const running = Object.entries(memory.drills ?? {}).find(([, { run }]) => run !== null);
  if (running !== undefined) return `drill ${running[0]} is under way`;
  // One that was aborted may need a moment until all that it began has ended.
  const ending = rehearsals(memory)[0];
  return ending === undefined ? null : `drill ${ending.drill} is being ended`;
}

/** By itself a drill begins in calm only: what its policy watches was seen since the start, and is not breached. */
export function unrest(turn: Pick<Turn, 'desired' | 'memory' | 'now'>, drill: Drill): string | null {
  const policy = turn.desired.policies[drill.policy];
  for (const trigger of policy?.suspend === false ? policy.triggers : []) {
    const key = triggerKey(drill.policy, trigger.name);
    const { fresh, state } = viewTrigger(turn.memory, key, trigger, turn.now);
    if (!fresh) return `${key} was not evaluated lately`;
    if (state === 'pending' || state === 'firing') return `${key} is ${state}`;
  }
  return null;
}

/** Drills that began and have no operation yet. */
export function rehearsalActions(turn: Turn): Action[] {
  return Object.entries(turn.memory.drills ?? {}).flatMap(([drill, { run }]): Action[] => {
    if (run === null || run.ended !== null) return [];
    const by =
      run.cause.kind === 'person' ? `${run.cause.actor} asked for it` : `due at ${formatInstant(run.cause.due)}`;
    const origin = turn.desired.drills?.[drill]?.origin;
    return [
      {
        kind: 'rehearse',
        key: `drill:${run.id}`,
        sign: '>',
        reason: `drill ${drill} of ${run.policy} (${run.mode}): ${by}`,
        ...(origin === undefined ? {} : { origin }),
        losesData: false,
        preconditions: [`Drill/${run.id}`],
        drill,
        run: run.id,
        mode: run.mode,
        rungs: run.rungs,
      },
    ];
  });
}

type Rehearsal = { readonly operation: OperationId; readonly drill: string; readonly run: string };

function rehearsals(memory: Memory): Rehearsal[] {
  return Object.values(memory.operations).flatMap(({ id, action }) =>
    action.kind === 'rehearse' ? [{ operation: id, drill: action.drill, run: action.run }] : [],
  );
}

/** Operations of drills that are over: whoever carries them out is to stop. */
export function abandonedRehearsals(memory: Memory): OperationId[] {
  return rehearsals(memory)
    .filter(({ drill, run }) => memory.drills?.[drill]?.run?.id !== run)
    .map(({ operation }) => operation);
}

/** When a drill is due next. */
export function drillInstants(turn: Pick<Turn, 'observed'>): Millis[] {
  return Object.values(turn.observed.drills ?? {}).flatMap(({ next }) => next ?? []);
}
