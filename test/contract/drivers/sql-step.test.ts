import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { SqlStatement, SqlStep } from '../../../src/core/model/sql-step.ts';
import { type AllowRules, createAllowList } from '../../../src/drivers/allow-list.ts';
import { sqlCheck } from '../../../src/drivers/checks/sql/index.ts';
import { createSecretResolver } from '../../../src/drivers/secrets.ts';
import { sqlStep } from '../../../src/drivers/steps/sql/index.ts';
import type { Fingerprint, StepOf } from '../../../src/drivers/steps/step-driver.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres.ts';

const never = new AbortController().signal;
let server: PostgresServer;
let admin: Client;

async function connected(): Promise<Client> {
  const client = new Client({ connectionString: server.dsn() });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

beforeAll(async () => {
  server = await startPostgres();
  admin = await connected();
});
afterAll(async () => {
  await admin.end();
  await server[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await admin.query(
    'DROP TABLE IF EXISTS orders; CREATE TABLE orders (id int PRIMARY KEY, total numeric, made_at date)',
  );
  await admin.query("INSERT INTO orders SELECT n, n * 10, '2026-01-01'::date + n FROM generate_series(1, 5) n");
});

const count = async () => Number((await admin.query<{ n: string }>('SELECT count(*) AS n FROM orders')).rows[0]?.n);

function step(statements: readonly (string | SqlStatement)[], rest: Partial<StepOf<'sql'>> = {}): StepOf<'sql'> {
  const all = statements.map((statement) => (typeof statement === 'string' ? { text: statement } : statement));
  return {
    origin: { file: 'test.yaml', line: 1, column: 1 },
    timeoutMs: 20_000,
    kind: 'sql',
    database: { kind: 'postgres', dsn: { env: 'DSN' } },
    script: { kind: 'statements', statements: all },
    params: {},
    transaction: true,
    require: [],
    repeatable: false,
    unless: [],
    ...rest,
  };
}

/** A driver, and what it has remembered of its last step. */
function driver(dsn = server.dsn(), rules: AllowRules = {}) {
  const secrets = createSecretResolver({ DSN: dsn });
  const ask = () => Promise.resolve({ outcome: 'unknown', detail: '' } as const);
  const remembered: Fingerprint[] = [];
  const own = sqlStep({ allow: createAllowList(rules), ask, secrets });
  return {
    remembered,
    perform: (task: StepOf<'sql'>, signal = never, onRemember: () => void = () => undefined) =>
      own.perform(task, {
        signal,
        operation: 'op-1',
        once: 'op-1',
        secrets,
        log: () => undefined,
        remember: (fingerprint) => {
          remembered.push(fingerprint);
          onRemember();
        },
      }),
    observe: (task: SqlStep) => own.observe({ ...step([]), ...task }, remembered.at(-1) ?? {}, never),
  };
}

const DELETE_ALL = 'DELETE FROM orders';

describe('a transaction', () => {
  it('[R5] takes effect as a whole, with parameters and guards, and is found again by its number', async () => {
    const { perform, observe, remembered } = driver();
    const task = step(
      [
        { text: 'DELETE FROM orders WHERE made_at > :since', rows: { atLeast: 1, atMost: 2 } },
        { text: 'UPDATE orders SET total = :total::numeric * 2 -- :since', rows: { atLeast: 3, atMost: 3 } },
      ],
      {
        params: { since: '2026-01-04', total: 1.5 },
        require: [
          { query: 'SELECT sum(total) FROM orders', expect: { kind: 'value', is: { kind: 'equals', value: 9 } } },
        ],
      },
    );
    expect(await perform(task)).toMatchObject({ outcome: 'done', detail: expect.stringContaining('2 rows') });
    expect(await count()).toBe(3);
    expect(remembered).toStrictEqual([{ phase: 'committing', identity: expect.stringMatching(/^\d+$/) }]);
    expect(await observe(task)).toBe('done');
  });

  it.each<[string, readonly (string | SqlStatement)[], Partial<StepOf<'sql'>>, string, string]>([
    [
      'more rows than allowed',
      [{ text: DELETE_ALL, rows: { atMost: 4 } }],
      {},
      'rows',
      '5 rows, expected at most 4 rows',
    ],
    [
      'a condition that is not met',
      [DELETE_ALL],
      {
        require: [{ query: 'SELECT count(*) FROM orders', expect: { kind: 'value', is: { kind: 'above', value: 0 } } }],
      },
      'condition',
      'gave 0, expected > 0',
    ],
    ['a statement with a fault', [DELETE_ALL, 'DELETE FROM nowhere'], {}, 'statement', '42P01'],
    [
      'a count where there is none',
      [DELETE_ALL, { text: 'DROP TABLE orders', rows: { atLeast: 0 } }],
      {},
      'rows',
      'no count',
    ],
    ['two statements in one', [`${DELETE_ALL}; COMMIT; SELECT 1`], {}, 'statement', '42601'],
    ['its own commit', [DELETE_ALL, 'SELECT pg_terminate_backend(pg_backend_pid())'], {}, 'unreachable', '57P01'],
  ])('is rolled back after %s', async (_, statements, rest, code, detail) => {
    const { perform, observe, remembered } = driver();
    const task = step(statements, rest);
    const outcome = await perform(task);
    expect(outcome).toMatchObject({ outcome: 'failed', code, detail: expect.stringContaining(detail) });
    expect(outcome.detail).toContain('nothing was changed');
    expect(await count()).toBe(5);
    expect(remembered).toStrictEqual([]);
    expect(await observe(task)).toBe('notDone');
  });

  it('is rolled back when its deferred constraints are not met', async () => {
    await admin.query(
      'DROP TABLE IF EXISTS lines; CREATE TABLE lines (o int REFERENCES orders DEFERRABLE INITIALLY DEFERRED)',
    );
    await admin.query('INSERT INTO lines VALUES (1)');
    const { perform, observe } = driver();
    const outcome = await perform(step([DELETE_ALL]));
    await admin.query('DROP TABLE lines');
    expect(outcome).toMatchObject({ outcome: 'failed', code: 'statement', detail: expect.stringContaining('23503') });
    expect(await count()).toBe(5);
    expect(await observe(step([DELETE_ALL]))).toBe('notDone');
  });

  it('waits for locks no longer than it may', async () => {
    const other = await connected();
    await other.query('BEGIN; LOCK TABLE orders');
    const outcome = await driver().perform(step([DELETE_ALL], { lockTimeoutMs: 100 }));
    await other.end();
    expect(outcome).toMatchObject({ code: 'locked', detail: expect.stringContaining('55P03') });
    expect(await count()).toBe(5);
  });

  it.each(['its deadline', 'a stop'])('is ended in the server too at %s', async (what) => {
    const stop = new AbortController();
    const task = step([DELETE_ALL, 'SELECT pg_sleep(600)'], what === 'its deadline' ? { timeoutMs: 700 } : {});
    const performed = driver().perform(task, stop.signal);
    const sleeping = async () =>
      (await admin.query("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"))
        .rowCount;
    while ((await sleeping()) === 0) await delay(10);
    if (what === 'a stop') stop.abort();
    expect(await performed).toMatchObject({ code: what === 'a stop' ? 'aborted' : 'timedOut' });
    while ((await sleeping()) !== 0) await delay(10);
    expect(await count()).toBe(5);
  });

  it.each(['SIGINT', 'SIGQUIT'] as const)('is undone when PostgreSQL restarts in the middle (%s)', async (by) => {
    const performed = driver().perform(step([DELETE_ALL, 'SELECT pg_sleep(600)']));
    const active = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'";
    while ((await admin.query(active)).rowCount === 0) await delay(10);
    await server.restart(by);
    admin = await connected();
    expect(await performed).toMatchObject({
      code: 'unreachable',
      detail: expect.stringContaining('nothing was changed'),
    });
    expect(await count()).toBe(5);
    expect(await driver().perform(step([DELETE_ALL]))).toMatchObject({ outcome: 'done' });
  });
});

describe('when the connection breaks at COMMIT', () => {
  /** Stands between revertd and PostgreSQL, and cuts the first connection that says COMMIT. */
  async function proxy(forward: boolean): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), 'revertd-proxy-'));
    let cut = false;
    const between = createServer((client) => {
      const upstream = createConnection(join(server.folder, '.s.PGSQL.5432'));
      client.on('error', () => undefined);
      upstream.on('error', () => undefined).pipe(client);
      client.on('data', (piece) => {
        const isCommit = !cut && piece.toString('latin1').includes('COMMIT');
        if (isCommit) cut = true;
        if (!isCommit || forward) upstream.write(piece);
        if (!isCommit) return;
        upstream.unpipe(client);
        if (!forward) upstream.destroy();
        client.destroy();
      });
      client.on('close', () => (cut && forward ? undefined : upstream.destroy()));
    });
    between.listen(join(folder, '.s.PGSQL.5432'));
    await once(between, 'listening');
    onTestFinished(() => {
      between.close();
      rmSync(folder, { recursive: true });
    });
    return `postgres://tester@localhost/postgres?host=${encodeURIComponent(folder)}`;
  }

  it('asks the server, and is told that it was committed', async () => {
    const { perform } = driver(await proxy(true));
    expect(await perform(step([DELETE_ALL]))).toMatchObject({
      outcome: 'done',
      detail: expect.stringContaining('committed, although'),
    });
    expect(await count()).toBe(0);
  });

  it('asks the server, and is told that it was not', async () => {
    const { perform } = driver(await proxy(false));
    expect(await perform(step([DELETE_ALL]))).toMatchObject({
      outcome: 'failed',
      code: 'unreachable',
      detail: expect.stringContaining('was rolled back'),
    });
    expect(await count()).toBe(5);
  });
});

