import { effectiveFlag, gitVariant } from '../core/holds/effective.ts';
import { latchBlockers } from '../core/holds/release-holds.ts';
import { describeRequest } from '../core/incidents/await-approval.ts';
import type { Memory } from '../core/memory.ts';
import type { Desired } from '../core/model/desired.ts';
import type { Flag } from '../core/model/flag.ts';
import type { Hold } from '../core/model/hold.ts';
import { type Incident, isOpen } from '../core/model/incident.ts';
import { formatOrigin } from '../core/model/origin.ts';
import type { JsonValue } from '../core/model/step.ts';
import { triggerKey } from '../core/model/trigger.ts';
import type { Observed } from '../core/observed.ts';
import { asText, placesOf, type WantedPlace } from '../core/places/flag-places.ts';
import type { Condition } from '../core/plan/plan.ts';
import { leadingElement, shownThreshold, viewTrigger } from '../core/triggers/trigger-view.ts';
import type { Millis } from '../core/units.ts';
import type { FeedState } from '../daemon/policy-feed.ts';
import type { SourceCondition } from '../metrics/sampling.ts';
import { copyConditions } from './copy-status.ts';
import { type DrillStatus, drillStatuses } from './drill-status.ts';
import type { HostView } from './host-view.ts';
import { type PointsSummary, pointsSummary } from './points-summary.ts';
import { SCHEMA_VERSION } from './schema-version.ts';
import { type TargetStatus, targetStatuses } from './target-status.ts';

export type Status = {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly live: boolean;
  readonly host: string;
  readonly version: string;
  readonly startedAt: Millis | null;
  readonly policies: FeedState | null;
  readonly revision: string | null;
  readonly halted: Memory['halt'];
  readonly sources: readonly SourceCondition[];
  readonly triggers: readonly TriggerStatus[];
  readonly flags: readonly FlagStatus[];
  readonly targets: readonly TargetStatus[];
  readonly points: PointsSummary;
  readonly drills: readonly DrillStatus[];
  readonly incidents: readonly IncidentStatus[];
  readonly holds: readonly HoldStatus[];
  readonly conditions: readonly Condition[];
  readonly log: { readonly events: number; readonly head: string } | null;
};

export type TriggerStatus = {
  readonly trigger: string;
  readonly state: 'inactive' | 'pending' | 'firing' | 'unknown';
  readonly value: JsonValue;
  readonly threshold: string;
  readonly query: string;
  readonly severity: 'critical' | 'warning';
  readonly since: Millis | null;
  readonly at: Millis | null;
  readonly breachedMs: Millis;
  readonly forMs: Millis;
  readonly origin: string;
};

export type FlagStatus = {
  readonly flag: string;
  readonly git: string;
  readonly origin: string;
  readonly effective: string;
  readonly because: string | null;
  readonly suspended: boolean;
  readonly places: readonly PlaceStatus[];
};

export type PlaceStatus = {
  readonly place: string;
  readonly desired: JsonValue;
  /** Absent: there is no such entry. */
  readonly observed?: JsonValue;
  readonly state: 'observed' | 'differs' | 'absent' | 'held' | 'unreadable' | 'unseen';
};

export type IncidentStatus = {
  readonly id: string;
  readonly policy: string;
  readonly openedAt: Millis;
  readonly state: string;
  readonly rung: string | null;
  readonly reason: string;
  readonly closedAt: Millis | null;
  /** When the present state ends by itself at the latest, where it has a deadline. */
  readonly deadlineAt: Millis | null;
  /** What people are asked to agree to, where the incident waits for that. */
  readonly request: { readonly digest: string | null; readonly lines: readonly string[] } | null;
};

export type HoldStatus = {
  readonly id: string;
  readonly kind: Hold['kind'];
  readonly object: string;
  readonly value: JsonValue;
  readonly cause: string;
  readonly since: Millis;
  readonly lifts: string;
};

export function statusOf(view: HostView): Status {
  const desired = view.desired();
  const memory = view.memory();
  return {
    schemaVersion: SCHEMA_VERSION,
    live: view.live,
    host: view.hostName,
    version: view.version,
    startedAt: view.startedAt,
    policies: view.feed(),
    revision: desired?.revision ?? null,
    halted: memory.halt,
    sources: view.sources(),
    triggers: triggerStatuses(view),
    flags: flagStatuses(view),
    targets: targetStatuses(view),
    points: pointsSummary(view),
    drills: drillStatuses(view),
    incidents: Object.values(memory.incidents).filter(isOpen).map(incidentStatus),
    holds: holdStatuses({ desired, memory, now: view.now(), windows: view.windows() }),
    conditions: conditionsNow(view),
    log: view.store === null ? null : { events: view.store.head.seq, head: view.store.head.hash },
  };
}

/** What people should know of now. */
export function conditionsNow(view: HostView): readonly Condition[] {
  return [...feedConditions(view.feed()), ...copyConditions(view.copy()), ...view.conditions()];
}

