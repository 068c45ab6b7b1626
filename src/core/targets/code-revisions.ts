import type { Memory, TargetMemory } from '../memory.ts';
import type { Hold, Quarantine } from '../model/hold.ts';
import { type Incident, isOpen } from '../model/incident.ts';
import type { CodeRevision, Target } from '../model/target.ts';
import type { TargetSight } from '../observed.ts';
import type { Turn } from '../turn.ts';

export type GitSight = Extract<TargetSight, { kind: 'git' }>;

/** What a checkout showed last; undefined before it was looked at, and while it cannot be read. */
export function gitSight(turn: Pick<Turn, 'observed'>, target: Pick<Target, 'name'>): GitSight | undefined {
  const sight = turn.observed.targets[target.name];
  return sight?.kind === 'git' ? sight : undefined;
}

export function quarantineOf(holds: Memory['holds'], target: string, tree: string): Quarantine | undefined {
  const isIt = (hold: Hold): hold is Quarantine =>
    hold.kind === 'quarantine' && hold.target === target && hold.tree === tree;
  return Object.values(holds).find(isIt);
}

/** The newest good revision that is neither the present one nor in quarantine; undefined if there is none. */
export function lastGood(
  memory: Pick<Memory, 'holds'>,
  name: string,
  { good, current }: Pick<TargetMemory, 'good' | 'current'>,
): CodeRevision | undefined {
  return good.find(({ tree }) => tree !== current?.tree && quarantineOf(memory.holds, name, tree) === undefined);
}

/** The open incident whose ladder may move the target; nothing else moves it meanwhile. */
export function incidentOver(memory: Pick<Memory, 'incidents'>, name: string): Incident | undefined {
  return Object.values(memory.incidents).find(
    (incident) => isOpen(incident) && incident.conflictSet.includes(`target:${name}`),
  );
}

export function isMoving(memory: Pick<Memory, 'operations'>, name: string): boolean {
  return Object.values(memory.operations).some(
    ({ action }) => action.kind === 'restore' && action.target.name === name,
  );
}

/** Of the hold on a checkout that waits to be handed over. */
export function targetAdoptionId(name: string): string {
  return `adoption:target:${name}`;
}
