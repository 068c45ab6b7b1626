import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createFakeSystemctl } from '../../../../test/support/fake-systemctl.ts';
import { unusedPort } from '../../../../test/support/loopback.ts';
import type { MetricSource, SqlQuery, SqlType } from '../../../core/model/metric-source.ts';
import { systemClock } from '../../clock.ts';
import { DeadlineExceeded } from '../../http/exchange.ts';
import { formatSeries } from '../../labels.ts';
import type { Outcome, Sampler } from '../../sampler.ts';
import { sql } from './index.ts';

function open(database: SqlType['database'], queries: readonly SqlQuery[], timeoutMs = 10_000, dsn = ''): Sampler {
  const type: SqlType = { kind: 'sql', database, queries, labels: { team: 'a' }, timeoutMs };
  const origin = { file: 'metrics.yaml', line: 1, column: 1 };
  const source: MetricSource = { name: 'db', origin, suspend: false, intervalMs: 15_000, type };
  const secret = () => (dsn === '' ? Promise.reject(new Error('no such credential')) : Promise.resolve(dsn));
  const [sampler] = sql.open(source, type, { clock: systemClock, secret, systemctl: createFakeSystemctl({}) });
  if (sampler === undefined) throw new Error('expected a sampler');
  onTestFinished(() => sampler.close());
  return sampler;
}

function databaseFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'revertd-sql-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'app.db');
  using database = new DatabaseSync(path);
  database.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE orders (id INTEGER PRIMARY KEY, status TEXT, total REAL);
    INSERT INTO orders (status, total) VALUES ('open', 1.5), ('open', 2.5), ('shipped', 10), (NULL, NULL);`);
  return path;
}

async function ask(path: string, ...queries: SqlQuery[]): Promise<Outcome> {
  return await open({ kind: 'sqlite', path }, queries).sample(new AbortController().signal);
}

/** Without the labels that all have, and without what differs from run to run. */
function values({ samples }: Outcome): Record<string, number> {
  const pairs = samples
    .filter(({ labels }) => !/duration/.test(labels['__name__'] ?? ''))
    .map(({ labels, value }) => {
      const { job, instance, team, ...others } = labels;
      expect([job, team, instance === undefined]).toEqual(['db', 'a', false]);
      return [formatSeries(others), value] as const;
    });
  return Object.fromEntries(pairs);
}

const RUNAWAY = 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c';

describe('SQLite', () => {
  it('gives a gauge per query, with the other columns as labels', async () => {
    const outcome = await ask(
      databaseFile(),
      { name: 'orders', query: 'SELECT count(*) FROM orders;' },
      {
        name: 'orders_total',
        query: 'SELECT status, sum(total) AS value FROM orders GROUP BY status -- by state',
      },
      { name: 'newest', query: 'SELECT max(id) AS id, 9007199254740993 AS big FROM orders', value: 'big', labels: [] },
    );
    expect(outcome.kind).toBe('sampled');
    expect(values(outcome)).toEqual({
      up: 1,
      scrape_samples_scraped: 10,
      orders: 4,
      'orders_total{status="open"}': 4,
      'orders_total{status="shipped"}': 10,
      newest: 9007199254740992,
      'sql_query_success{query="orders"}': 1,
      'sql_query_success{query="orders_total"}': 1,
      'sql_query_success{query="newest"}': 1,
    });
  });

  const faults: readonly [string, Partial<SqlQuery>, string, string][] = [
    ['has a mistake', { query: 'SELECT nowhere' }, 'bad_query', 'no such column: nowhere'],
    ['deletes', { query: 'DELETE FROM orders' }, 'bad_query', 'syntax error'],
    ['has no column for the value', { query: 'SELECT 1 AS a, 2 AS b' }, 'bad_columns', 'the query gives a, b'],
    ['names a column that is not there', { value: 'v' }, 'bad_columns', 'a column "v"; the query gives n'],
    ['gives text', { query: `SELECT '12' AS n` }, 'bad_columns', 'found "12"'],
    [
      'repeats its labels',
      { query: `SELECT 1 AS value, 'x' AS l UNION ALL SELECT 2, 'x'` },
      'repeated_series',
      'l="x"',
    ],
    [
      'gives a label that is taken',
      { query: `SELECT 1 AS value, 'x' AS job` },
      'bad_columns',
      '"job" cannot be a label',
    ],
    [
      'gives many rows',
      { query: RUNAWAY.replace('count(*)', 'x AS value, x AS l') },
      'too_many_rows',
      'more than 1000 rows',
    ],
    [
      'gives a long label',
      { query: 'SELECT 1 AS value, hex(zeroblob(5000)) AS l' },
      'label_too_long',
      'longer than 1024',
    ],
  ];
  it.each(faults)('reports a query that %s', async (_, changes, code, message) => {
    const good = { name: 'orders', query: 'SELECT count(*) FROM orders' };
    const outcome = await ask(databaseFile(), { name: 'bad', query: 'SELECT 1 AS n', ...changes }, good);
    expect(outcome).toMatchObject({ kind: 'failed', fault: { code, message: expect.stringContaining(message) } });
    expect(values(outcome)).toMatchObject({
      up: 1,
      orders: 4,
      'sql_query_success{query="bad"}': 0,
      [`sql_error{code="${code}", query="bad"}`]: 1,
      'sql_query_success{query="orders"}': 1,
    });
  });

  it('ends a query that never returns, and asks the next', async () => {
    const path = databaseFile();
    const queries = [
      { name: 'runaway', query: RUNAWAY },
      { name: 'orders', query: 'SELECT count(*) FROM orders' },
    ];
    const outcome = await open({ kind: 'sqlite', path }, queries, 3000).sample(new AbortController().signal);
    expect(outcome).toMatchObject({ fault: { code: 'timeout', message: expect.stringContaining('was killed') } });
    expect(values(outcome)).toMatchObject({ orders: 4, 'sql_query_success{query="runaway"}': 0 });
  });

  it('stops at once when it is stopped', async () => {
    const stopping = new AbortController();
    const sampler = open({ kind: 'sqlite', path: databaseFile() }, [{ name: 'runaway', query: RUNAWAY }], 3_600_000);
    const sampling = sampler.sample(stopping.signal);
    setImmediate(() => stopping.abort(new DeadlineExceeded('no end within 1h')));
    expect((await sampling).kind).toBe('failed');
  });

  it('is not there', async () => {
    const outcome = await ask('/no/such/file.db', { name: 'a', query: 'SELECT 1' });
    expect(outcome).toMatchObject({ kind: 'failed', fault: { code: 'unreadable' } });
    expect(values(outcome)).toEqual({ up: 0, scrape_samples_scraped: 0, 'sql_error{code="unreadable"}': 1 });
  });

  it('has a log that cannot be read, which is told apart from a damaged database', async () => {
    const path = databaseFile();
    symlinkSync(`${path}-wal`, `${path}-wal`);
    const wal = new DatabaseSync(path);
    expect(() => wal.exec('PRAGMA journal_mode = WAL')).toThrow('unable to open database file');
    wal.close();
    expect(await ask(path, { name: 'a', query: 'SELECT 1' })).toMatchObject({ fault: { code: 'unreadable' } });
  });

  it('is no database', async () => {
    const path = databaseFile();
    writeFileSync(path, 'a text that is long enough to be taken for a header of a page, but is none at all'.repeat(20));
    expect(await ask(path, { name: 'a', query: 'SELECT 1' })).toMatchObject({ fault: { code: 'corrupt' } });
  });
});

describe('a PostgreSQL that cannot be asked', () => {
  const reference = { kind: 'postgres', dsn: { credential: 'app-dsn' } } as const;
  const queries = [{ name: 'a', query: 'SELECT 1' }];

  async function fault(dsn: string, signal = new AbortController().signal): Promise<Outcome> {
    const outcome = await open(reference, queries, 10_000, dsn).sample(signal);
    expect(JSON.stringify(outcome)).not.toContain('hunter2');
    const code = outcome.kind === 'failed' ? outcome.fault.code : '';
    expect(values(outcome)).toEqual({ up: 0, scrape_samples_scraped: 0, [`sql_error{code="${code}"}`]: 1 });
    return outcome;
  }

  it.each([
    ['secret', ''],
    ['bad_dsn', 'host=localhost password=hunter2'],
    ['bad_dsn', 'postgres://me:hunter2@[x/db'],
  ])('is %s', async (code, dsn) => {
    expect(await fault(dsn)).toMatchObject({ kind: 'failed', fault: { code } });
  });

  it('is not there', async () => {
    const dsn = `postgres://me:hunter2@127.0.0.1:${await unusedPort()}/app`;
    expect(await fault(dsn)).toMatchObject({
      fault: { code: 'unreachable', message: expect.stringContaining('REFUSED') },
    });
  });

  it('says nothing', async () => {
    const deadline = new AbortController();
    const server = createServer(() => deadline.abort(new DeadlineExceeded('no end within 1s')));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const outcome = await fault(`postgres://me:hunter2@127.0.0.1:${port}/app`, deadline.signal);
    expect(outcome).toMatchObject({ fault: { code: 'timeout' } });
  });
});
