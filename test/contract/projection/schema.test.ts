import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrate } from '../../../src/store/postgres/migrate.ts';
import { MIGRATIONS } from '../../../src/store/postgres/migrations.ts';
import { openPool } from '../../../src/store/postgres/open-pool.ts';
import { livedLog } from '../../support/lived-log.ts';
import { psql, startPostgres } from '../../support/postgres.ts';
import { ProjectionStage } from '../../support/projection-stage.ts';

const server = await startPostgres();
const pool = openPool({ dsn: server.dsn() }, 8);
afterAll(async () => {
  await pool.end();
  await server[Symbol.asyncDispose]();
});

async function migrated(schema: string, known = MIGRATIONS): Promise<void> {
  const client = await pool.connect();
  await migrate(client, schema, known).finally(() => client.release());
}

const steps = (schema: string): string =>
  psql(server.dsn(), `SELECT version, name FROM ${schema}.schema_migrations ORDER BY version`);

describe('[M8] the schema', () => {
  test('is made once, however many daemons make it at once', async () => {
    await Promise.all(Array.from({ length: 8 }, () => migrated('many')));
    expect(steps('many')).toBe('1|the five tables');
    await migrated('many');
    expect(steps('many')).toBe('1|the five tables');
  });

  test('is brought forward by the steps that it has not yet', async () => {
    await migrated('forward');
    const next = { name: 'a note', sql: 'ALTER TABLE rollback_points ADD COLUMN note text' };
    await migrated('forward', [...MIGRATIONS, next]);
    expect(steps('forward')).toBe('1|the five tables\n2|a note');
    expect(psql(server.dsn(), 'SELECT note FROM forward.rollback_points')).toBe('');
  });

  test('of a newer revertd, or made by other statements, is refused and left as it is', async () => {
    await migrated('other');
    await expect(migrated('other', [])).rejects.toMatchObject({ code: 'newer' });
    const changed = MIGRATIONS.map((step) => ({ ...step, sql: `${step.sql} -- mended` }));
    await expect(migrated('other', changed)).rejects.toMatchObject({
      code: 'changed',
      message: expect.stringContaining('step 1 ("the five tables") of the schema other was made by other statements'),
    });
    expect(steps('other')).toBe('1|the five tables');
  });

  test('a step that fails leaves nothing behind', async () => {
    const bad = [...MIGRATIONS, { name: 'bad', sql: 'CREATE TABLE half (); SELECT 1 / 0' }];
    await expect(migrated('half', bad)).rejects.toThrow(/division by zero/);
    expect(psql(server.dsn(), "SELECT to_regnamespace('half') IS NULL")).toBe('t');
  });

  test('a role without rights is told which', async () => {
    psql(server.dsn(), 'CREATE ROLE nobody_special LOGIN');
    const poor = openPool({ dsn: server.dsn().replace('tester@', 'nobody_special@') }, 1);
    const client = await poor.connect();
    await expect(migrate(client, 'poor')).rejects.toThrow(/permission denied for database postgres/);
    client.release();
    await poor.end();
  });
});

describe('[M6] the guide’s questions are answered by the indexes', () => {
  let stage: ProjectionStage;
  beforeAll(async () => {
    stage = new ProjectionStage(server, 'planned');
    await stage.migrate();
    stage.logged.commit(livedLog(Date.now() - 45 * 86_400_000));
    await stage.copyAll();
    // So much that reading whole tables is dear.
    await stage.ask(`INSERT INTO rollback_operations
      SELECT gen_random_uuid(), 'deliver', NULL, 'done', 100, NULL, at, at, NULL, '[]', at, at, 'many', 'x', n, n
      FROM (SELECT n, now() - n * interval '1 minute' AS at FROM generate_series(1, 50000) n) all_of_them`);
    await stage.ask(`INSERT INTO rollback_audit_log
      SELECT gen_random_uuid(), NULL, NULL, 'source.recovered', '{}', 'revertd', NULL, NULL, NULL, at, 'many', n, ''
      FROM (SELECT n, now() - n * interval '1 minute' AS at FROM generate_series(1, 50000) n) all_of_them`);
    await stage.ask('VACUUM ANALYZE rollback_operations');
    await stage.ask('VACUUM ANALYZE rollback_audit_log');
  });
  afterAll(() => stage.close());

  test.each([
    [
      'slow operations',
      "SELECT type, status, AVG(EXTRACT(EPOCH FROM (completed_at - started_at)) * 1000), COUNT(*) FROM rollback_operations WHERE started_at > NOW() - INTERVAL '24 hours' GROUP BY type, status",
      'rollback_operations_started',
    ],
    [
      'the audit log of a day',
      "SELECT event_type, user_id, session_id, event_data, created_at FROM rollback_audit_log WHERE created_at > NOW() - INTERVAL '24 hours' ORDER BY created_at DESC",
      'rollback_audit_log_created',
    ],
    [
      'the oldest and newest record',
      'SELECT MIN(created_at), MAX(created_at) FROM rollback_operations',
      'rollback_operations_created',
    ],
    [
      'what is cleaned up',
      "DELETE FROM rollback_operations WHERE completed_at < now() - interval '30 days'",
      'rollback_operations_completed',
    ],
    [
      'what happened to an operation',
      "SELECT * FROM rollback_audit_log WHERE operation_id = '00000000-0000-0000-0000-000000000000'",
      'rollback_audit_log_operation',
    ],
  ])('%s', async (_what, sql, index) => {
    const plan = await stage.ask(`EXPLAIN (COSTS OFF) ${sql}`);
    const text = plan.map((row) => String(row['QUERY PLAN'])).join('\n');
    expect(text).toContain(index);
    expect(text).not.toContain('Seq Scan');
  });
});
