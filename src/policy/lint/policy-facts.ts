import type { RollbackPolicy } from '../../core/model/policy.ts';

/** Whether a policy may act by itself: it has a ladder and something that leads to it. */
export function acts({ suspend, ladder, triggers }: RollbackPolicy): boolean {
  return !suspend && ladder.length > 0 && triggers.some(({ severity }) => severity === 'critical');
}
