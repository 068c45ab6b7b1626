import type { Incident } from '../model/incident.ts';
import { triggerKey } from '../model/trigger.ts';

/** `startAt` of the triggers that opened it; of several the lowest rung of the ladder wins, for it is the gravest. */
export function firstRung({ policy, openedBy }: Pick<Incident, 'policy' | 'openedBy'>): number {
  const starts = openedBy.map(({ trigger: key }) => {
    const trigger = policy.triggers.find((one) => triggerKey(policy.name, one.name) === key);
    return policy.ladder.findIndex((rung) => rung.name === trigger?.startAt);
  });
  return Math.max(0, ...starts);
}
