import type { Event } from '../event.ts';
import type { DrillResult } from '../model/drill.ts';
import { type Incident, isOpen } from '../model/incident.ts';
import type { Millis } from '../units.ts';
import { breachBegin } from './incident-report.ts';
import { type PointFigures, pointFigures } from './period-points.ts';

export type PeriodInput = {
  readonly host: string;
  readonly from: Millis;
  readonly to: Millis;
  /** Of this period and of the one before it, of `PERIOD_EVENTS`, in the order of the log. */
  readonly events: readonly Event[];
  readonly incidents: readonly Incident[];
  readonly holds: readonly { readonly kind: string; readonly object: string; readonly since: Millis }[];
  readonly storage: StorageFigures;
};

export type StorageFigures = {
  /** Of the log. */
  readonly bytes: number;
  readonly events: number;
  readonly readings: number;
  readonly points: PointStorage;
};

/** `content`: plain. `bytes`: what that takes on the disk, or what points brought there while it is not measured. */
export type PointStorage = { readonly count: number; readonly content: number; readonly bytes: number };

/** What a report over a period counts. */
export const PERIOD_EVENTS = [
  'incident.opened',
  'incident.closed',
  'incident.escalated',
  'policy.braked',
  'revision.accepted',
  'revision.refused',
  'hold.placed',
  'hold.lifted',
  'drift.seen',
  'notification.dropped',
  'operation.planned',
  'operation.finished',
  'points.pruned',
  'halt.began',
  'drill.ended',
] as const satisfies readonly Event['type'][];

export type PeriodFigures = {
  readonly rollbacks: number;
  readonly resolved: number;
  readonly exhausted: number;
  readonly aborted: number;
  readonly escalations: number;
  /** From the first breach to the end, of what was resolved; null if nothing was. */
  readonly medianRecoveryMs: Millis | null;
  readonly worstRecoveryMs: Millis | null;
  readonly withinRto: number;
  readonly beyondRto: number;
  readonly flagsLatched: number;
  readonly overrides: number;
  readonly drifts: number;
  readonly operations: number;
  readonly failedOperations: number;
  readonly refusedActions: number;
  readonly refusedRevisions: number;
  readonly revisions: number;
  readonly droppedMessages: number;
  readonly halts: number;
  readonly drills: number;
  readonly failedDrills: number;
} & PointFigures;

export type PeriodReport = {
  readonly host: string;
  readonly from: Millis;
  readonly to: Millis;
  readonly now: PeriodFigures;
  /** The same of the period of the same length before it, to compare with. */
  readonly before: PeriodFigures;
  readonly incidents: readonly PeriodIncident[];
  readonly policies: readonly { readonly policy: string; readonly rollbacks: number; readonly braked: number }[];
  readonly flags: readonly {
    readonly flag: string;
    readonly changes: number;
    readonly last: string;
    readonly lastAt: Millis;
  }[];
  readonly refused: readonly { readonly what: string; readonly times: number; readonly why: string }[];
  readonly drills: readonly PeriodDrill[];
  readonly openHolds: PeriodInput['holds'];
  readonly storage: StorageFigures;
};

export type PeriodIncident = {
  readonly id: string;
  readonly policy: string;
  readonly openedAt: Millis;
  readonly outcome: string;
  readonly recoveryMs: Millis | null;
  readonly rtoMs: Millis | null;
};

export type PeriodDrill = Pick<
  DrillResult,
  'endedAt' | 'policy' | 'mode' | 'outcome' | 'durationMs' | 'rtoMs' | 'reason'
> & {
  readonly drill: string;
};

/** What happened from `from` up to, and without, `to`. */
export function buildPeriodReport(input: PeriodInput): PeriodReport {
  const { host, from, to, events, incidents, holds, storage } = input;
  const events_ = events.filter(({ at }) => at >= from && at < to);
  const span = to - from;
  return {
    host,
    from,
    to,
    now: figuresOf(events, incidents, from, to),
    before: figuresOf(events, incidents, from - span, from),
    incidents: incidents.filter(({ openedAt }) => openedAt >= from && openedAt < to).map(periodIncident),
    policies: policiesOf(events_),
    flags: flagsOf(events_),
    refused: refusedOf(events_),
    drills: drillsOf(events_),
    openHolds: holds,
    storage,
  };
}

