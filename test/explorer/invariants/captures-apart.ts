import type { Operation } from '../../../src/core/model/operation.ts';
import { targetsOf } from '../model/point-witness.ts';
import type { Transition } from '../model/state.ts';
import type { Invariant } from './invariant.ts';

export const CAPTURES_APART: Invariant = {
  name: 'captures-apart',
  statement:
    'A target is captured once at a time but for what a restore waits for, and not while it is restored; what is captured then is no point.',
  per: 'transition',
  violation: (transition) => crossing(transition) ?? trusted(transition),
};

/** What the executor was given, pair by pair. */
function crossing({ after, plan }: Transition): string | null {
  for (const one of plan.operations) {
    if (one.action.kind !== 'capture') continue;
    for (const other of after.host.running) {
      if (one.id === other.id) continue;
      const target = sharedTarget(one, other);
      if (target === undefined) continue;
      if (other.action.kind === 'restore')
        return `${target} is captured (${one.id}) while it is restored (${other.id})`;
      if (awaitedBy(after, one) === awaitedBy(after, other))
        return `${one.id} and ${other.id} capture ${target} at once`;
    }
  }
  return null;
}

function sharedTarget({ action: one }: Operation, { action: other }: Operation): string | undefined {
  if (one.kind !== 'capture') return undefined;
  if (other.kind === 'restore') return targetsOf(one).find((name) => name === other.target.name);
  return other.kind === 'capture' ? targetsOf(one).find((name) => targetsOf(other).includes(name)) : undefined;
}

/** The restore that waits for a capture; null where none does. */
function awaitedBy({ witness: { stock } }: Transition['after'], { action }: Operation): string | null {
  if (action.kind !== 'capture') return null;
  const cause = stock.points[action.point]?.cause;
  if (cause?.kind === 'rollback') return cause.incident;
  return Object.entries(stock.restores).find(([, { safety }]) => safety === action.point)?.[0] ?? null;
}

/** Nothing is taken for a way back that was captured while its target changed. */
function trusted({ after, plan }: Transition): string | null {
  const { points } = after.witness.stock;
  const wrong = Object.values(plan.memory.points).find(({ id, state }) => {
    const seen = points[id];
    return seen !== undefined && !seen.isCaptured && (state === 'stored' || state === 'valid');
  });
  return wrong === undefined
    ? null
    : `${wrong.id} is ${wrong.state}, and its target was restored while it was captured`;
}
