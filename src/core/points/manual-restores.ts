import type { EventSpec } from '../event.ts';
import type { Memory } from '../memory.ts';
import type { MergeSpec } from '../merge/merge-report.ts';
import type { Action, RestoreAction } from '../model/action.ts';
import { type Incident, isOpen } from '../model/incident.ts';
import type { ManualRestore } from '../model/manual-restore.ts';
import { isCaptured, type PointId, pointObject, snapshotOf } from '../model/point.ts';
import { databaseOf, type RowSelection } from '../model/target.ts';
import type { FinishedEvent } from '../operations/evolve-operations.ts';
import { CommandError, notFound, type Situation } from '../operator-commands.ts';
import { isMoving } from '../targets/code-revisions.ts';
import { restoreOf } from '../targets/moves.ts';
import type { Turn } from '../turn.ts';
import type { Millis } from '../units.ts';
import { newPoint } from './begin-point.ts';
import { settled } from './evolve-points.ts';
import { mergeFrom, mergesOf, mergingOf } from './merging-restores.ts';
import { pointCalled } from './point-called.ts';
import { settleRestoredCode } from './restored-code.ts';
import { planFlagsByHand, settleRestoredFlags } from './restored-flags.ts';

const RESTORE_TIMEOUT_MS: Millis = 6 * 3_600_000;
/** For so long it can be undone. */
const SAFETY_TTL_MS: Millis = 30 * 86_400_000;

export type RestoreRequest = {
  readonly point: PointId;
  /** Without it all that the point holds. */
  readonly target?: string;
  readonly paths: readonly string[];
  readonly rows?: RowSelection;
  readonly merge?: MergeSpec & { readonly ancestor: PointId };
  readonly reason: string;
};

/** A person restores from a point; what is overwritten is kept first. @throws CommandError */
export function beginRestore(situation: Situation, request: RestoreRequest): EventSpec[] {
  const { desired, memory, now, actor } = situation;
  if (memory.halt !== null) throw new CommandError('refused', 'everything is halted; `revertd resume` allows it again');
  const targets = restorableTargets(situation, request);
  for (const name of targets) refuseBusy(memory, name);
  for (const name of targets) refuseFlags(situation, request, name);
  const merge = request.merge === undefined ? undefined : mergeFrom(situation, request.merge, request.point, targets);
  const safety = newPoint(
    {
      label: `before-${targets.join('+')}`,
      policy: null,
      targets,
      cause: { kind: 'command', by: actor },
      description: `what a restore from ${request.point} overwrote`,
      ttlMs: SAFETY_TTL_MS,
      recover: true,
    },
    { desired, memory, now },
  );
  const restore: ManualRestore = {
    id: `RST-${memory.nextRestore}`,
    point: request.point,
    safety: safety.id,
    targets,
    paths: request.paths,
    ...(request.rows === undefined ? {} : { rows: request.rows }),
    ...(merge === undefined ? {} : { merge }),
    by: actor,
    reason: request.reason,
    startedAt: now,
    outcomes: {},
  };
  return desired === null
    ? []
    : [
        { type: 'point.begun', point: safety },
        { type: 'restore.begun', restore },
      ];
}

function restorableTargets({ desired, memory }: Situation, { point: id, target, rows }: RestoreRequest): string[] {
  const point = pointCalled(memory, id);
  if (!isCaptured(point)) throw new CommandError('refused', `${id} is ${point.state}: there is nothing to restore`);
  const held = point.snapshots.map((snapshot) => snapshot.target);
  if (target !== undefined && !held.includes(target))
    throw notFound(`target in ${id}`, target, held, `revertd points show ${id}`);
  const targets = target === undefined ? held : [target];
  for (const name of targets) {
    const known = desired?.targets[name];
    if (known === undefined) {
      throw new CommandError('refused', `git no longer has target ${name}; --target names another one`);
    }
    if (rows !== undefined && databaseOf(known.type) === undefined) {
      const mend = target === undefined ? '; --target names the database' : '';
      throw new CommandError('refused', `${name} is of type ${known.type.kind}, which has no tables${mend}`);
    }
    if (known.suspend) throw new CommandError('refused', `target ${name} is suspended`);
  }
  return targets;
}

