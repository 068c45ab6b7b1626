import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { openPool, type PostgresAddress } from '../../../src/store/postgres/open-pool.ts';
import { Projector } from '../../../src/store/postgres/projector.ts';
import { LoggedStore, livedLog } from '../../support/lived-log.ts';
import { psql, startPostgres } from '../../support/postgres.ts';

const LOG = livedLog(Date.now() - 45 * 86_400_000);
const server = await startPostgres();
let logged: LoggedStore;
let projector: Projector;
let address: PostgresAddress;
let schema: string;
let schemas = 0;

afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  schema = `p${(schemas += 1)}`;
  logged = new LoggedStore(mkdtempSync(join(tmpdir(), 'revertd-projector-')));
  logged.commit(LOG);
  address = { dsn: server.dsn() };
  projector = new Projector({
    feed: logged.store.feed,
    host: 'test',
    schema,
    poolSize: 2,
    address: async () => await Promise.resolve(address),
    redact: (text) => text.replaceAll('hush', '[redacted]'),
    now: () => Date.now(),
  });
});
afterEach(async () => {
  await projector.stop();
  logged.store.close();
  rmSync(logged.folder, { recursive: true });
});

/** Looks again and again; the test's own limit ends what never becomes true. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(5);
}

const copied = (): string => psql(server.dsn(), `SELECT count(*) FROM ${schema}.rollback_audit_log`);

test('[M8] it copies what is there, and what comes', async () => {
  projector.start();
  await until(() => projector.state.position === LOG.length);
  expect(copied()).toBe(String(LOG.length));
  logged.commit([{ at: Date.now(), type: 'source.recovered' }]);
  projector.wake();
  await until(() => projector.state.position === LOG.length + 1);
  expect(projector.state).toEqual({ position: LOG.length + 1, failure: null, failures: 0 });
});

test('a server that cannot be reached is tried again, ever more rarely, and what it says hides secrets', async () => {
  address = { dsn: 'postgres://hush@localhost/hush?host=/nonexistent/hush' };
  projector.start();
  await until(() => projector.state.failures === 2);
  expect(projector.state.failure).toMatchObject({ code: 'unreachable', attempts: 2 });
  expect(projector.state.failure?.message).not.toContain('hush');
  address = { dsn: server.dsn() };
  await until(() => projector.state.position === LOG.length);
  expect(projector.state.failure).toBeNull();
});

test('a network that swallows everything holds up neither the host nor its end', async () => {
  const swallowed: Socket[] = [];
  const hole: Server = createServer((socket) => swallowed.push(socket));
  await new Promise<void>((resolve) => hole.listen(0, '127.0.0.1', resolve));
  const { port = 0 } = Object(hole.address()) as { port?: number };
  address = { host: '127.0.0.1', port, database: 'x', user: 'x' };
  projector.start();
  await until(() => swallowed.length > 0);
  logged.commit([{ at: Date.now(), type: 'source.recovered' }]);
  projector.wake();
  await projector.stop();
  expect(projector.state.position).toBeNull();
  for (const socket of swallowed) socket.destroy();
  await new Promise((resolve) => hole.close(resolve));
});

test.each<[string, string, string]>([
  ['no connection string', 'secret of somebody', 'badDsn'],
  ['a database that there is not', 'postgres://tester@localhost/nowhere?host=FOLDER', 'loginRefused'],
])('%s is said with its code', async (_what, dsn, code) => {
  address = { dsn: dsn.replace('FOLDER', encodeURIComponent(server.folder)) };
  projector.start();
  await until(() => projector.state.failure !== null);
  expect(projector.state.failure?.code).toBe(code);
  expect(projector.state.failure?.message).not.toContain('somebody');
});

test('rows that somebody wants anew are copied anew with the next event', async () => {
  projector.start();
  await until(() => projector.state.position === LOG.length);
  const pool = openPool({ dsn: server.dsn() }, 1);
  await pool.query(`SELECT ${schema}.rebuild_projection('test')`);
  await pool.end();
  logged.commit([{ at: Date.now(), type: 'source.recovered' }]);
  projector.wake();
  await until(() => projector.state.position === LOG.length + 1);
  expect(copied()).toBe(String(LOG.length + 1));
});
