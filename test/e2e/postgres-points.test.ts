import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { PointDetail } from '../../src/server/point-status.ts';
import { E2eHost, SOURCE } from '../support/e2e-host.ts';
import { psql, refuseLeftovers, startPostgres } from '../support/postgres.ts';

const POLICIES = `apiVersion: revertd.dev/v1
kind: Target
metadata: { name: shop }
spec:
  postgres: { connection: { file: "\${host.folder}/dsn" } }
  check: [{ sql: { postgres: { file: "\${host.folder}/dsn" }, query: SELECT count(*) FROM orders, above: 0 } }]
---
apiVersion: revertd.dev/v1
kind: PointPolicy
metadata: { name: data }
spec: { targets: [shop], take: { before: [rollback] }, retain: { last: 5 } }
---
apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: broken }
spec:
  triggers: [ { name: broken, query: app_broken, above: 0, for: 1s, severity: critical } ]
  ladder:
    - rung: rows
      do: [{ restore: { target: shop, to: latestValid, only: { tables: [orders], keys: ["1"] } } }]
      verify: { settle: 300ms, within: 3s }
    - rung: database
      do: [{ restore: { target: shop, to: latestValid } }]
      verify: { settle: 300ms, within: 20s, checks: [{ target: { name: shop, is: intact } }] }
  cooldown: 10s
`;

let host: E2eHost;
const postgres = await startPostgres();
let metrics: Server;

function sql(...statements: readonly string[]): string {
  return psql(postgres.dsn('shop'), ...statements);
}

function isBroken(): boolean {
  return sql('SELECT count(*) FROM orders WHERE cents < 0') !== '0';
}

async function taken(): Promise<PointDetail> {
  const client = await host.client();
  const { point } = await client.post<{ point: string }>('points', { policy: 'data' });
  return await host.until(`point ${point}`, async () => {
    const found = await client.get<PointDetail>(`points/${point}`);
    return ['creating', 'capturing', 'stored', 'validating'].includes(found.state) ? undefined : found;
  });
}

async function resolved(): Promise<void> {
  await host.until('the incident is resolved', async () => {
    const { incidents } = await (await host.client()).get<{ incidents: { state: string }[] }>('incidents');
    return incidents.some(({ state }) => state === 'resolved') ? true : undefined;
  });
}

async function revertd(...args: string[]) {
  return await host.runCommand(...args, '--config', host.config);
}

async function started(environment: Readonly<Record<string, string>> = {}): Promise<void> {
  await host.startDaemon(environment);
  await host.untilStatus('policies are in force', ({ revision }) => revision !== null);
}

beforeAll(async () => {
  metrics = createServer((_request, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(`app_broken ${isBroken() ? 1 : 0}\n`);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => metrics.once('listening', resolve));
});

afterAll(async () => {
  metrics.close();
  metrics.closeAllConnections();
  await postgres[Symbol.asyncDispose]();
});

beforeEach(() => {
  host = new E2eHost();
  host.appUrl = `http://127.0.0.1:${(metrics.address() as AddressInfo).port}`;
  psql(postgres.dsn(), 'DROP DATABASE IF EXISTS shop WITH (FORCE)', 'CREATE DATABASE shop');
  sql('CREATE TABLE orders (id integer PRIMARY KEY, cents integer)', 'INSERT INTO orders VALUES (1, 100), (2, 200)');
  writeFileSync(join(host.folder, 'dsn'), postgres.dsn('shop'));
  host.commit({ 'policies.yaml': POLICIES, 'source.yaml': SOURCE }, 'Keep points of the shop');
  host.writeConfig();
});

afterEach(async () => {
  await host.close();
  refuseLeftovers(postgres);
});

test('a ladder first puts back a row, then the database; what it overwrote can be had back', async () => {
  await started();
  const point = await taken();
  expect(point).toMatchObject({ state: 'valid', snapshots: [{ type: 'postgres' }] });
  sql('UPDATE orders SET cents = -1', 'INSERT INTO orders VALUES (3, 300)');
  await resolved();
  expect(sql('SELECT * FROM orders ORDER BY id')).toBe('1|100\n2|200');
  const { stdout } = await revertd('points', 'list', '--json');
  const listed = JSON.parse(stdout) as { points: { point: string; cause: string }[] };
  const safety = listed.points.filter(({ cause }) => cause.includes('rung "rows"'));
  expect(safety).toHaveLength(1);
  const undone = await revertd('points', 'diff', safety[0]?.point ?? '');
  expect(undone.stdout).toContain('id=3');
});

test('by hand: a dry run tells the rows, a part is put back, and the safety point undoes it', async () => {
  await started();
  const { point } = await taken();
  sql('UPDATE orders SET cents = cents + 5');
  const dry = await revertd('points', 'restore', point, '--table', 'orders', '--key', '2', '--dry-run');
  expect(dry.stdout).toContain('cents: 200 → 205');
  expect(dry.stdout).not.toContain('id=1');
  expect(sql('SELECT cents FROM orders WHERE id = 2')).toBe('205');
  const without = await revertd('points', 'restore', point, '--key', '2', '--reason', 'test');
  expect(without.stderr).toContain('keys are of one table');
  const done = await revertd('points', 'restore', point, '--table', 'orders', '--key', '2', '--reason', 'test');
  expect(done).toMatchObject({ code: 0 });
  expect(sql('SELECT * FROM orders ORDER BY id')).toBe('1|105\n2|200');
  const safety = /points restore (\S+)`/.exec(done.stderr)?.[1] ?? '';
  expect(await revertd('points', 'restore', safety, '--reason', 'undo')).toMatchObject({ code: 0 });
  expect(sql('SELECT * FROM orders ORDER BY id')).toBe('1|105\n2|205');
});

test.each(['running:restore', 'effect:restore'])('killed at %s it finishes what it began', async (place) => {
  await started();
  await taken();
  await host.stopDaemon();
  await started({ REVERTD_TEST_KILL_AT: place });
  sql('UPDATE orders SET cents = -1');
  expect(await host.daemonEnd()).toBe('SIGKILL');
  await started();
  await resolved();
  expect(sql('SELECT * FROM orders ORDER BY id')).toBe('1|100\n2|200');
});

test('a restore test fills a scratch database and takes it away', async () => {
  await started();
  const { point } = await taken();
  const verified = await revertd('points', 'verify', point, '--restore-test');
  expect(verified).toMatchObject({ code: 0 });
});
