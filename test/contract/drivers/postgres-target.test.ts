import { readFileSync, writeFileSync } from 'node:fs';
import { Client } from 'pg';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSecretResolver } from '../../../src/drivers/secrets.ts';
import { programsFor } from '../../../src/drivers/targets/postgres/programs.ts';
import { totals } from '../../support/points/captured-stage.ts';
import { PostgresStage } from '../../support/points/postgres-stage.ts';
import { psql, refuseLeftovers, startPostgres } from '../../support/postgres.ts';

const server = await startPostgres();
let shop: PostgresStage;
afterAll(() => server[Symbol.asyncDispose]());
afterEach(() => {
  refuseLeftovers(server);
  shop.close();
});

const WRONG = ['UPDATE orders SET cents = cents + 1 WHERE id <= 10', 'DELETE FROM customers WHERE id = 7'] as const;
const ORDERS = 'SELECT count(*), sum(hashtext(o::text)) FROM orders o';
const CUSTOMERS = 'SELECT count(*), sum(hashtext(c::text)) FROM customers c';

describe('a whole database', () => {
  beforeEach(async () => {
    shop = await PostgresStage.open(server);
  });

  test('comes back with its definitions, settings, rights, sequences and comment, and anew with nobody connected', async () => {
    psql(server.dsn(), 'DROP ROLE IF EXISTS reader', 'CREATE ROLE reader');
    shop.sql(
      "ALTER DATABASE app SET work_mem = '8MB'",
      'ALTER DATABASE app SET search_path = public, "$user"',
      'REVOKE CONNECT ON DATABASE app FROM PUBLIC',
      'GRANT CONNECT ON DATABASE app TO reader',
      "COMMENT ON DATABASE app IS 'it''s the shop'",
      'CREATE INDEX by_customer ON orders (customer)',
    );
    const properties = `SELECT (SELECT string_agg(acl::text, ' ' ORDER BY acl::text) FROM unnest(datacl) acl),
      shobj_description(d.oid, 'pg_database'),
      (SELECT string_agg(s, ' ' ORDER BY s) FROM pg_db_role_setting, unnest(setconfig) s WHERE setdatabase = d.oid) FROM pg_database d WHERE datname = 'app'`;
    const before = [shop.sql(properties), shop.sql(ORDERS), shop.sql('SELECT last_value FROM orders_id_seq')];
    const snapshot = await shop.stage.capture();
    shop.sql(...WRONG, 'DROP INDEX by_customer', "ALTER DATABASE app SET work_mem = '1MB'", 'CREATE TABLE extra ()');
    const idle = new Client(server.dsn('app'));
    await idle.connect();
    const sentAway = new Promise<void>((resolve) => idle.once('end', () => resolve()));
    idle.on('error', () => undefined);
    expect(await shop.stage.restore(snapshot)).toStrictEqual({
      outcome: 'done',
      detail: '5100 rows of 3 tables put in place',
    });
    await sentAway;
    expect([shop.sql(properties), shop.sql(ORDERS), shop.sql('SELECT last_value FROM orders_id_seq')]).toStrictEqual(
      before,
    );
    expect(shop.sql("SELECT to_regclass('by_customer'), to_regclass('extra')")).toBe('by_customer|');
    psql(server.dsn(), 'DROP OWNED BY reader', 'DROP ROLE reader');
  });

  test('is swapped though somebody connects to it again and again', async () => {
    const snapshot = await shop.stage.capture();
    shop.sql(...WRONG);
    const over = new AbortController();
    const busy = [1, 2, 3].map(async () => {
      let connected = 0;
      while (!over.signal.aborted) {
        const client = new Client(server.dsn('app'));
        client.on('error', () => undefined);
        connected += await client.connect().then(
          () => 1,
          () => 0,
        );
        await client.query('SELECT 1').catch(() => undefined);
        await client.end().catch(() => undefined);
      }
      return connected;
    });
    const outcome = await shop.stage.restore(snapshot);
    over.abort();
    const connected = await Promise.all(busy);
    expect(outcome).toMatchObject({ outcome: 'done' });
    expect(Math.min(...connected)).toBeGreaterThan(0);
    expect(await shop.stage.observe(snapshot)).toBe('done');
  });

  test.each([
    ['verified', 'notDone'],
    ['quiesced', 'notDone'],
    ['placed', 'done'],
  ])('whose restore is killed when it is %s is whole, and doing it again finishes it', async (boundary, seen) => {
    const snapshot = await shop.stage.capture();
    const before = shop.sql(ORDERS);
    shop.sql(...WRONG);
    const wrong = shop.sql(ORDERS);
    expect(await shop.restoreUntil(snapshot, boundary)).toBe('SIGKILL');
    expect(shop.sql(ORDERS)).toBe(seen === 'done' ? before : wrong);
    // What is written after the swap says nothing against it.
    if (seen === 'done') shop.sql("INSERT INTO customers VALUES (1000, 'new')");
    expect(await shop.stage.observe(snapshot)).toBe(seen);
    expect(await shop.stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
    expect(shop.sql(ORDERS)).toBe(before);
  });

  test('whose snapshot has other rows than were counted is not put in place', async () => {
    const snapshot = await shop.stage.capture();
    const { recordLines, recordOf } = await import('../../../src/drivers/targets/postgres/manifest.ts');
    const record = await recordOf(shop.stage.store, snapshot);
    const session = await shop.stage.store.begin({ operation: 'forged', signal: new AbortController().signal });
    await session.reuse(record.content);
    const tables = record.tables.map((table) => ({ ...table, rows: table.name === 'orders' ? 5001 : table.rows }));
    const { manifest } = await session.commit(recordLines({ ...record, tables }));
    shop.sql(...WRONG);
    const wrong = shop.sql(ORDERS);
    expect(await shop.stage.restore({ ...snapshot, manifest })).toStrictEqual({
      outcome: 'failed',
      detail: 'orders has 5000 rows after it was loaded, and had 5001 when it was captured',
    });
    expect(shop.sql(ORDERS)).toBe(wrong);
  });

  test('is compared row by row, cells told', async () => {
    const snapshot = await shop.stage.capture();
    shop.sql(
      'UPDATE orders SET cents = 77 WHERE id = 3',
      "INSERT INTO customers VALUES (101, 'one more')",
      'CREATE TABLE extra (i integer)',
      "INSERT INTO changes VALUES ('by hand')",
    );
    const { groups } = await shop.stage.diff(snapshot);
    expect(groups).toStrictEqual([
      {
        name: 'changes',
        added: 2,
        removed: 0,
        changed: 0,
        isCut: false,
        items: [
          { kind: 'added', what: '("by hand")', detail: '' },
          { kind: 'added', what: '(UPDATE)', detail: '' },
        ],
      },
      {
        name: 'customers',
        added: 1,
        removed: 0,
        changed: 0,
        isCut: false,
        items: [{ kind: 'added', what: 'id=101', detail: '' }],
      },
      { name: 'extra', added: 0, removed: 0, changed: 0, isCut: false, items: [], note: 'the table is new' },
      {
        name: 'orders',
        added: 0,
        removed: 0,
        changed: 1,
        isCut: false,
        items: [
          {
            kind: 'changed',
            what: 'id=3',
            detail: 'cents: 3 → 77, euros: 0.03000000000000000000 → 0.77000000000000000000',
          },
        ],
      },
    ]);
  });

  test('is compared in bounded time where much is different, and only the first rows are told', async () => {
    const snapshot = await shop.stage.capture();
    shop.sql('UPDATE orders SET cents = cents + 1', 'DELETE FROM orders WHERE id > 4000');
    const { groups } = await shop.stage.diff(snapshot);
    const orders = groups.find(({ name }) => name === 'orders');
    expect(orders).toMatchObject({ added: 0, removed: 1000, changed: 4000, isCut: true });
    expect(orders?.items).toHaveLength(40);
  });

  test('is compared by keys of any texts and of several columns, and by rows of any size', async () => {
    shop.sql(
      'CREATE TABLE words (word text, at timestamptz, body text, PRIMARY KEY (word, at))',
      String.raw`INSERT INTO words SELECT w || i, '2026-01-01'::timestamptz + i * interval '1 s', 'same'
        FROM unnest(ARRAY[E'tab\t', E'line\n', 'quote"''', '😀', U&'\FFFD', '']) w, generate_series(1, 300) i`,
      'CREATE TABLE pages (body text)',
      "INSERT INTO pages SELECT i || repeat('x', 1000000) FROM generate_series(1, 12) i",
    );
    const snapshot = await shop.stage.capture();
    shop.sql(
      String.raw`UPDATE words SET body = repeat('long', 1000000) WHERE word IN (E'tab\t7', '😀7')`,
      String.raw`DELETE FROM words WHERE word = E'line\n9'`,
      "INSERT INTO pages VALUES ('3' || repeat('x', 1000000)), ('new')",
      "DELETE FROM pages WHERE body LIKE '12x%'",
    );
    const { groups } = await shop.stage.diff(snapshot);
    expect(groups).toMatchObject([
      { name: 'pages', added: 2, removed: 1, changed: 0 },
      { name: 'words', added: 0, removed: 1, changed: 2 },
    ]);
    const [pages, words] = groups;
    expect(pages?.items.map(({ kind, what }) => [kind, what.slice(0, 5)])).toStrictEqual([
      ['removed', '(12xx'],
      ['added', '(3xxx'],
      ['added', '(new)'],
    ]);
    expect(words?.items.map(({ kind, what }) => [kind, what])).toStrictEqual([
      ['removed', String.raw`word="line\n9", at="2026-01-01 00:00:09+00"`],
      ['changed', String.raw`word="tab\t7", at="2026-01-01 00:00:07+00"`],
      ['changed', 'word="😀7", at="2026-01-01 00:00:07+00"'],
    ]);
    expect(words?.items.at(-1)?.detail).toMatch(/^body: "same" → "long.{0,70}…$/);
  });

  test('that a newer server wrote is not loaded, and without fitting programs nothing is touched', async () => {
    const secrets = createSecretResolver({});
    const found = programsFor(990_000, secrets, new AbortController().signal);
    await expect(found).rejects.toThrow(/^the server is PostgreSQL 99, .*postgresql-client-99/);
    await expect(programsFor(150_000, secrets, new AbortController().signal, ['/nowhere'])).rejects.toMatchObject({
      code: 'tool',
    });
  });

  test('has its connection string neither on a command line nor in what is said', async () => {
    const type = shop.stage.target.type;
    if (type.kind !== 'postgres' || !('file' in type.database.dsn)) throw new Error('it has a file');
    const { file } = type.database.dsn;
    writeFileSync(file, readFileSync(file, 'utf8').replace('tester@', 'nobody:s3cret-word@'));
    const outcome = await shop.stage.points.capture(shop.stage.target, shop.stage.captureContext());
    expect(outcome).toMatchObject({ outcome: 'failed' });
    expect(JSON.stringify(outcome)).toContain('nobody');
    expect(JSON.stringify(outcome)).not.toContain('s3cret-word');
  });

  test('is swapped after its server was restarted meanwhile', async () => {
    const snapshot = await shop.stage.capture();
    const before = shop.sql(ORDERS);
    shop.sql(...WRONG);
    const quiesced = { ...shop.stage.target, quiesce: [{ kind: 'run' }] } as never;
    const order = { target: quiesced, to: 'point', paths: [], snapshot };
    const perform = async () => {
      await server.restart('SIGQUIT');
      return { outcome: 'done', detail: '' } as const;
    };
    expect(await shop.stage.driver.restore(order, shop.stage.restoreContext({ perform }))).toMatchObject({
      outcome: 'done',
    });
    expect(shop.sql(ORDERS)).toBe(before);
  });

  test('whose server is gone in the middle of a restore is as it was, and is restored afterwards', async () => {
    const snapshot = await shop.stage.capture();
    const before = shop.sql(ORDERS);
    shop.sql(...WRONG);
    const restarting = Promise.withResolvers<void>();
    const progress = () => restarting.resolve(server.restart('SIGQUIT'));
    const outcome = await shop.stage.restore(snapshot, [], { progress });
    await restarting.promise;
    expect(outcome.outcome).toBe('failed');
    expect(outcome.detail).toMatch(/connection|server/);
    expect(await shop.stage.observe(snapshot)).toBe('notDone');
    expect(await shop.stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
    expect(shop.sql(ORDERS)).toBe(before);
  });

  test('whose restore is ended while its services stop is as it was', async () => {
    const snapshot = await shop.stage.capture();
    shop.sql(...WRONG);
    const wrong = shop.sql(ORDERS);
    const control = new AbortController();
    const perform = async () => {
      control.abort();
      return await Promise.resolve({ outcome: 'done', detail: '' } as const);
    };
    const target = { ...shop.stage.target, quiesce: [{ kind: 'run' }] } as never;
    const order = { target, to: 'point', paths: [], snapshot };
    const context = shop.stage.restoreContext({ perform, signal: control.signal });
    expect(await shop.stage.driver.restore(order, context)).toMatchObject({ outcome: 'failed' });
    expect(shop.sql(ORDERS)).toBe(wrong);
  });
});

describe('a role that owns the database and may create databases', () => {
  test('is enough for a whole restore, and without that right nothing is touched', async () => {
    shop = await PostgresStage.open(server);
    psql(server.dsn(), 'DROP ROLE IF EXISTS owner', 'CREATE ROLE owner LOGIN CREATEDB');
    psql(server.dsn(), 'DROP DATABASE app', 'CREATE DATABASE app OWNER owner');
    const dsn = server.dsn('app').replace('tester@', 'owner@');
    psql(dsn, 'CREATE TABLE kept (id integer PRIMARY KEY)', 'INSERT INTO kept VALUES (1), (2)');
    const { type } = shop.stage.target;
    if (type.kind !== 'postgres' || !('file' in type.database.dsn)) throw new Error('it has a file');
    writeFileSync(type.database.dsn.file, dsn);
    const snapshot = await shop.stage.capture();
    psql(dsn, 'DELETE FROM kept');
    expect(await shop.stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
    expect(psql(dsn, 'SELECT count(*) FROM kept')).toBe('2');
    expect(psql(server.dsn(), "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'app'")).toBe('owner');
    psql(server.dsn(), 'ALTER ROLE owner NOCREATEDB');
    psql(dsn, 'DELETE FROM kept');
    const refused = await shop.stage.restore(snapshot);
    expect(refused).toMatchObject({ outcome: 'failed' });
    expect(refused.detail).toContain('permission denied to create database');
    expect(psql(dsn, 'SELECT count(*) FROM kept')).toBe('0');
    psql(server.dsn(), 'DROP DATABASE app', 'DROP ROLE owner');
  });
});

describe('a rehearsal', () => {
  test('asks the checks of the target in the scratch database, which goes afterwards', async () => {
    shop = await PostgresStage.open(server);
    const { type } = shop.stage.target;
    if (type.kind !== 'postgres') throw new Error('it is another target');
    const check = {
      kind: 'sql',
      database: type.database,
      query: ORDERS,
      expect: { kind: 'rows', bounds: {} },
    } as never;
    const snapshot = await shop.stage.capture();
    const before = shop.sql(ORDERS);
    shop.sql(...WRONG);
    const asked: string[] = [];
    const context = {
      ...shop.stage.restoreContext(),
      folder: `${shop.stage.folder}/rehearsal`,
      ask: async ({ database }: { readonly database?: { readonly scratch?: string } }) => {
        asked.push(psql(server.dsn(database?.scratch), ORDERS));
        return await Promise.resolve({ outcome: 'true', detail: 'there' } as const);
      },
    };
    const order = { target: { ...shop.stage.target, checks: [check] }, to: 'point', paths: [], snapshot };
    const found = await shop.stage.driver.rehearse?.(order, context as never);
    expect(found).toMatchObject({ outcome: 'ready' });
    expect(asked).toStrictEqual([before]);
  });
});

describe('a part of a database', () => {
  beforeEach(async () => {
    shop = await PostgresStage.open(server);
  });

  test('is one row, another table left as it is', async () => {
    const snapshot = await shop.stage.capture();
    shop.sql('UPDATE orders SET cents = 99999 WHERE id IN (3, 4)');
    const changes = shop.sql('SELECT count(*) FROM changes');
    const rows = { tables: ['orders'], keys: ['3'] };
    const { groups } = await shop.stage.diff(snapshot, 'live', { rows });
    expect(groups).toMatchObject([{ name: 'orders', changed: 1, items: [{ what: 'id=3' }] }]);
    expect(await shop.stage.observeRows(snapshot, ['orders'], ['3'])).toBe('notDone');
    expect(await shop.stage.restoreRows(snapshot, ['orders'], ['3'])).toStrictEqual({
      outcome: 'done',
      detail: '1 rows of orders put in place',
    });
    expect(shop.sql('SELECT cents FROM orders WHERE id IN (3, 4) ORDER BY id')).toBe('3\n99999');
    expect(await shop.stage.observeRows(snapshot, ['orders'], ['3'])).toBe('done');
    expect(shop.sql('SELECT count(*) FROM changes')).toBe(changes);
  });

  test('is tables whose rows refer to each other, with all their constraints and triggers afterwards', async () => {
    const constraints =
      "SELECT conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint WHERE contype = 'f'";
    const before = [shop.sql(ORDERS), shop.sql(CUSTOMERS), shop.sql(constraints)];
    const snapshot = await shop.stage.capture();
    shop.sql(...WRONG);
    expect(await shop.stage.restoreRows(snapshot, ['orders', 'customers'])).toMatchObject({ outcome: 'done' });
    expect([shop.sql(ORDERS), shop.sql(CUSTOMERS), shop.sql(constraints)]).toStrictEqual(before);
    shop.sql('UPDATE orders SET cents = 1 WHERE id = 1', 'INSERT INTO orders (customer, cents) VALUES (1, 1)');
    expect(shop.sql("SELECT count(*) FROM changes WHERE what = 'INSERT'")).toBe('1');
  });

  test('that would leave rows without what they refer to is refused whole', async () => {
    const snapshot = await shop.stage.capture();
    shop.sql("INSERT INTO customers VALUES (500, 'new')", 'INSERT INTO orders (customer, cents) VALUES (500, 5)');
    const wrong = shop.sql(CUSTOMERS);
    const outcome = await shop.stage.restoreRows(snapshot, ['customers']);
    expect(outcome.outcome).toBe('failed');
    expect(outcome.detail).toContain('the rows of customers were not put back, and are as they were');
    expect(outcome.detail).toContain('violates foreign key constraint');
    expect(shop.sql(CUSTOMERS)).toBe(wrong);
  });

  test.each([
    ['ALTER TABLE orders ADD note text', 'it now has note text. Its rows are not put back'],
    ['ALTER TABLE orders DROP euros', 'it then had euros numeric. Its rows are not put back'],
    ['DROP TABLE orders', 'orders is not there any more'],
  ])('whose definition has changed since is refused: %s', async (statement, words) => {
    const snapshot = await shop.stage.capture();
    shop.sql(statement);
    const outcome = await shop.stage.restoreRows(snapshot, ['orders']);
    expect(outcome.outcome).toBe('failed');
    expect(outcome.detail).toContain(words);
  });

  test('that the point does not have, or whose key makes no sense, is refused', async () => {
    shop.sql(
      'CREATE TABLE pairs (a integer, b text, PRIMARY KEY (a, b))',
      "INSERT INTO pairs VALUES (1, 'x'), (1, 'y')",
    );
    const snapshot = await shop.stage.capture();
    expect((await shop.stage.restoreRows(snapshot, ['order'])).detail).toBe(
      'the point has no table "order"; it has changes, customers, orders, pairs',
    );
    expect((await shop.stage.restoreRows(snapshot, ['changes'], ['1'])).detail).toContain('has no primary key');
    expect((await shop.stage.restoreRows(snapshot, ['pairs'], ['1'])).detail).toBe(
      '"1" is no key of pairs; expected a=VALUE,b=VALUE',
    );
    shop.sql('DELETE FROM pairs');
    expect(await shop.stage.restoreRows(snapshot, ['pairs'], ['b=y,a=1'])).toMatchObject({ outcome: 'done' });
    expect(shop.sql('TABLE pairs')).toBe('1|y');
  });
});

describe('a target of some tables', () => {
  test('holds their rows alone, and puts back theirs alone', async () => {
    shop = await PostgresStage.open(server, { tables: ['orders'] });
    const [orders, customers] = [shop.sql(ORDERS), shop.sql(CUSTOMERS)];
    const snapshot = await shop.stage.capture();
    expect(snapshot.detail).toBe('5000 rows of 1 table');
    shop.sql("UPDATE customers SET name = 'other' WHERE id = 1", 'DELETE FROM orders WHERE id > 100');
    expect(totals(await shop.stage.diff(snapshot))).toStrictEqual({ added: 0, removed: 4900, changed: 0 });
    expect(await shop.stage.observe(snapshot)).toBe('notDone');
    expect(await shop.stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
    expect(shop.sql(ORDERS)).toBe(orders);
    expect(shop.sql(CUSTOMERS)).not.toBe(customers);
    expect(await shop.stage.observe(snapshot)).toBe('done');
    expect((await shop.stage.capture({ previous: snapshot })).detail).toContain('unchanged');
  });

  test('of a schema, which must be there', async () => {
    shop = await PostgresStage.open(server, { schemas: ['billing'] });
    const missing = await shop.stage.points.capture(shop.stage.target, shop.stage.captureContext());
    expect(missing).toStrictEqual({
      outcome: 'failed',
      detail: 'the schema "billing" does not exist in the database, or has no tables',
    });
    shop.sql(
      'CREATE SCHEMA billing',
      'CREATE TABLE billing."odd ""name" (i integer)',
      'INSERT INTO billing."odd ""name" VALUES (1)',
    );
    const snapshot = await shop.stage.capture();
    shop.sql('UPDATE billing."odd ""name" SET i = 2');
    expect(await shop.stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
    expect(shop.sql('TABLE billing."odd ""name"')).toBe('1');
  });
});
