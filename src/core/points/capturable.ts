import type { PointPolicy } from '../model/point-policy.ts';
import type { Turn } from '../turn.ts';

/** The policies that are followed, in the order of their names. */
export function policiesOf({ desired }: Pick<Turn, 'desired'>): PointPolicy[] {
  return Object.values(desired.pointPolicies ?? {})
    .filter(({ suspend }) => !suspend)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Why these targets cannot be captured; null if they can. */
export function obstacleOf({ desired }: Pick<Turn, 'desired'>, targets: readonly string[]): string | null {
  for (const name of targets) {
    const target = desired.targets[name];
    if (target === undefined) return `git no longer has target ${name}`;
    if (target.suspend) return `target ${name} is suspended`;
  }
  return null;
}