function figuresOf(all: readonly Event[], incidents: readonly Incident[], from: Millis, to: Millis): PeriodFigures {
  const events = all.filter(({ at }) => at >= from && at < to);
  const count = (type: Event['type']): number => events.filter((event) => event.type === type).length;
  const closed = (outcome: string): number =>
    events.filter((event) => event.type === 'incident.closed' && event.outcome === outcome).length;
  const recoveries = incidents
    .map(periodIncident)
    .filter((one, index) => one.recoveryMs !== null && isClosedWithin(incidents[index], from, to));
  const spans = recoveries.map(({ recoveryMs }) => recoveryMs ?? 0).sort((a, b) => a - b);
  const judged = recoveries.filter(({ rtoMs }) => rtoMs !== null);
  const beyondRto = judged.filter(({ recoveryMs, rtoMs }) => (recoveryMs ?? 0) > (rtoMs ?? 0)).length;
  const held = (kind: string): number =>
    events.filter((event) => event.type === 'hold.placed' && event.hold.kind === kind).length;
  return {
    rollbacks: count('incident.opened'),
    resolved: closed('resolved'),
    exhausted: closed('exhausted'),
    aborted: closed('aborted'),
    escalations: count('incident.escalated'),
    medianRecoveryMs: median(spans),
    worstRecoveryMs: spans.at(-1) ?? null,
    withinRto: judged.length - beyondRto,
    beyondRto,
    flagsLatched: held('latch'),
    overrides: held('override'),
    drifts: count('drift.seen'),
    operations: count('operation.finished'),
    failedOperations: events.filter((event) => event.type === 'operation.finished' && event.outcome === 'failed')
      .length,
    refusedActions: count('policy.braked'),
    refusedRevisions: count('revision.refused'),
    revisions: count('revision.accepted'),
    droppedMessages: count('notification.dropped'),
    halts: count('halt.began'),
    drills: count('drill.ended'),
    failedDrills: events.filter((event) => event.type === 'drill.ended' && event.result.outcome === 'failed').length,
    ...pointFigures(events, all),
  };
}

function isClosedWithin(incident: Incident | undefined, from: Millis, to: Millis): boolean {
  return incident?.phase.kind === 'closed' && incident.phase.at >= from && incident.phase.at < to;
}

function periodIncident(incident: Incident): PeriodIncident {
  const { id, policy, openedAt, phase } = incident;
  const isResolved = phase.kind === 'closed' && phase.outcome === 'resolved';
  return {
    id,
    policy: policy.name,
    openedAt,
    outcome: isOpen(incident) || phase.kind !== 'closed' ? 'open' : phase.outcome,
    recoveryMs: isResolved ? phase.at - breachBegin(incident) : null,
    rtoMs: policy.rtoMs ?? null,
  };
}

/** Of an even number the mean of the two in the middle. */
function median(sorted: readonly number[]): number | null {
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) return null;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

function policiesOf(events: readonly Event[]): PeriodReport['policies'] {
  const counts = new Map<string, { rollbacks: number; braked: number }>();
  for (const event of events) {
    if (event.type !== 'incident.opened' && event.type !== 'policy.braked') continue;
    const name = event.type === 'incident.opened' ? event.incident.policy.name : event.policy;
    const before = counts.get(name) ?? { rollbacks: 0, braked: 0 };
    if (event.type === 'incident.opened') counts.set(name, { ...before, rollbacks: before.rollbacks + 1 });
    else counts.set(name, { ...before, braked: before.braked + 1 });
  }
  return [...counts]
    .map(([policy, figures]) => ({ policy, ...figures }))
    .sort((a, b) => b.rollbacks - a.rollbacks || (a.policy < b.policy ? -1 : 1));
}

function flagsOf(events: readonly Event[]): PeriodReport['flags'] {
  const flags = new Map<string, { changes: number; last: string; lastAt: Millis }>();
  for (const event of events) {
    if (event.type !== 'hold.placed' || (event.hold.kind !== 'latch' && event.hold.kind !== 'override')) continue;
    const { flag, variant, kind } = event.hold;
    const changes = (flags.get(flag)?.changes ?? 0) + 1;
    flags.set(flag, { changes, last: `${kind} to ${variant}`, lastAt: event.at });
  }
  return [...flags].map(([flag, figures]) => ({ flag, ...figures })).sort((a, b) => b.changes - a.changes);
}

function drillsOf(events: readonly Event[]): PeriodDrill[] {
  return events.flatMap((event) => {
    if (event.type !== 'drill.ended') return [];
    const { endedAt, policy, mode, outcome, durationMs, rtoMs, reason } = event.result;
    return [{ drill: event.drill, endedAt, policy, mode, outcome, durationMs, rtoMs, reason }];
  });
}

/** The same refusal again and again is one line. */
function refusedOf(events: readonly Event[]): PeriodReport['refused'] {
  const refused = new Map<string, { times: number; why: string }>();
  for (const event of events) {
    const what = refusalOf(event);
    if (what === null) continue;
    refused.set(what.what, { times: (refused.get(what.what)?.times ?? 0) + 1, why: what.why });
  }
  return [...refused].map(([what, figures]) => ({ what, ...figures })).sort((a, b) => b.times - a.times);
}

function refusalOf(event: Event): { readonly what: string; readonly why: string } | null {
  switch (event.type) {
    case 'policy.braked':
      return { what: `rollback of ${event.policy} (${event.brake.kind})`, why: event.brake.reason };
    case 'revision.refused':
      return { what: `revision (${event.code})`, why: event.message };
    case 'notification.dropped':
      return { what: `message to ${event.key.slice(0, event.key.indexOf('/'))}`, why: event.reason };
    default:
      return null;
  }
}
