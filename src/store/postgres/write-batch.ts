import type { ClientBase } from 'pg';
import { PROJECTED_TABLES, type ProjectedTable } from '../projected-tables.ts';
import type { ProjectionBatch } from '../projection-feed.ts';
import { storableJson } from './storable-json.ts';

type Refers = Readonly<Record<string, string>>;

/** Rows of others may have been cleaned up here meanwhile. */
const REFERENCES: Readonly<Record<string, Refers>> = {
  rollback_operations: { target_rollback_point_id: 'rollback_points' },
  rollback_audit_log: { rollback_point_id: 'rollback_points', operation_id: 'rollback_operations' },
};

/** Within the caller's transaction, on a search path that begins with the schema. */
export async function writeBatch(client: ClientBase, { rows, gone }: ProjectionBatch): Promise<void> {
  const { points, snapshots, operations, metrics, audit } = PROJECTED_TABLES;
  await put(client, points, rows.points, 'replace');
  await put(client, snapshots, rows.snapshots, 'replace');
  await put(client, operations, rows.operations, 'replace');
  await put(client, metrics, rows.metrics, 'add');
  await put(client, audit, rows.audit, 'add');
  if (gone.length > 0) await client.query('DELETE FROM rollback_points WHERE id = ANY ($1::uuid[])', [gone]);
}

/** `add`: an event happens once, so a row that is there already is a fault, and refused by its key. */
async function put(client: ClientBase, table: ProjectedTable, json: string, how: 'replace' | 'add'): Promise<void> {
  if (json === '[]') return;
  const columns = Object.keys(table.columns);
  const types = Object.entries(table.columns).map(([column, type]) => `${column} ${type}`);
  const values = columns.map((column) => valueOf(column, REFERENCES[table.name]?.[column]));
  const replaced = columns.filter((column) => column !== 'id').map((column) => `${column} = excluded.${column}`);
  await client.query(
    [
      `INSERT INTO ${table.name} (${columns.join(', ')})`,
      `SELECT ${values.join(', ')} FROM jsonb_to_recordset($1::jsonb) AS x(${types.join(', ')})`,
      ...(how === 'replace' ? [`ON CONFLICT (id) DO UPDATE SET ${replaced.join(', ')}`] : []),
    ].join(' '),
    [storableJson(json)],
  );
}

function valueOf(column: string, refersTo: string | undefined): string {
  return refersTo === undefined ? `x.${column}` : `(SELECT r.id FROM ${refersTo} r WHERE r.id = x.${column})`;
}
