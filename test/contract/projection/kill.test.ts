import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { copyEvents } from '../../../src/store/postgres/copy-events.ts';
import { openPool } from '../../../src/store/postgres/open-pool.ts';
import { ProjectionError } from '../../../src/store/postgres/projection-error.ts';
import { livedLog } from '../../support/lived-log.ts';
import { startPostgres } from '../../support/postgres.ts';
import { ProjectionStage } from '../../support/projection-stage.ts';
import { beforeEachStatement } from '../../support/statements.ts';

const LOG = livedLog(Date.now() - 45 * 86_400_000);
/** Begin, position, lock, five tables, the points that are gone, the new position, commit. */
const STATEMENTS = 11;
const PROGRAM = join(import.meta.dirname, '../../support/copy-process.ts');

const server = await startPostgres();
let stage: ProjectionStage;
let schemas = 0;

afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  stage = new ProjectionStage(server, `k${(schemas += 1)}`);
  await stage.migrate();
  stage.logged.commit(LOG);
});
afterEach(() => stage.close());

/** Rows and position are of one event, the one before the batch or its last. */
async function expectAllOrNothing(): Promise<void> {
  const [found] = await stage.ask(
    `SELECT (SELECT count(*) FROM rollback_audit_log)::int AS events,
      coalesce((SELECT event FROM projection_positions), 0)::int AS position`,
  );
  expect([0, LOG.length]).toContain(found?.['events']);
  expect(found?.['position']).toBe(found?.['events']);
}

async function outcomeOf(copy: Promise<unknown>): Promise<string> {
  return await copy.then(
    () => 'done',
    (error: unknown) => (error instanceof ProjectionError ? error.code : String(error)),
  );
}

const every = Array.from({ length: STATEMENTS }, (_, index) => index + 1);

test.each(every)('[M8] killed before its statement %i, it has copied all of a batch or nothing', async (number) => {
  stage.logged.store.close();
  const args = [PROGRAM, stage.logged.folder, server.dsn(), stage.schema, String(number)];
  const { signal, stderr } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    encoding: 'utf8',
  });
  stage.logged.open();
  expect([signal, stderr]).toEqual(['SIGKILL', '']);
  await expectAllOrNothing();
  await stage.copyAll();
  expect(await stage.here()).toEqual(await stage.there());
});

test.each(every)(
  '[M8] a connection that breaks with its statement %i is made anew, and each event is there once',
  async (number) => {
    const pool = beforeEachStatement(openPool({ dsn: server.dsn() }, 1), (count, client) => {
      // What was sent may have arrived, COMMIT too.
      if (count === number) setImmediate(() => Reflect.get(Reflect.get(client, 'connection'), 'stream').destroy());
    });
    const copy = async () =>
      await copyEvents({ pool, schema: stage.schema, host: stage.host, feed: () => stage.logged.store.feed });
    expect(['done', 'unreachable']).toContain(await outcomeOf(copy()));
    await expectAllOrNothing();
    while ((await copy()).copied > 0) {
      // The next batch.
    }
    await pool.end();
    expect(await stage.here()).toEqual(await stage.there());
  },
);

test('[M8] a server that restarts in the middle of a batch takes it whole afterwards', async () => {
  const restarted = Promise.withResolvers<void>();
  const pool = beforeEachStatement(openPool({ dsn: server.dsn() }, 1), (count) => {
    if (count === 6) void server.restart('SIGQUIT').then(() => restarted.resolve());
  });
  const copy = async () =>
    await copyEvents({ pool, schema: stage.schema, host: stage.host, feed: () => stage.logged.store.feed });
  expect(['done', 'unreachable']).toContain(await outcomeOf(copy()));
  await restarted.promise;
  await expectAllOrNothing();
  await copy();
  await pool.end();
  expect(await stage.here()).toEqual(await stage.there());
});

test('a connection that breaks while it is lent out and asked nothing ends nothing but itself', async () => {
  const { pool } = stage;
  const client = await pool.connect();
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
  await pool.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
  await ended;
  client.release(true);
  expect(await stage.copyAll()).toBe(LOG.length);
});
