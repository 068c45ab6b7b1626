import type { Check } from '../model/check.ts';
import type { Incident } from '../model/incident.ts';
import type { Millis } from '../units.ts';
import { overlaps, touchedBy } from './conflict-set.ts';

export type JudgedCheck = {
  readonly check: Check;
  /** When the policy joined that asks for it first; null if the incident's own does. */
  readonly joinedAt: Millis | null;
};

/** What must be true after a rung: its own checks, and those of the joined policies' rungs that touch the same things. */
export function judgedChecks(incident: Incident, index: number): JudgedCheck[] {
  const rung = incident.policy.ladder[index];
  if (rung === undefined) return [];
  const touched = touchedBy(rung);
  const own = rung.verify.checks.map((check) => ({ check, joinedAt: null }));
  const joined = incident.joined.flatMap(({ at, policy }) =>
    policy.ladder
      .filter((other) => overlaps(touchedBy(other), touched))
      .flatMap(({ verify }) => verify.checks.map((check) => ({ check, joinedAt: at }))),
  );
  const judged = new Map<string, JudgedCheck>();
  for (const one of [...own, ...joined]) if (!judged.has(one.check.key)) judged.set(one.check.key, one);
  return [...judged.values()];
}
