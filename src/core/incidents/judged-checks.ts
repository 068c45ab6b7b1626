import type { Check } from '../model/check.ts';
import type { Incident } from '../model/incident.ts';
import { overlaps, touchedBy } from './conflict-set.ts';

/** What must be true after a rung: its own checks, and those of the joined policies' rungs that touch the same things. */
export function judgedChecks(incident: Incident, index: number): Check[] {
  const rung = incident.policy.ladder[index];
  if (rung === undefined) return [];
  const touched = touchedBy(rung);
  const joined = incident.joined.flatMap(({ policy }) =>
    policy.ladder.filter((other) => overlaps(touchedBy(other), touched)),
  );
  const checks = [rung, ...joined].flatMap(({ verify }) => verify.checks);
  return [...new Map(checks.map((check) => [check.key, check])).values()];
}
