import { type Counter, type Gauge, Histogram, Registry } from 'prom-client';
import type { DrillMemory } from '../core/drills/drill-memory.ts';
import type { Event } from '../core/event.ts';
import type { Action } from '../core/model/action.ts';
import { isOpen } from '../core/model/incident.ts';
import type { HostView } from './host-view.ts';
import { addCounter, addGauge } from './metric-families.ts';
import { OfrepMetrics } from './ofrep/ofrep-metrics.ts';
import { PointMetrics } from './point-metrics.ts';
import { conditionsNow, triggerStatuses } from './status.ts';

/** The daemon's own metrics in Prometheus' exposition. */
export class DaemonMetrics {
  readonly #registry = new Registry();
  readonly #planned = new Map<string, Action>();
  readonly #operations = this.#counter('revertd_operations_total', 'Operations that ended, by outcome', [
    'kind',
    'outcome',
  ]);
  readonly #durations = new Histogram({
    name: 'revertd_operation_duration_seconds',
    help: 'How long operations took',
    labelNames: ['kind'],
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300],
    registers: [this.#registry],
  });
  readonly #decide = new Histogram({
    name: 'revertd_decide_duration_seconds',
    help: 'CPU time of one decision',
    buckets: [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5],
    registers: [this.#registry],
  });
  readonly #notifications = this.#counter('revertd_notifications_total', 'Attempts to deliver a message, by outcome', [
    'notifier',
    'outcome',
  ]);
  readonly #dropped = this.#counter('revertd_notifications_dropped_total', 'Messages that nobody got', ['notifier']);
  readonly #incidents = this.#counter('revertd_incidents_total', 'Incidents that ended, by outcome', ['outcome']);
  readonly #refusals = this.#counter('revertd_revisions_refused_total', 'Revisions that were refused', ['code']);
  readonly #braked = this.#counter(
    'revertd_policies_braked_total',
    'How often a firing policy was not allowed to act',
    ['policy', 'kind'],
  );
  readonly #overridden = this.#counter('revertd_brakes_overridden_total', 'How often a person acted against a brake', [
    'policy',
  ]);
  readonly #windowed = this.#counter(
    'revertd_changes_withheld_total',
    'How often a window made a flag or a deployment wait',
    ['window'],
  );
  readonly #approvals = this.#counter('revertd_approvals_total', 'What people said to rungs that ask for approval', [
    'answer',
  ]);

  /** What applications ask for, counted where it is answered. */
  readonly ofrep = new OfrepMetrics();
  readonly #points: PointMetrics;
  readonly #drills = this.#counter('revertd_drills_total', 'Drills that ended, by outcome', ['drill', 'outcome']);

  constructor(view: HostView) {
    this.#gauge('revertd_build_info', 'Always 1', ['version'], (gauge) => gauge.set({ version: view.version }, 1));
    this.#gauge('revertd_halted', 'Whether all automatic action is stopped', [], (gauge) =>
      gauge.set(view.memory().halt === null ? 0 : 1),
    );
    this.#gauge('revertd_revision_info', 'The revision in force', ['revision'], (gauge) => {
      gauge.set({ revision: view.desired()?.revision ?? '' }, 1);
    });
    this.#gauge(
      'revertd_source_trouble',
      'Whether the policies cannot be read or were refused',
      ['kind', 'code'],
      (gauge) => {
        const trouble = view.feed()?.trouble;
        if (trouble) gauge.set({ kind: trouble.kind, code: trouble.code }, 1);
      },
    );
    this.#gauge('revertd_operations_pending', 'Operations planned or running', [], (gauge) => {
      gauge.set(Object.keys(view.memory().operations).length);
    });
    this.#gauge('revertd_incidents_open', 'Open incidents', ['policy'], (gauge) => {
      for (const one of Object.values(view.memory().incidents).filter(isOpen)) gauge.inc({ policy: one.policy.name });
    });
    this.#gauge('revertd_notifications_waiting', 'Messages that wait for their delivery', ['notifier'], (gauge) => {
      for (const { notifier } of Object.values(view.memory().outbox)) gauge.inc({ notifier });
    });
    this.#gauge('revertd_holds', 'Holds, by kind', ['kind'], (gauge) => {
      for (const hold of Object.values(view.memory().holds)) gauge.inc({ kind: hold.kind });
    });
    this.#copyGauges(view);
    this.#statusGauges(view);
    this.#points = new PointMetrics(view, this.#registry);
    this.ofrep.register(this.#registry);
  }

  onPlan(tookMs: number): void {
    this.#decide.observe(tookMs / 1000);
  }

  onEvents(events: readonly Event[]): void {
    for (const event of events) {
      this.#count(event);
      this.#points.onEvent(event);
    }
  }

  async exposition(): Promise<{ readonly type: string; readonly body: string }> {
    return { type: this.#registry.contentType, body: await this.#registry.metrics() };
  }

  #count(event: Event): void {
    switch (event.type) {
      case 'operation.planned':
        this.#planned.set(event.operation.id, event.operation.action);
        break;
      case 'operation.finished': {
        const action = this.#planned.get(event.id);
        const kind = action?.kind ?? 'unknown';
        this.#planned.delete(event.id);
        if (action?.kind === 'notify') {
          const outcome = event.outcome === 'done' ? 'delivered' : event.final === true ? 'refused' : 'failed';
          this.#notifications.inc({ notifier: action.notifier, outcome });
        }
        if (action !== undefined) this.#points.onFinished(action, event);
        this.#operations.inc({ kind, outcome: event.outcome });
        this.#durations.observe({ kind }, event.durationMs / 1000);
        break;
      }
      case 'notification.dropped':
        this.#dropped.inc({ notifier: event.key.slice(0, event.key.indexOf('/')) });
        break;
      case 'drill.ended':
        this.#drills.inc({ drill: event.drill, outcome: event.result.outcome });
        break;
      case 'incident.closed':
        this.#incidents.inc({ outcome: event.outcome });
        break;
      case 'revision.refused':
        this.#refusals.inc({ code: event.code });
        break;
      case 'policy.braked':
        this.#braked.inc({ policy: event.policy, kind: event.brake.kind });
        break;
      case 'brake.overridden':
        this.#overridden.inc({ policy: event.policy });
        break;
      case 'window.withheld':
      case 'target.withheld':
        this.#windowed.inc({ window: event.window });
        break;
      case 'approval.given':
      case 'approval.overridden':
      case 'approval.rejected':
      case 'approval.expired':
        this.#approvals.inc({ answer: event.type.slice('approval.'.length) });
        break;
      default:
    }
  }

  #statusGauges(view: HostView): void {
    this.#gauge(
      'revertd_trigger_state',
      'The state of each trigger: 1 for the one it is in',
      ['trigger', 'state'],
      (gauge) => {
        for (const { trigger, state } of triggerStatuses(view)) gauge.set({ trigger, state }, 1);
      },
    );
    this.#gauge('revertd_source_up', 'Whether a target delivered at its last turn', ['source', 'target'], (gauge) => {
      for (const { source, target, state } of view.sources()) gauge.set({ source, target }, state === 'up' ? 1 : 0);
    });
    const drills = (): readonly (readonly [string, DrillMemory])[] => Object.entries(view.memory().drills ?? {});
    this.#gauge('revertd_drill_last_duration_seconds', 'What the last drill took', ['drill'], (gauge) => {
      for (const [drill, { last }] of drills()) if (last !== null) gauge.set({ drill }, last.durationMs / 1000);
    });
    this.#gauge(
      'revertd_drill_last_success_timestamp_seconds',
      'When the last good drill ended',
      ['drill'],
      (gauge) => {
        for (const [drill, { lastSuccessAt: at }] of drills()) if (at !== null) gauge.set({ drill }, at / 1000);
      },
    );
    this.#gauge('revertd_conditions', 'Conditions that need attention, by type', ['type'], (gauge) => {
      for (const { type, needsAttention } of conditionsNow(view)) if (needsAttention) gauge.inc({ type });
    });
  }

  #copyGauges(view: HostView): void {
    this.#gauge('revertd_projection_up', 'Whether PostgreSQL took what was copied last', [], (gauge) => {
      const copy = view.copy();
      if (copy !== null) gauge.set(copy.failure === null && copy.behind !== null ? 1 : 0);
    });
    this.#gauge('revertd_projection_behind_events', 'Events that PostgreSQL does not have yet', [], (gauge) => {
      const behind = view.copy()?.behind ?? null;
      if (behind !== null) gauge.set(behind);
    });
    this.#gauge(
      'revertd_projection_lag_seconds',
      'For how long the oldest event that PostgreSQL does not have has waited',
      [],
      (gauge) => {
        const copy = view.copy();
        if (copy !== null) gauge.set(copy.lagMs / 1000);
      },
    );
  }

  #gauge(name: string, help: string, labelNames: string[], fill: (gauge: Gauge) => void): void {
    addGauge(this.#registry, name, help, labelNames, fill);
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return addCounter(this.#registry, name, help, labelNames);
  }
}
