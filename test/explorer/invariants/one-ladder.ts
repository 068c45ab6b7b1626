import { overlaps } from '../../../src/core/incidents/conflict-set.ts';
import type { Action } from '../../../src/core/model/action.ts';
import type { Transition } from '../model/state.ts';
import type { Invariant } from './invariant.ts';

export const ONE_LADDER: Invariant = {
  name: 'one-ladder',
  statement: 'One executing ladder per conflict set.',
  per: 'transition',
  violation: ({ after }) => overlapping(after) ?? rivals(after),
};

function overlapping({ witness }: Transition['after']): string | null {
  const open = witness.rollbacks.filter(({ endedMs }) => endedMs === null);
  for (const [index, one] of open.entries()) {
    for (const other of open.slice(index + 1)) {
      if (one.policy.name === other.policy.name || overlaps(one.conflictSet, other.conflictSet)) {
        return `${one.incident} and ${other.incident} are open at once, and touch the same things`;
      }
    }
  }
  return null;
}

function actorOf(action: Action): string[] {
  if (action.kind === 'step') return [action.incident];
  return action.kind === 'restore' && action.why.kind === 'rung' ? [action.why.incident] : [];
}

/** Two incidents whose steps are under way at once, judged by what the executor was given. */
function rivals({ host, witness }: Transition['after']): string | null {
  const acting = [...new Set(host.running.flatMap(({ action }) => actorOf(action)))].map((id) =>
    witness.rollbacks.find(({ incident }) => incident === id),
  );
  const [one, other] = acting;
  if (one === undefined || other === undefined || acting.length < 2) return null;
  // The step of an incident that was aborted meanwhile is let finish.
  const isOver = one.endedMs !== null || other.endedMs !== null;
  return !isOver && overlaps(one.conflictSet, other.conflictSet)
    ? `${one.incident} and ${other.incident} act at once`
    : null;
}