/** Of two that would write the same only one does. */
function refuseBusy(memory: Memory, name: string): void {
  const incident = incidentAbout(memory, name);
  if (incident !== undefined) {
    const message = `${incident.id} may restore ${name}; wait for it, or end it: \`revertd incidents abort ${incident.id}\``;
    throw new CommandError('refused', message);
  }
  const other = Object.values(memory.restores).find(({ targets }) => targets.includes(name));
  if (other !== undefined || isMoving(memory, name)) {
    throw new CommandError(
      'refused',
      `${name} is being restored already${other === undefined ? '' : ` (${other.id})`}`,
    );
  }
}

/** What keeps flags from being set is said before anything is touched. */
function refuseFlags({ desired, memory }: Situation, request: RestoreRequest, name: string): void {
  if (desired?.targets[name]?.type.kind !== 'flags') return;
  const plan = planFlagsByHand({ desired, memory }, request, name);
  if (plan.kind === 'obstacle') throw new CommandError('refused', `${name}: ${plan.reason}`);
}

function incidentAbout({ incidents }: Pick<Memory, 'incidents'>, name: string): Incident | undefined {
  return Object.values(incidents).find((one) => isOpen(one) && one.conflictSet.includes(`target:${name}`));
}

/** Ends restores that are over: each target is done, one of them failed, or an incident works on one of them. */
export function settleRestores(turn: Turn): void {
  for (const begun of Object.values(turn.memory.restores)) {
    const hindered = endOf(turn, begun) ?? givenUp(turn.memory, begun);
    if (hindered === null && isKept(turn.memory, begun)) settleRestoredFlags(turn, begun);
    const restore = turn.memory.restores[begun.id] ?? begun;
    const end = hindered ?? endOf(turn, restore);
    if (end !== null) turn.emit({ type: 'restore.ended', restore: restore.id, ...end, ...mergesOf(restore) });
    else if (isKept(turn.memory, restore)) settleRestoredCode(turn, restore);
  }
}

function endOf(
  { desired, memory }: Pick<Turn, 'desired' | 'memory'>,
  { safety, outcomes, targets: wanted }: ManualRestore,
): { readonly outcome: 'done' | 'failed'; readonly detail: string } | null {
  const { points, targets } = memory;
  const kept = points[safety];
  const isLost = kept === undefined || kept.state === 'failed' || kept.state === 'invalid' || kept.state === 'pruned';
  const failed = Object.entries(outcomes).find(([, { outcome }]) => outcome !== 'done');
  if (failed !== undefined) {
    const [name, { detail, merge }] = failed;
    const isTouched = merge === undefined || Object.keys(outcomes).length > 1;
    const undo = isTouched ? `; \`revertd points restore ${safety}\` undoes it` : '';
    return { outcome: 'failed', detail: `${name}: ${detail}${undo}` };
  }
  const left = wanted.filter((name) => !Object.hasOwn(outcomes, name));
  if (isLost && left.length > 0 && !left.some((name) => isMoving(memory, name))) {
    const untouched = left.length === wanted.length ? 'nothing' : left.map((name) => `nothing of ${name}`).join(', ');
    const why = kept?.failure ?? 'its point is gone';
    return { outcome: 'failed', detail: `${untouched} was touched, for what it overwrites could not be kept: ${why}` };
  }
  const gone = left.find((name) => !Object.hasOwn(desired.targets, name) && !isMoving(memory, name));
  if (gone !== undefined) {
    const undo = left.length === wanted.length ? '' : `; \`revertd points restore ${safety}\` undoes the rest`;
    return { outcome: 'failed', detail: `git no longer has target ${gone}${undo}` };
  }
  const isOwed = wanted.some((name) => (targets[name]?.owed ?? null) !== null);
  if (left.length > 0 || isOwed) return null;
  const details = Object.entries(outcomes).map(([name, { detail }]) => `${name}: ${detail}`);
  return { outcome: 'done', detail: details.join('; ') };
}

