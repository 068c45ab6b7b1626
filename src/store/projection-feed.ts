import type { Millis } from '../core/units.ts';
import { type Database, textOf } from './database.ts';
import { PROJECTED_TABLES, type ProjectedTable, type TableKey } from './projected-tables.ts';

/** So little at a time that the loop does not notice. */
const MOST_EVENTS = 100;
const MOST_BYTES = 256 * 1024;

/** All rows that events number `after + 1` to `upTo` made or changed, as they are now. */
export type ProjectionBatch = {
  readonly upTo: number;
  /** The chain's hash of that event. */
  readonly hash: string;
  /** By table, the rows as the text of a JSON array. */
  readonly rows: Readonly<Record<TableKey, string>>;
  /** The ids of points that are deleted. */
  readonly gone: readonly string[];
};

/** What the projection in another database is copied from. */
export class ProjectionFeed {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** A UUID that begins as those of all rows of this store; undefined before the first event. */
  store(): string | undefined {
    const row = this.#database.get("SELECT prefix || '000000000000' AS id FROM projected_store");
    return row === undefined ? undefined : textOf(row['id']);
  }

  /** Undefined if the log has no such event. */
  event(seq: number): { readonly at: Millis; readonly hash: string } | undefined {
    const row = this.#database.get('SELECT at, hash FROM events WHERE seq = ?', seq);
    return row === undefined ? undefined : { at: Number(row['at']), hash: textOf(row['hash']) };
  }

  /** Undefined when there is nothing after that event. */
  batch(after: number): ProjectionBatch | undefined {
    const upTo = this.#endOfBatch(after);
    const last = upTo === undefined ? undefined : this.event(upTo);
    if (upTo === undefined || last === undefined) return undefined;
    const rows = (table: ProjectedTable): string => this.#rows(table, after, upTo);
    const { points, snapshots, operations, metrics, audit } = PROJECTED_TABLES;
    const gone =
      "SELECT prefix || printf('%012x', point) AS id FROM gone_points, projected_store WHERE event > ? AND event <= ?";
    return {
      upTo,
      hash: last.hash,
      rows: {
        points: rows(points),
        snapshots: rows(snapshots),
        operations: rows(operations),
        metrics: rows(metrics),
        audit: rows(audit),
      },
      gone: this.#database.all(gone, after, upTo).map(({ id }) => textOf(id)),
    };
  }

  #endOfBatch(after: number): number | undefined {
    const sql = 'SELECT seq, length(data) AS bytes FROM events WHERE seq > ? ORDER BY seq LIMIT ?';
    let end: number | undefined;
    let bytes = 0;
    for (const row of this.#database.all(sql, after, MOST_EVENTS)) {
      bytes += Number(row['bytes']);
      if (end !== undefined && bytes > MOST_BYTES) break;
      end = Number(row['seq']);
    }
    return end;
  }

  #rows({ name, columns, rows }: ProjectedTable, after: number, upTo: number): string {
    const fields = Object.entries(columns).map(
      ([column, type]) => `'${column}', ${type === 'jsonb' ? `json(${column})` : column}`,
    );
    const sql = `WITH span(after, up_to) AS (VALUES (?, ?)) SELECT json_group_array(json_object(${fields.join(', ')})) AS rows FROM ${name} WHERE ${rows}`;
    return textOf(this.#database.get(sql, after, upTo)?.['rows']);
  }
}
