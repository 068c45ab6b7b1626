import type { Millis } from '../units.ts';
import type { IncidentId } from './incident.ts';
import type { NotificationTopic } from './notifier.ts';
import type { Revision } from './revision.ts';

/** What a notifier is told. The daemon adds the host's name when it sends it. */
export type Notification = {
  /** The same for every attempt, so that a receiver can drop repetitions. */
  readonly id: string;
  readonly topic: NotificationTopic;
  readonly severity: 'critical' | 'warning' | 'info';
  readonly title: string;
  readonly text: string;
  readonly at: Millis;
  readonly incident?: IncidentId;
  readonly policy?: string;
  readonly revision?: Revision;
  readonly facts: Readonly<Record<string, string>>;
};
