import type { Memory } from '../memory.ts';
import type { Incident } from '../model/incident.ts';
import { snapshotOf } from '../model/point.ts';
import type { Rung } from '../model/policy.ts';
import { isRevision } from '../model/target.ts';
import { restoreSource } from '../points/restore-source.ts';
import type { Turn } from '../turn.ts';
import type { Millis } from '../units.ts';
import { destinationOf } from './restore-step.ts';

/** By target, since when what the rung's restores go back to is known to be good; those of which it is not are missing. */
export function restoreAges(turn: Turn, incident: Incident, rung: Rung): Readonly<Record<string, Millis>> {
  const ages = rung.do.flatMap((step) => {
    if (step.kind !== 'restore') return [];
    const destination = destinationOf(turn, incident, step);
    if (destination.kind !== 'to') return [];
    const good = turn.memory.targets[step.target]?.good ?? [];
    const at =
      good.find(({ commit }) => commit === destination.to)?.at ??
      capturedUntil(turn.memory, incident, rung, step.target);
    return at === null ? [] : [[step.target, at] as const];
  });
  return Object.fromEntries(ages);
}

/** The end of the capture that the rung's restore of the target goes back to; null where it restores no capture. */
export function capturedUntil(
  memory: Pick<Memory, 'points' | 'holds'>,
  incident: Incident,
  rung: Rung | undefined,
  target: string,
): Millis | null {
  const step = rung?.do.find((one) => one.kind === 'restore' && one.target === target);
  if (step?.kind !== 'restore') return null;
  const source = restoreSource(memory, incident, step);
  const snapshot = source.kind === 'none' ? undefined : snapshotOf(source.point, target);
  return snapshot === undefined || (snapshot.type === 'git' && isRevision(step.to)) ? null : snapshot.to;
}
