import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { Store } from '../../src/store/store.ts';
import { E2eHost } from '../support/e2e-host.ts';
import { psql, startPostgres } from '../support/postgres.ts';

const POLICIES = `apiVersion: revertd.dev/v1
kind: Target
metadata: { name: notes }
spec: { files: { paths: ["\${host.folder}/notes"] } }
---
apiVersion: revertd.dev/v1
kind: PointPolicy
metadata: { name: notes }
spec: { targets: [notes], retain: { last: 5 } }
`;

const postgres = await startPostgres();
let host: E2eHost;
let schemas = 0;
let schema: string;

afterAll(() => postgres[Symbol.asyncDispose]());

beforeEach(() => {
  host = new E2eHost();
  schema = `memento_rollback_${(schemas += 1)}`;
  mkdirSync(join(host.folder, 'notes'));
  writeFileSync(join(host.folder, 'notes', 'one'), 'first');
  writeFileSync(join(host.folder, 'dsn'), `${postgres.dsn()}\n`);
  host.commit({ 'policies.yaml': POLICIES });
  host.writeConfig(
    `postgres: { connection: { file: ${JSON.stringify(join(host.folder, 'dsn'))} }, schema: ${schema} }`,
  );
});

afterEach(() => host.close());

const sql = (statement: string): string => psql(postgres.dsn(), `SET search_path TO ${schema}`, statement);

async function takePoint(): Promise<void> {
  const client = await host.client();
  const { point } = await client.post<{ point: string }>('points', { policy: 'notes' });
  await host.until(`point ${point} is valid`, async () => {
    const { state } = await client.get<{ state: string }>(`points/${point}`);
    return state === 'valid' ? true : undefined;
  });
}

async function untilCopied(): Promise<void> {
  const number = (text: string, name: string) =>
    new RegExp(`^${name} (?<value>\\d+)$`, 'm').exec(text)?.groups?.['value'];
  await host.until('PostgreSQL has everything', async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${host.port}/metrics`)).text();
    const is = [number(metrics, 'revertd_projection_up'), number(metrics, 'revertd_projection_behind_events')];
    return is.join() === '1,0' ? true : undefined;
  });
}

/** Every event is there once, and as the chain has it. */
async function expectWholeLog(): Promise<void> {
  await host.stopDaemon();
  const store = new Store(host.data, { readOnly: true });
  const last = Number(sql('SELECT max(event) FROM rollback_audit_log'));
  const copied = sql(
    "SELECT count(*), count(DISTINCT event), md5(string_agg(hash, ',' ORDER BY event)) FROM rollback_audit_log",
  );
  const hashes = store.events().filter(({ seq }) => seq <= last);
  store.close();
  const sum = createHash('md5')
    .update(hashes.map(({ hash }) => hash).join(','))
    .digest('hex');
  expect(copied).toBe(`${last}|${last}|${sum}`);
}

test('[M6] [M8] what the host does is in PostgreSQL, where the guide’s own questions are answered', async () => {
  await host.startDaemon();
  await host.untilStatus('policies are in force', ({ revision }) => revision !== null);
  await takePoint();
  await untilCopied();
  expect(
    sql(`SELECT type, status, AVG(EXTRACT(EPOCH FROM (completed_at - started_at)) * 1000) >= 0, COUNT(*) as operation_count
      FROM ${schema}.rollback_operations WHERE started_at > NOW() - INTERVAL '24 hours' GROUP BY type, status ORDER BY 1`),
  ).toBe('capture|done|t|1\nvalidate|done|t|1');
  expect(
    sql(`SELECT tablename, pg_size_pretty(pg_total_relation_size(schemaname||'.'||tablename)) != '' FROM pg_tables
      WHERE schemaname = '${schema}' AND tablename LIKE 'rollback%' ORDER BY 1`),
  ).toBe(['audit_log', 'metrics', 'operations', 'points', 'snapshots'].map((name) => `rollback_${name}|t`).join('\n'));
  expect(
    sql(`SELECT 'rollback_points' as table_name, COUNT(*) as record_count, MIN(created_at) = MAX(created_at)
      FROM ${schema}.rollback_points UNION ALL
      SELECT 'rollback_operations', COUNT(*), MIN(created_at) < MAX(created_at) FROM ${schema}.rollback_operations`),
  ).toBe('rollback_points|1|t\nrollback_operations|2|t');
  expect(
    sql(`SELECT event_type, user_id, session_id, event_data ->> 'host' FROM ${schema}.rollback_audit_log
      WHERE created_at > NOW() - INTERVAL '24 hours' AND event_type = 'daemon.started' ORDER BY created_at DESC`),
  ).toBe('daemon.started|revertd||e2e');
  expect(sql('SELECT total_points, valid_points, pending_operations FROM get_rollback_statistics()')).toBe('1|1|0');
  expect(sql('SELECT cleanup_old_operations(168)')).toBe('0');
  expect(
    sql(
      'SELECT s.type, p.state, s.host FROM rollback_points p JOIN rollback_snapshots s ON s.rollback_point_id = p.id',
    ),
  ).toBe('files|valid|e2e');
  await expectWholeLog();
});

test('[M6] the server gone, the daemon killed, the server back: the host goes on, and each event is there once', async () => {
  await host.startDaemon();
  await host.untilStatus('policies are in force', ({ revision }) => revision !== null);
  await takePoint();
  await untilCopied();
  writeFileSync(join(host.folder, 'dsn'), 'postgres://tester@localhost/nowhere?host=/nonexistent\n');
  await postgres.restart('SIGQUIT');
  await takePoint();
  await host.stopDaemon('SIGKILL');
  await host.startDaemon();
  await takePoint();
  await host.until('the daemon cannot reach PostgreSQL', async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${host.port}/metrics`)).text();
    return /^revertd_projection_up 0$/m.test(metrics) ? true : undefined;
  });
  writeFileSync(join(host.folder, 'dsn'), `${postgres.dsn()}\n`);
  await untilCopied();
  expect(sql('SELECT count(*) FROM rollback_points')).toBe('3');
  await expectWholeLog();
});

test('[M8] a schema of a newer revertd is left alone, and people hear of it', async () => {
  await host.startDaemon();
  await host.untilStatus('policies are in force', ({ revision }) => revision !== null);
  await untilCopied();
  await host.stopDaemon();
  sql("INSERT INTO schema_migrations VALUES (99, 'the future', 'x')");
  await host.startDaemon();
  const { conditions } = await host.untilStatus('it says so', (status) =>
    status.conditions.some(({ type }) => type === 'ProjectionBehind'),
  );
  expect(conditions.find(({ type }) => type === 'ProjectionBehind')).toMatchObject({
    object: `PostgreSQL/${schema}`,
    needsAttention: true,
    message: expect.stringContaining('has step 99 ("the future"), this revertd knows 1; use the newer revertd'),
  });
});
