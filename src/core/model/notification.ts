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
  /** How the incident stood when the message was queued. */
  readonly about?: IncidentAbout;
  /** How a drill went, in messages of that topic. */
  readonly drill?: DrillAbout;
};

/** A drill in words, for people and templates; an empty text where there is nothing to say. */
export type DrillAbout = {
  readonly name: string;
  readonly policy: string;
  readonly mode: string;
  readonly outcome: string;
  readonly reason: string;
  readonly startedAt: string;
  readonly duration: string;
  /** The recovery time that it is held against. */
  readonly rto: string;
  /** What the last one before it took. */
  readonly before: string;
  readonly rungs: readonly { readonly rung: string; readonly outcome: string; readonly duration: string }[];
};

/** An incident in words, for people and templates; an empty text where there is nothing to say. */
export type IncidentAbout = {
  readonly id: IncidentId;
  readonly policy: string;
  readonly severity: 'critical';
  /** `executing rung "flags"`, `resolved`. */
  readonly status: string;
  /** The rung that it is on, or was on last. */
  readonly rung: string;
  /** What was breached. */
  readonly reason: string;
  /** Why it ended. */
  readonly outcome: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly endedAt: string;
  /** From its opening to its end, or to now. */
  readonly duration: string;
  /** From the first breach to its end, or to now. */
  readonly breachedFor: string;
  /** The recovery time that the policy aims at. */
  readonly rto: string;
  /** How many levels of people it was escalated to. */
  readonly level: string;
  /** What a person can do about it now. */
  readonly command: string;
  readonly triggers: readonly {
    readonly trigger: string;
    readonly value: string;
    readonly threshold: string;
    readonly labels: string;
    readonly since: string;
  }[];
  readonly walked: readonly { readonly rung: string; readonly outcome: string; readonly reason: string }[];
};