/** Why what is not restored yet will not be. What moves is let finish. */
function givenUp(
  memory: Memory,
  restore: ManualRestore,
): { readonly outcome: 'failed'; readonly detail: string } | null {
  const { safety, outcomes, targets } = restore;
  const isLeft = targets.some((name) => !Object.hasOwn(outcomes, name));
  if (!isLeft || targets.some((name) => isMoving(memory, name))) return null;
  const reason = hindranceOf(memory, restore);
  if (reason === null) return null;
  const done = Object.keys(outcomes);
  const touched =
    done.length === 0
      ? 'nothing was touched'
      : `${done.join(', ')}: restored, and \`revertd points restore ${safety}\` undoes it`;
  return { outcome: 'failed', detail: `${reason}; ${touched}` };
}

/** Its point turned out to be damaged; or an incident opened meanwhile, which goes first, as it does before a restore that is asked for. */
function hindranceOf(memory: Memory, restore: ManualRestore): string | null {
  const { point: id, outcomes, targets } = restore;
  const point = memory.points[id];
  if (point !== undefined && !isCaptured(point))
    return `${id} is ${point.state}: ${point.failure ?? 'it is out of use'}`;
  for (const name of targets) {
    if (mergingOf(memory, restore, name) === undefined) return `the ancestor ${restore.merge?.ancestor} is gone`;
    const incident = Object.hasOwn(outcomes, name) ? undefined : incidentAbout(memory, name);
    if (incident !== undefined) return `${incident.id} opened meanwhile, and may restore ${name}`;
  }
  return null;
}

/** Whether what it overwrites is kept. */
function isKept({ points }: Memory, { safety }: ManualRestore): boolean {
  const kept = points[safety];
  return kept !== undefined && isCaptured(kept);
}

/** The next target of each restore whose safety point is stored. */
export function restoreActions(turn: Turn): Action[] {
  return Object.values(turn.memory.restores).flatMap((restore) => {
    if (!isKept(turn.memory, restore)) return [];
    if (Object.values(restore.outcomes).some(({ outcome }) => outcome !== 'done')) return [];
    const name = restore.targets.find((one) => !Object.hasOwn(restore.outcomes, one));
    return name === undefined ? [] : restoreTarget(turn, restore, name);
  });
}

function restoreTarget(turn: Turn, restore: ManualRestore, name: string): Action[] {
  const target = turn.desired.targets[name];
  const point = turn.memory.points[restore.point];
  const snapshot = point === undefined ? undefined : snapshotOf(point, name);
  if (target === undefined || snapshot === undefined || isMoving(turn.memory, name)) return [];
  if (target.type.kind === 'flags') return [];
  const merging = mergingOf(turn.memory, restore, name);
  if (merging === undefined) return [];
  const why = { kind: 'command', restore: restore.id } as const;
  return [
    {
      ...restoreOf(target, restore.point, restore.paths, why, RESTORE_TIMEOUT_MS),
      ...(restore.rows === undefined ? {} : { rows: restore.rows }),
      ...merging,
      snapshot,
      key: `restore:${restore.id}/${name}`,
      sign: '!',
      reason: `${restore.by}: ${restore.reason}`,
      origin: target.origin,
      losesData: true,
      preconditions: [`${pointObject(restore.point)} ${snapshot.manifest}`],
    },
  ];
}

/** What became of one target. One that is not known is not repeated by itself. */
export function evolveManualRestore(memory: Memory, { why, target }: RestoreAction, event: FinishedEvent): Memory {
  if (why.kind !== 'command' || event.outcome === 'notDone') return memory;
  const { outcome, detail, merge } = event;
  return settled(memory, why.restore, target.name, { outcome, detail, ...(merge === undefined ? {} : { merge }) });
}
