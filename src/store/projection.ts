import type { Event } from '../core/event.ts';
import type { PointId } from '../core/model/point.ts';
import { type Figure, type OperationChange, projectEvent } from '../core/projection/project-event.ts';
import type { Millis } from '../core/units.ts';
import type { Database, Row } from './database.ts';
import { eventOf } from './event-row.ts';

/** So many events of an older store are gone through in one transaction. */
const CATCH_UP_EVENTS = 5_000;

export type NumberedEvent = { readonly seq: number; readonly event: Event };

/** The rows behind the views `rollback_…` of the store, kept up to date within the transactions of the log. */
export class Projection {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Within the caller's transaction, after memory and incidents were written. `changed`: points that are not as before. */
  take(events: readonly NumberedEvent[], changed: readonly PointId[]): void {
    const last = events.at(-1);
    if (last === undefined) return;
    const begun = new Map(events.flatMap(({ seq, event }) => (isBeginning(event) ? [[event.point.id, seq]] : [])));
    for (const id of changed) this.#putPoint(id, begun.get(id) ?? last.seq, last.seq, last.event.at);
    for (const each of events) this.#takeEvent(each);
  }

  /** Makes the rows of events that were written before there were any. */
  catchUp(): void {
    for (let after = this.#owed(); after !== undefined; after = this.#owed()) {
      const from = after;
      this.#database.transaction(() => this.#catchUpFrom(from));
    }
  }

  #owed(): number | undefined {
    const row = this.#database.get('SELECT after FROM projection_owed');
    return row === undefined ? undefined : Number(row['after']);
  }

  #catchUpFrom(after: number): void {
    const sql = 'SELECT seq, at, type, data FROM events WHERE seq > ? ORDER BY seq LIMIT ?';
    const events = this.#database
      .all(sql, after, CATCH_UP_EVENTS)
      .map((row) => ({ seq: Number(row['seq']), event: eventOf(row) }));
    for (const { seq, event } of events) {
      if (isBeginning(event)) this.#putPoint(event.point.id, seq, seq, event.at);
      this.#takeEvent({ seq, event });
    }
    const last = events.at(-1);
    if (last === undefined) this.#database.run('DELETE FROM projection_owed');
    else this.#database.run('UPDATE projection_owed SET after = ?', last.seq);
  }

  #takeEvent({ seq, event }: NumberedEvent): void {
    const { operation, figures, point } = projectEvent(event, (incident) => this.#openedAt(incident));
    const operationRow = operation === undefined ? null : this.#takeOperation(operation, seq, event.at);
    const pointRow = point === undefined ? null : this.#pointRow(point);
    if (operationRow !== null || pointRow !== null) {
      this.#refer(seq, pointRow ?? this.#pointOfOperation(operationRow), operationRow);
    }
    for (const [number, figure] of figures.entries()) this.#putFigure(figure, seq, number, event.at);
    if (event.type === 'points.deleted') for (const id of event.points) this.#removePoint(id, seq);
  }

  #refer(seq: number, point: number | null, operation: number | null): void {
    const session = "(SELECT data ->> '$.point.session' FROM events WHERE seq = ?)";
    const sql = `INSERT INTO event_references (event, point, operation, session) VALUES (?, ?, ?, ${session})`;
    this.#database.run(sql, seq, point, operation, point);
  }

  #putPoint(id: PointId, event: number, changed: number, at: Millis): void {
    const sql =
      'INSERT INTO point_rows (event, changed, changed_at, point) VALUES (?, ?, ?, ?) ON CONFLICT (point) DO UPDATE SET changed = excluded.changed, changed_at = excluded.changed_at';
    this.#database.run(sql, event, changed, at, id);
  }

  #removePoint(id: PointId, seq: number): void {
    this.#database.run('INSERT INTO gone_points SELECT ?, event FROM point_rows WHERE point = ?', seq, id);
    this.#database.run('DELETE FROM point_rows WHERE point = ?', id);
  }

  /** The number of its row; null if it ended before, or was never planned. */
  #takeOperation(change: OperationChange, seq: number, at: Millis): number | null {
    const { id, status, detail } = change;
    if (change.kind === 'planned') {
      const { type, point, strategy } = change;
      const sql =
        'INSERT INTO operation_rows (event, changed, operation, type, point, status, progress, planned_at, changed_at, strategy, log) VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)';
      const row = point === null ? null : this.#pointRow(point);
      this.#database.run(sql, seq, seq, id, type, row, status, at, at, strategy, JSON.stringify([{ at, status }]));
      return seq;
    }
    const found = this.#database.get(
      'SELECT event FROM operation_rows WHERE operation = ? AND completed_at IS NULL',
      id,
    );
    if (found === undefined) return null;
    const row = Number(found['event']);
    const entry = JSON.stringify({ at, status, ...(detail === undefined || detail === '' ? {} : { detail }) });
    const common = "status = ?, changed = ?, changed_at = ?, log = json_insert(log, '$[#]', json(?))";
    const values = [status, seq, at, entry] as const;
    if (change.kind === 'running') {
      this.#database.run(`UPDATE operation_rows SET ${common}, started_at = ? WHERE event = ?`, ...values, at, row);
    } else {
      const { isSuccess } = change;
      const sql = `UPDATE operation_rows SET ${common}, completed_at = ?, progress = ?, error = ? WHERE event = ?`;
      this.#database.run(sql, ...values, at, isSuccess ? 100 : 0, isSuccess ? null : (detail ?? ''), row);
    }
    return row;
  }

  #putFigure({ name, value, unit, tags }: Figure, seq: number, number: number, at: Millis): void {
    const sql = 'INSERT INTO figure_rows (event, number, name, value, unit, tags, at) VALUES (?, ?, ?, ?, ?, ?, ?)';
    this.#database.run(sql, seq, number, name, value, unit, JSON.stringify(tags), at);
  }

  #pointRow(id: PointId): number | null {
    return numberOf(this.#database.get('SELECT event AS number FROM point_rows WHERE point = ?', id));
  }

  #pointOfOperation(operation: number | null): number | null {
    return numberOf(this.#database.get('SELECT point AS number FROM operation_rows WHERE event = ?', operation));
  }

  #openedAt(incident: string): Millis | null {
    return numberOf(this.#database.get('SELECT opened_at AS number FROM incidents WHERE id = ?', incident));
  }
}

type Beginning = Extract<Event, { type: 'point.begun' | 'point.imported' }>;

function isBeginning(event: Event): event is Beginning {
  return event.type === 'point.begun' || event.type === 'point.imported';
}

function numberOf(row: Row | undefined): number | null {
  return typeof row?.['number'] === 'number' ? row['number'] : null;
}