describe('without a transaction', () => {
  it('[R3] indexes are replaced while the table is in use', async () => {
    await admin.query('CREATE INDEX orders_new ON orders (total)');
    const other = await connected();
    await other.query('BEGIN; SELECT * FROM orders');
    const { perform, remembered, observe } = driver();
    const statements = [
      'CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_old ON orders (id)',
      'DROP INDEX CONCURRENTLY IF EXISTS orders_new',
    ];
    const performed = perform(step(statements, { transaction: false }));
    await other.query('COMMIT');
    await other.end();
    expect(await performed).toMatchObject({ outcome: 'done' });
    const { rows } = await admin.query(
      "SELECT relname FROM pg_index JOIN pg_class ON oid = indexrelid WHERE indisvalid AND relname LIKE 'orders\\_%' ORDER BY 1",
    );
    expect(rows).toStrictEqual([{ relname: 'orders_old' }, { relname: 'orders_pkey' }]);
    expect(remembered).toStrictEqual([
      { phase: 'statement', number: 1 },
      { phase: 'statement', number: 2 },
    ]);
    expect(await observe(step(statements, { transaction: false }))).toBe('unknown');
    expect(await observe(step(statements, { transaction: false, repeatable: true }))).toBe('notDone');
  });

  it('says how far it came', async () => {
    const outcome = await driver().perform(
      step(['DELETE FROM orders WHERE id = 1', 'SELECT 1/0'], { transaction: false }),
    );
    expect(outcome).toMatchObject({
      code: 'statement',
      detail: expect.stringContaining('statements 1 to 1 have taken effect, statement 2 may have in part'),
    });
    expect(await count()).toBe(4);
  });
});

