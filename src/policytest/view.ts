import type { Event } from '../core/event.ts';
import { effectiveFlag } from '../core/holds/effective.ts';
import type { Action } from '../core/model/action.ts';
import type { Hold } from '../core/model/hold.ts';
import type { Incident } from '../core/model/incident.ts';
import type { Notification } from '../core/model/notification.ts';
import type { PointCause } from '../core/model/point.ts';
import { nameDatabase } from '../core/model/sql-step.ts';
import type { JsonValue, StepSpec } from '../core/model/step.ts';
import type { RestorePoint } from '../core/model/target.ts';
import { judgedPoints } from '../core/points/judged-points.ts';
import { pointsInOrder } from '../core/points/points-by-state.ts';
import { formatDuration, formatInstant } from '../core/units.ts';
import { actionText } from './outcomes.ts';
import type { HoldView, IncidentView, MessageView, PointView } from './raw-test.ts';
import type { VirtualHost } from './virtual-host.ts';

/** Where an expectation begins to count: how much had happened when the one before it was judged. */
export type Mark = { readonly events: number; readonly deeds: number };

export const BEGINNING: Mark = { events: 0, deeds: 0 };

export function markOf(host: VirtualHost): Mark {
  return { events: host.log.length, deeds: host.deeds.length };
}

export function triggerStates(host: VirtualHost, keys: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(keys.map((key) => [key, host.memory.triggers[key]?.state ?? 'unknown']));
}

export function effectiveVariants(host: VirtualHost, names: readonly string[]): Readonly<Record<string, JsonValue>> {
  return Object.fromEntries(
    names.map((name) => {
      const flag = host.desired.flags[name];
      return [name, flag === undefined ? null : effectiveFlag(flag, host.memory.holds).variant];
    }),
  );
}

/** All incidents of the test, closed ones among them, which memory forgets. */
export function incidentViews(host: VirtualHost): readonly IncidentView[] {
  const incidents = new Map<string, IncidentView>();
  for (const event of host.log) {
    if (event.type === 'incident.opened') incidents.set(event.incident.id, incidentView(event.incident));
    if (event.type === 'rung.entered') update(incidents, event.incident, { rung: event.name });
    if (event.type === 'incident.closed') update(incidents, event.incident, { phase: event.outcome });
  }
  for (const incident of Object.values(host.memory.incidents))
    incidents.set(incident.id, incidentView(incident, incidents.get(incident.id)));
  return [...incidents.values()];
}

function update(incidents: Map<string, IncidentView>, id: string, change: Partial<IncidentView>): void {
  const known = incidents.get(id);
  if (known !== undefined) incidents.set(id, { ...known, ...change });
}

function incidentView({ id, policy, phase }: Incident, known?: IncidentView): IncidentView {
  const kind = phase.kind === 'closed' ? phase.outcome : phase.kind;
  const rung = phase.kind === 'closed' ? known?.rung : policy.ladder[phase.rung]?.name;
  return { id, policy: policy.name, phase: kind, rung: rung ?? '' };
}

export function rungsSince(host: VirtualHost, mark: Mark): readonly string[] {
  return eventsSince(host, mark).flatMap((event) => (event.type === 'rung.entered' ? [event.name] : []));
}

