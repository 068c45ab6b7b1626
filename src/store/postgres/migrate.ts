import { createHash } from 'node:crypto';
import type { ClientBase } from 'pg';
import { MIGRATIONS, type Migration } from './migrations.ts';
import { ProjectionError } from './projection-error.ts';

/** The first half of the advisory lock's key, "rvtd"; the second is the schema's name, hashed by the server. */
const LOCK = 0x72767464;

/**
 * Brings the schema up to date, in one transaction under an advisory lock: of several daemons one does it, and the others
 * find it done. Rejects with ProjectionError `newer` or `changed`.
 */
export async function migrate(client: ClientBase, schema: string, known = MIGRATIONS): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [LOCK, schema]);
    const name = client.escapeIdentifier(schema);
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${name}; SET LOCAL search_path TO ${name}`);
    await client.query(
      'CREATE TABLE IF NOT EXISTS schema_migrations (version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
    );
    const { rows } = await client.query<Applied>(
      'SELECT version, name, checksum FROM schema_migrations ORDER BY version',
    );
    for (const applied of rows) requireKnown(applied, known, schema);
    for (const [index, migration] of known.entries()) {
      if (rows.some(({ version }) => version === index + 1)) continue;
      await client.query(migration.sql);
      await client.query('INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)', [
        index + 1,
        migration.name,
        checksumOf(migration),
      ]);
    }
    await client.query('COMMIT');
  } catch (error) {
    // On a connection that is gone the server rolls back by itself.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

type Applied = { readonly version: number; readonly name: string; readonly checksum: string };

function requireKnown({ version, name, checksum }: Applied, known: readonly Migration[], schema: string): void {
  const migration = known[version - 1];
  if (migration === undefined) {
    const message = `the schema ${schema} has step ${version} ("${name}"), this revertd knows ${known.length}; use the newer revertd that wrote it, or another \`postgres.schema\``;
    throw new ProjectionError('newer', message);
  }
  if (checksumOf(migration) === checksum) return;
  const message = `step ${version} ("${name}") of the schema ${schema} was made by other statements than this revertd knows; use the revertd that made it, or another \`postgres.schema\``;
  throw new ProjectionError('changed', message);
}

function checksumOf({ sql }: Migration): string {
  return createHash('sha256').update(sql).digest('hex');
}
