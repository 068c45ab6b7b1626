import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { MetricSource, SqlQuery, SqlType } from '../../../src/core/model/metric-source.ts';
import { systemClock } from '../../../src/metrics/clock.ts';
import { formatSeries } from '../../../src/metrics/labels.ts';
import type { Outcome, Sampler } from '../../../src/metrics/sampler.ts';
import { sql } from '../../../src/metrics/samplers/sql/index.ts';
import { createFakeSystemctl } from '../../support/fake-systemctl.ts';
import { POSTGRES_BIN, type PostgresServer, startPostgres } from '../../support/postgres.ts';

let server: PostgresServer;

function open(queries: readonly SqlQuery[], timeoutMs = 10_000): Sampler {
  const database = { kind: 'postgres', dsn: { credential: 'app-dsn' } } as const;
  const type: SqlType = { kind: 'sql', database, queries, labels: {}, timeoutMs };
  const origin = { file: 'metrics.yaml', line: 1, column: 1 };
  const source: MetricSource = { name: 'db', origin, suspend: false, intervalMs: 15_000, type };
  const secret = () => Promise.resolve(server.dsn());
  const [sampler] = sql.open(source, type, { clock: systemClock, secret, systemctl: createFakeSystemctl({}) });
  if (sampler === undefined) throw new Error('expected a sampler');
  onTestFinished(() => sampler.close());
  return sampler;
}

function sample(sampler: Sampler): Promise<Outcome> {
  return sampler.sample(new AbortController().signal);
}

function values({ samples }: Outcome): Record<string, number> {
  return Object.fromEntries(
    samples.map(({ labels: { job, instance, ...others }, value }) => {
      expect([job, instance]).toEqual(['db', 'app-dsn']);
      return [formatSeries(others), value];
    }),
  );
}

async function run(text: string): Promise<unknown[][]> {
  const client = new Client({ connectionString: server.dsn() });
  await client.connect();
  try {
    return (await client.query<unknown[]>({ text, rowMode: 'array' })).rows;
  } finally {
    await client.end();
  }
}