/** What keeps git's newest revision from being in force is no part of a decision, but people must know. */
function feedConditions(feed: FeedState | null): Condition[] {
  const trouble = feed?.trouble ?? null;
  if (feed === null || trouble === null) return [];
  const type = trouble.kind === 'refused' ? 'PolicyRefused' : 'SourceUnreachable';
  return [{ type, object: feed.source, message: `${trouble.code}: ${trouble.message}`, needsAttention: true }];
}

export function triggerStatuses(view: HostView): TriggerStatus[] {
  const memory = view.memory();
  const now = view.now();
  return Object.values(view.desired()?.policies ?? {}).flatMap((policy) =>
    policy.triggers.map((trigger) => {
      const key = triggerKey(policy.name, trigger.name);
      const seen = viewTrigger(memory, key, trigger, now);
      const element = seen.memory === undefined ? undefined : leadingElement(seen.memory);
      return {
        trigger: key,
        state: seen.state,
        value: seen.memory?.value ?? null,
        threshold: shownThreshold(trigger, seen.memory),
        query: trigger.query,
        severity: trigger.severity,
        since: seen.memory?.since ?? null,
        at: seen.memory?.at ?? null,
        breachedMs: element?.state === 'pending' ? element.accumulatedMs : 0,
        forMs: trigger.forMs,
        origin: formatOrigin(trigger.origin),
      };
    }),
  );
}

export function flagStatuses(view: HostView): FlagStatus[] {
  return Object.values(view.desired()?.flags ?? {}).map((flag) => flagStatus(flag, view));
}

export function flagStatus(flag: Flag, view: HostView): FlagStatus {
  const memory = view.memory();
  const effective = effectiveFlag(flag, memory.holds);
  return {
    flag: flag.name,
    git: gitVariant(flag),
    origin: formatOrigin(flag.origin),
    effective: effective.variant,
    because: effective.because === null ? null : `${effective.because.id}: ${effective.because.cause}`,
    suspended: flag.suspend,
    places: placesOf(flag, memory).map((place) => placeStatus(place, view)),
  };
}

function placeStatus(place: WantedPlace, view: HostView): PlaceStatus {
  const base = { place: place.key, desired: place.value };
  const sight = view.sights()[place.document];
  if (sight === undefined) return { ...base, state: 'unseen' };
  if (sight.kind === 'unreadable') return { ...base, state: 'unreadable' };
  const observed = sight.values[place.place.entry];
  if (observed === undefined) return { ...base, state: 'absent' };
  const held = Object.hasOwn(view.memory().holds, `adoption:${place.key}`);
  const state = asText(observed) === asText(place.value) ? 'observed' : held ? 'held' : 'differs';
  return { ...base, observed, state };
}

export function incidentStatus(incident: Incident): IncidentStatus {
  const { phase } = incident;
  const rung = phase.kind === 'closed' ? null : (incident.policy.ladder[phase.rung]?.name ?? null);
  return {
    id: incident.id,
    policy: incident.policy.name,
    openedAt: incident.openedAt,
    state: phase.kind === 'closed' ? phase.outcome : phase.kind,
    rung,
    reason: 'reason' in phase ? phase.reason : openedText(incident),
    closedAt: phase.kind === 'closed' ? phase.at : null,
    deadlineAt: 'deadlineAt' in phase ? phase.deadlineAt : null,
    request:
      phase.kind === 'awaiting-approval'
        ? { digest: phase.request?.digest ?? null, lines: describeRequest(incident, phase) }
        : null,
  };
}

function openedText({ openedBy, byHand }: Incident): string {
  if (byHand !== undefined) return `begun by ${byHand.actor}: ${byHand.reason}`;
  return openedBy.map((cause) => cause.trigger).join(', ');
}

/** What the text of a lift rests on. */
export type HoldGround = {
  readonly desired: Desired | null;
  readonly memory: Memory;
  readonly now: Millis;
  readonly windows: Observed['windows'];
};

export function holdStatuses(ground: HoldGround): HoldStatus[] {
  return Object.values(ground.memory.holds).map((hold) => ({
    id: hold.id,
    kind: hold.kind,
    object: hold.object,
    value: heldValue(hold),
    cause: hold.cause,
    since: hold.since,
    lifts: liftText(hold, ground),
  }));
}

function heldValue(hold: Hold): JsonValue {
  switch (hold.kind) {
    case 'adoption':
      return hold.live;
    case 'quarantine':
    case 'targetAdoption':
      return hold.commit;
    case 'latch':
    case 'override':
      return hold.variant;
  }
}

function liftText(hold: Hold, { desired, memory, now, windows }: HoldGround): string {
  switch (hold.kind) {
    case 'adoption':
    case 'targetAdoption':
      return `revertd adopt ${hold.object}`;
    case 'quarantine':
      return `revertd holds lift ${hold.id}`;
    case 'override':
      return hold.expiresAt === null ? `revertd holds lift ${hold.id}` : `at ${new Date(hold.expiresAt).toISOString()}`;
    case 'latch':
      return desired === null
        ? 'unknown without policies'
        : latchBlockers({ desired, memory, now, observed: windows === undefined ? {} : { windows } }, hold).join(
            ', and ',
          );
  }
}