export function holdViews(host: VirtualHost): readonly HoldView[] {
  return Object.values(host.memory.holds)
    .map(holdView)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

function holdView(hold: Hold): HoldView {
  const { id, kind } = hold;
  switch (hold.kind) {
    case 'adoption':
      return { id, kind, flag: hold.flag };
    case 'quarantine':
    case 'targetAdoption':
      return { id, kind, target: hold.target, revision: hold.commit };
    case 'latch':
    case 'override':
      return { id, kind, flag: hold.flag, variant: hold.variant };
  }
}

/** The oldest first. */
export function pointViews(host: VirtualHost): readonly PointView[] {
  const { verdicts } = judgedPoints(host.desired, host.memory, host.now);
  return [...pointsInOrder(host.memory)].reverse().map((point) => {
    const { policy, targets, createdAt, cause, state } = point;
    const isExpired = verdicts.get(point.id)?.kind === 'prune' && state === 'valid';
    return {
      policy: policy ?? '',
      state: isExpired ? 'expired' : state,
      targets,
      cause: causeView(cause),
      at: formatDuration(createdAt - host.startedAt),
    };
  });
}

function causeView(cause: PointCause): PointView['cause'] {
  switch (cause.kind) {
    case 'rollback':
      return cause.safety === true ? 'safety' : 'rollback';
    case 'schedule':
    case 'revision':
      return cause.kind;
    case 'command':
    case 'api':
    case 'library':
      return 'command';
  }
}

/** The steps that were begun; writing documents, messages and reports are not among them. */
export function actionsSince(host: VirtualHost, mark: Mark): readonly JsonValue[] {
  return host.deeds.slice(mark.deeds).flatMap((deed): JsonValue[] => {
    if (deed.kind === 'setFlag') return [stepView(deed.step)];
    const { action, outcome } = deed;
    switch (action.kind) {
      case 'step':
      case 'takeUp':
      case 'activate':
        return [{ ...stepView(action.step), outcome }];
      case 'restore':
        return [{ restore: { target: action.target.name, to: action.to, paths: action.paths }, outcome }];
      case 'deliver':
      case 'keep':
      case 'rehearse':
      case 'capture':
      case 'validate':
      case 'copy':
      case 'collect':
      case 'notify':
      case 'report':
        return [];
    }
  });
}

/** A step in the words of the policies. */
function stepView(step: StepSpec): { readonly [key: string]: JsonValue } {
  switch (step.kind) {
    case 'setFlag':
      return { setFlag: { flag: step.flag, to: step.to.kind === 'safe' ? 'safe' : { variant: step.to.variant } } };
    case 'restore':
      return { restore: { target: step.target, to: restoreToView(step.to) } };
    case 'createPoint':
      return { createPoint: { policy: step.policy } };
    case 'service': {
      const { service, do: verb } = step;
      const what = service.kind === 'unit' ? { unit: service.unit } : { pidFile: service.path };
      return { service: { ...what, do: verb.kind === 'signal' ? { signal: verb.signal } : verb.kind } };
    }
    case 'container':
      return { container: containerView(step) };
    case 'http':
      return { http: { method: step.method, url: step.url } };
    case 'run':
      return { run: { argv: step.argv } };
    case 'sql': {
      const statements = step.script.kind === 'file' ? [] : step.script.statements.map(({ text }) => text);
      return { sql: { on: nameDatabase(step.database), statements } };
    }
    case 'editFile':
      return { editFile: { path: step.path } };
    case 'gitCommit':
      return { gitCommit: { message: step.message } };
    case 'waitFor':
      return { waitFor: { checks: step.checks.length } };
    case 'notify':
      return { notify: { to: step.to } };
  }
}

function restoreToView(to: RestorePoint): JsonValue {
  switch (to.kind) {
    case 'lastGood':
    case 'latestValid':
    case 'safetyPoint':
      return to.kind;
    case 'revision':
      return { revision: to.revision };
    case 'point':
      return { point: to.point };
    case 'at':
      return { at: formatInstant(to.at) };
    case 'before':
      return { before: 'trigger', by: formatDuration(to.byMs) };
  }
}

function containerView({ on, do: verb }: Extract<StepSpec, { kind: 'container' }>): {
  readonly [key: string]: JsonValue;
} {
  const services = on.kind === 'compose' && on.services.length > 0 ? { services: on.services } : {};
  const [first = '', second] = on.kind === 'compose' ? [on.file] : on.names;
  const what =
    on.kind === 'compose' ? { compose: first } : second === undefined ? { name: first } : { names: on.names };
  switch (verb.kind) {
    case 'signal':
      return { ...what, do: { signal: verb.signal } };
    case 'exec':
      return { ...what, do: { exec: verb.argv } };
    default:
      return { ...what, ...services, do: verb.kind };
  }
}

/** What reached the notifiers: one entry for each message, however many were told. */
export function messagesSince(host: VirtualHost, mark: Mark): readonly MessageView[] {
  const messages = new Map<string, MessageView>();
  for (const deed of host.deeds.slice(mark.deeds)) {
    if (deed.kind === 'setFlag' || deed.action.kind !== 'notify' || deed.outcome !== 'done') continue;
    const { notification, notifier } = deed.action;
    if (isRepetition(notification)) continue;
    const to = [...(messages.get(notification.id)?.to ?? []), notifier].sort();
    messages.set(notification.id, { ...messageView(notification), to });
  }
  return [...messages.values()];
}

/** That an alert goes on is no news. */
function isRepetition({ id, incident }: Notification): boolean {
  return id === `${incident ?? ''}/alert`;
}

function messageView({ topic, policy, incident, about }: Notification): Omit<MessageView, 'to'> {
  return {
    topic,
    ...(policy === undefined ? {} : { policy }),
    ...(incident === undefined ? {} : { incident }),
    ...(about === undefined ? {} : { level: Number(about.level) }),
  };
}

/** Everything that was done or opened since, in words; empty if nothing was. */
export function happeningsSince(host: VirtualHost, mark: Mark): readonly string[] {
  const opened = eventsSince(host, mark).flatMap((event) =>
    event.type === 'incident.opened' ? [`${event.incident.id} opened for ${event.incident.policy.name}`] : [],
  );
  const done = host.deeds.slice(mark.deeds).flatMap((deed) => {
    if (deed.kind === 'setFlag') return [`set flag ${deed.step.flag}`];
    return isAside(deed.action) ? [] : [actionText(deed.action)];
  });
  return [...opened, ...done];
}

/** Keeping points changes nothing on the host, unless something stands still for it. */
function isAside(action: Action): boolean {
  if (action.kind === 'capture') return action.quiesce.length === 0;
  return action.kind === 'validate' || action.kind === 'collect';
}

function eventsSince(host: VirtualHost, mark: Mark): readonly Event[] {
  return host.log.slice(mark.events);
}
