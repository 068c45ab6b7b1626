import type { ExecutingPhase, Incident } from '../model/incident.ts';
import type { Notification } from '../model/notification.ts';
import type { NotifyStep } from '../model/talk-steps.ts';
import type { Turn } from '../turn.ts';
import { aboutIncident } from './about-incident.ts';

export type StepMessage = { readonly notifiers: readonly string[]; readonly notification: Notification };

/**
 * What a `notify` step queues. It names its notifiers itself, so that it reaches them whatever topics they ask for; one
 * that git no longer has, or that is suspended, is left out.
 */
export function messageOf(
  turn: Pick<Turn, 'desired' | 'now'>,
  incident: Incident,
  step: NotifyStep,
  phase: ExecutingPhase,
): StepMessage {
  const rung = incident.policy.ladder[phase.rung]?.name ?? '';
  const notifiers = step.to.filter((name) => turn.desired.notifiers[name]?.suspend === false);
  return {
    notifiers,
    notification: {
      // Another when a person has the rung walked again.
      id: `${incident.id}/message/${rung}/${phase.part}/${phase.step}/${turn.now}`,
      topic: 'message',
      severity: step.severity,
      title: `${incident.id} ${incident.policy.name}: message of rung "${rung}"`,
      text: step.text,
      at: turn.now,
      incident: incident.id,
      policy: incident.policy.name,
      revision: turn.desired.revision,
      facts: { rung },
      about: aboutIncident(incident, turn.now),
    },
  };
}

export function describeQueued({ to }: NotifyStep, notifiers: readonly string[]): string {
  const left = to.filter((name) => !notifiers.includes(name));
  const queued = notifiers.length === 0 ? 'nobody is told' : `queued for ${notifiers.join(', ')}`;
  return left.length === 0 ? queued : `${queued}; ${left.join(', ')} is suspended, or gone from git`;
}