describe('a script', () => {
  const script = (text: string | Uint8Array) => {
    const folder = mkdtempSync(join(tmpdir(), 'revertd-script-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'down.sql');
    writeFileSync(path, text);
    return { script: { kind: 'file', path } as const };
  };

  it('[P8] is run as one transaction', async () => {
    const text = `-- undo
      DELETE FROM orders WHERE id = 1; /* ; */
      CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;
      DO $$ BEGIN DELETE FROM orders WHERE id = 2; END $$;`;
    expect(await driver().perform(step([], script(text)))).toMatchObject({ outcome: 'done' });
    expect(await count()).toBe(3);
  });

  it.each<[string, string | Uint8Array, string]>([
    ['commits by itself', 'BEGIN;\nDELETE FROM orders;\nCOMMIT;', 'down.sql:1: BEGIN in a script'],
    ['cannot be in a transaction', 'DELETE FROM orders;\nVACUUM orders', 'down.sql:2: VACUUM ORDERS cannot run'],
    ['is for psql', 'DELETE FROM orders;\n\\q\n', 'down.sql:2: a command of psql'],
    ['is empty', '-- nothing\n', 'has no statement'],
    ['is not UTF-8', Buffer.from([0x53, 0xff]), 'is not valid UTF-8'],
  ])('is refused if it %s', async (_, text, detail) => {
    const outcome = await driver().perform(step([], script(text)));
    expect(outcome).toMatchObject({ code: 'badFile', detail: expect.stringContaining(detail) });
    expect(await count()).toBe(5);
  });
});

describe('the host', () => {
  it.each([
    [{ databases: ['local/postgres'] }, 'done'],
    [{ databases: ['local:5432/post*'] }, 'done'],
    [{ databases: ['db.example.com/postgres'] }, 'failed'],
    [{ databases: [] }, 'failed'],
  ])('with %j lets it be %s', async (rules, outcome) => {
    expect(await driver(server.dsn(), rules).perform(step([DELETE_ALL]))).toMatchObject({ outcome });
  });

  it('does not show a password', async () => {
    const dsn = server.dsn('nowhere').replace('tester@', 'tester:hunter22@');
    const outcome = await driver(dsn).perform(step([DELETE_ALL]));
    expect(outcome).toMatchObject({ code: 'unreachable', detail: expect.stringContaining('3D000') });
    expect(outcome.detail).not.toContain('hunter22');
  });
});

it('answers checks, and cannot write in one', async () => {
  const check = (query: string) =>
    sqlCheck({ allow: createAllowList({}) }).check(
      {
        kind: 'sql',
        key: 'k',
        origin: { file: 'test.yaml', line: 1, column: 1 },
        database: { kind: 'postgres', dsn: { env: 'DSN' } },
        query,
        expect: { kind: 'value', is: { kind: 'equals', value: 5 } },
        timeoutMs: 5000,
      },
      { signal: never, secrets: createSecretResolver({ DSN: server.dsn() }) },
    );
  expect(await check('SELECT count(*) FROM orders')).toMatchObject({ outcome: 'true' });
  expect(await check('SELECT sum(total) / 30 FROM orders')).toMatchObject({ outcome: 'true' });
  expect(await check('WITH gone AS (DELETE FROM orders RETURNING 1) SELECT count(*) FROM gone')).toMatchObject({
    outcome: 'unknown',
    detail: expect.stringContaining('25006'),
  });
  expect(await check('SELECT made_at FROM orders')).toMatchObject({ outcome: 'unknown' });
  expect(await count()).toBe(5);
});
