import type { Registry } from 'prom-client';
import type { Event } from '../core/event.ts';
import type { Action } from '../core/model/action.ts';
import type { Point } from '../core/model/point.ts';
import { judgedPoints } from '../core/points/judged-points.ts';
import { pointsInOrder } from '../core/points/points-by-state.ts';
import type { HostView } from './host-view.ts';
import { addCounter, addGauge } from './metric-families.ts';
import { shownState } from './point-status.ts';
import { targetPoints } from './points-summary.ts';

type Finished = Extract<Event, { type: 'operation.finished' }>;

/** What the daemon measures of rollback points. A point of no policy has an empty `policy`. */
export class PointMetrics {
  readonly #view: HostView;
  readonly #captures;
  readonly #verifications;
  readonly #prunes;
  readonly #restores;
  readonly #collections;

  constructor(view: HostView, registry: Registry) {
    this.#view = view;
    const counter = (name: string, help: string, labels: string[]) => addCounter(registry, name, help, labels);
    this.#captures = counter('revertd_captures_total', 'Captures that ended, by outcome', ['policy', 'outcome']);
    this.#verifications = counter(
      'revertd_point_verifications_total',
      'Points whose content was read again, by what was found',
      ['policy', 'outcome'],
    );
    this.#prunes = counter('revertd_points_pruned_total', 'Points that were pruned, or whose pruning was refused', [
      'policy',
      'outcome',
    ]);
    this.#restores = counter('revertd_restores_total', 'Targets that were put back, by outcome', ['target', 'outcome']);
    this.#collections = counter('revertd_content_collections_total', 'Deletions of content that no point needs', [
      'outcome',
    ]);
    addPointGauges(view, registry);
  }

  onEvent(event: Event): void {
    if (event.type === 'points.pruned') {
      for (const { id } of event.points) this.#prunes.inc({ policy: this.#policyOf(id), outcome: 'pruned' });
    }
    if (event.type === 'points.pruneRefused') {
      this.#prunes.inc({ policy: event.policy, outcome: 'refused' }, event.points.length);
    }
  }

  onFinished(action: Action, { outcome }: Finished): void {
    switch (action.kind) {
      case 'capture':
        this.#captures.inc({ policy: this.#policyOf(action.point), outcome });
        break;
      case 'validate':
        this.#verifications.inc({ policy: this.#policyOf(action.point), outcome: VERIFIED[outcome] });
        break;
      case 'restore':
        this.#restores.inc({ target: action.target.name, outcome });
        break;
      case 'collect':
        this.#collections.inc({ outcome });
        break;
      default:
    }
  }

  #policyOf(id: string): string {
    return this.#view.memory().points[id]?.policy ?? '';
  }
}

const VERIFIED = {
  done: 'intact',
  failed: 'damaged',
  unknown: 'unknown',
  notDone: 'notDone',
} as const satisfies Record<Finished['outcome'], string>;

function addPointGauges(view: HostView, registry: Registry): void {
  addGauge(registry, 'revertd_points', 'Rollback points, by policy and state', ['policy', 'state'], (gauge) => {
    const memory = view.memory();
    const { verdicts } = judgedPoints(view.desired() ?? {}, memory, view.now());
    for (const point of pointsInOrder(memory)) {
      gauge.inc({ policy: point.policy ?? '', state: shownState(point, verdicts.get(point.id)) });
    }
  });
  addGauge(
    registry,
    'revertd_point_newest_valid_timestamp_seconds',
    'When the newest valid point of a target was captured; 0 while it has none',
    ['target'],
    (gauge) => {
      for (const { target, at } of targetPoints(view)) gauge.set({ target }, (at ?? 0) / 1000);
    },
  );
  addGauge(
    registry,
    'revertd_point_last_capture_duration_seconds',
    'What the newest capture of a policy took',
    ['policy'],
    (gauge) => {
      for (const [policy, point] of lastCaptures(view)) gauge.set({ policy }, captureSeconds(point));
    },
  );
  addGauge(
    registry,
    'revertd_point_last_capture_bytes',
    'Plain content of the newest capture of a policy',
    ['policy'],
    (gauge) => {
      for (const [policy, { snapshots }] of lastCaptures(view)) {
        gauge.set(
          { policy },
          snapshots.reduce((sum, { bytes }) => sum + bytes, 0),
        );
      }
    },
  );
  addGauge(registry, 'revertd_content_bytes', 'What the content of points takes on the disk', [], (gauge) => {
    const bytes = view.storeBytes();
    if (bytes === null) gauge.remove();
    else gauge.set(bytes);
  });
  addGauge(registry, 'revertd_content_collection_due', 'Whether content that no point needs is left', [], (gauge) =>
    gauge.set(view.memory().collection === null ? 0 : 1),
  );
}

/** By policy, the newest point that was captured whole. */
function lastCaptures(view: HostView): ReadonlyMap<string, Point> {
  const last = new Map<string, Point>();
  for (const point of pointsInOrder(view.memory())) {
    const policy = point.policy ?? '';
    if (point.snapshots.length > 0 && !last.has(policy)) last.set(policy, point);
  }
  return last;
}

function captureSeconds({ snapshots }: Point): number {
  const from = Math.min(...snapshots.map((one) => one.from));
  const to = Math.max(...snapshots.map((one) => one.to));
  return Math.max(0, to - from) / 1000;
}
