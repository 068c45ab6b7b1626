import type { EventSpec } from '../event.ts';
import type { Desired } from '../model/desired.ts';
import type { Notification } from '../model/notification.ts';
import { shortRevision } from '../model/revision.ts';
import { shortCommit } from '../model/target.ts';
import { formatInstant, type Millis } from '../units.ts';

export type Draft = Omit<Notification, 'at' | 'revision'> & {
  /** Notifiers by name; undefined: every one that asks for the topic. */
  readonly audience: readonly string[] | undefined;
};

export function brakedDraft(policy: string, until: Millis, reason: string, desired: Desired): Draft {
  return {
    id: `braked/${policy}/${until}`,
    topic: 'braked',
    severity: 'critical',
    title: `${policy} fires, but may not act`,
    text: reason,
    policy,
    facts: {},
    audience: desired.policies[policy]?.notify ?? [],
  };
}

export function refusedDraft(event: Extract<EventSpec, { type: 'revision.refused' }>): Draft {
  return {
    id: `refused/${event.revision ?? event.code}`,
    topic: 'refused',
    severity: 'warning',
    title: `revision ${shortRevision(event.revision ?? '')} was refused`,
    text: [event.message, ...event.diagnostics.slice(0, 10)].join('\n'),
    facts: { code: event.code },
    audience: undefined,
  };
}

export function overriddenBrakeDraft(event: Extract<EventSpec, { type: 'brake.overridden' }>, at: Millis): Draft {
  return {
    id: `overridden/${event.policy}/${at}`,
    topic: 'braked',
    severity: 'warning',
    title: `${event.actor} has ${event.policy} act against its brake`,
    text: `${event.brake.reason}\n${event.reason}`,
    policy: event.policy,
    facts: {},
    audience: undefined,
  };
}

export function withheldDraft(event: Extract<EventSpec, { type: 'window.withheld' }>, at: Millis): Draft {
  const until = event.until === null ? '' : ` until ${formatInstant(event.until)}`;
  return {
    id: `window/${event.flag}/${event.window}/${at}`,
    topic: 'braked',
    severity: 'info',
    title: `flag ${event.flag} waits for a window`,
    text: `it does not become ${event.variant} because of Window/${event.window}${until}; \`revertd flags set ${event.flag} ${event.variant} --reason …\` does so all the same`,
    facts: { flag: event.flag, window: event.window },
    audience: undefined,
  };
}

export function withheldDeploymentDraft(event: Extract<EventSpec, { type: 'target.withheld' }>, at: Millis): Draft {
  const { target, window } = event;
  const until = event.until === null ? '' : ` until ${formatInstant(event.until)}`;
  return {
    id: `window/${target}/${window}/${at}`,
    topic: 'braked',
    severity: 'info',
    title: `target ${target} waits for a window`,
    text: `${shortCommit(event.commit)} is not deployed because of Window/${window}${until}; a rollback would not wait`,
    facts: { target, window },
    audience: undefined,
  };
}