// Where Debian's package `postgresql` is not installed these are shown as skipped, each by its name.
describe.skipIf(POSTGRES_BIN === undefined)('PostgreSQL (package postgresql)', () => {
  beforeAll(async () => {
    server = await startPostgres();
    await run('CREATE TABLE orders (id serial PRIMARY KEY, status text, total numeric, urgent boolean)');
    await run(
      `INSERT INTO orders (status, total, urgent) VALUES ('open', 1.5, true), ('open', 2.5, false), ('sent', 10, null)`,
    );
    await run(`CREATE FUNCTION sneaky() RETURNS int LANGUAGE sql AS 'DELETE FROM orders; SELECT 1'`);
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  const count = { name: 'orders', query: 'SELECT count(*) FROM orders' };

  it('gives gauges of all types of numbers, and the other columns as labels', async () => {
    const outcome = await sample(
      open([
        count,
        { name: 'total', query: 'SELECT status, sum(total) AS value, 7 AS n FROM orders GROUP BY status;' },
        { name: 'age', query: `SELECT extract(epoch FROM interval '90 s') AS seconds -- of the oldest` },
        { name: 'odd', query: `SELECT 'NaN'::numeric AS value, NULL AS empty UNION ALL SELECT NULL, 'x'` },
        { name: 'big', query: `SELECT v AS "a ""b""" FROM (VALUES (9007199254740993)) AS t(v)` },
      ]),
    );
    expect(outcome.kind).toBe('sampled');
    expect(values(outcome)).toMatchObject({
      up: 1,
      orders: 3,
      'total{n="7", status="open"}': 4,
      'total{n="7", status="sent"}': 10,
      age: 90,
      odd: Number.NaN,
      big: 9007199254740992,
      'sql_query_success{query="big"}': 1,
    });
    expect(Object.keys(values(outcome)).filter((name) => name.startsWith('odd'))).toEqual(['odd']);
  });

  const bad: readonly [string, string, string, string][] = [
    ['writes through a function', 'SELECT sneaky()', 'read_only', 'cannot execute DELETE in a read-only transaction'],
    ['counts a sequence on', `SELECT nextval('orders_id_seq')`, 'read_only', 'nextval'],
    [
      'writes in a WITH',
      'WITH d AS (DELETE FROM orders RETURNING 1) SELECT count(*) FROM d',
      'bad_query',
      'data-modifying',
    ],
    ['is no SELECT', 'DELETE FROM orders', 'bad_query', 'expected one SELECT'],
    ['has several statements', 'SELECT 1) AS q; COMMIT; DELETE FROM orders; SELECT (1', 'bad_query', '42601'],
    ['copies to a program', `COPY (SELECT 1) TO PROGRAM 'true'`, 'bad_query', '42601'],
    [
      'turns the deadline off',
      `SELECT set_config('statement_timeout', '0', false)::int FROM pg_sleep(3600)`,
      'timeout',
      '57014',
    ],
    ['never returns', 'SELECT count(*) FROM generate_series(1, 1e15)', 'timeout', '57014'],
    ['has a mistake', 'SELECT nothing', 'bad_query', 'column "nothing" does not exist'],
    ['gives text', `SELECT 'x' AS value`, 'bad_query', 'double precision'],
    [
      'gives a million rows',
      'SELECT g AS value, g AS l FROM generate_series(1, 1000000) AS g',
      'too_many_rows',
      '1000',
    ],
    ['gives a label of 100 MB', `SELECT 1 AS value, repeat('x', 100000000) AS l`, 'label_too_long', '1024'],
  ];
  it.each(bad)('reports a query that %s, and asks the next', async (_, query, code, message) => {
    // A hundred megabytes take a busy machine their time.
    const sampler = open([{ name: 'bad', query }, count], code === 'label_too_long' ? 20_000 : 4_000);
    const outcome = await sample(sampler);
    expect(outcome).toMatchObject({ kind: 'failed', fault: { code, message: expect.stringContaining(message) } });
    expect(values(outcome)).toMatchObject({ up: 1, orders: 3, 'sql_query_success{query="bad"}': 0 });
    expect(await run('SELECT count(*)::int FROM orders')).toEqual([[3]]);
  });

  it('connects again after its connection was ended', async () => {
    const sampler = open([count]);
    expect(await sample(sampler)).toMatchObject({ kind: 'sampled' });
    await run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'revertd'`);
    const outcomes = [await sample(sampler), await sample(sampler)];
    expect(outcomes.at(-1)).toMatchObject({ kind: 'sampled' });
  });

  it('keeps one connection', async () => {
    const sampler = open([{ name: 'pid', query: 'SELECT pg_backend_pid()' }]);
    const pids = [values(await sample(sampler))['pid'], values(await sample(sampler))['pid']];
    expect(pids[0]).toBe(pids[1]);
  });

  it('says that the log-in is refused', async () => {
    await run('CREATE ROLE nobody NOLOGIN');
    const database = { kind: 'postgres', dsn: { env: 'DSN' } } as const;
    const type: SqlType = { kind: 'sql', database, queries: [count], labels: {}, timeoutMs: 5000 };
    const origin = { file: 'metrics.yaml', line: 1, column: 1 };
    const source: MetricSource = { name: 'db', origin, suspend: false, intervalMs: 15_000, type };
    const secret = () => Promise.resolve(server.dsn().replace('tester', 'nobody'));
    const [sampler] = sql.open(source, type, { clock: systemClock, secret, systemctl: createFakeSystemctl({}) });
    const outcome = await sampler?.sample(new AbortController().signal);
    expect(outcome).toMatchObject({ fault: { code: 'login_refused', message: expect.stringContaining('nobody') } });
  });
});
