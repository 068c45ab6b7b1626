import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Client } from 'pg';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CapturedStage } from '../../support/points/captured-stage.ts';
import { psql, startPostgres } from '../../support/postgres.ts';

const server = await startPostgres();
afterAll(() => server[Symbol.asyncDispose]());

type Database = {
  readonly run: (...statements: readonly string[]) => void;
  /** The rows of a query, a text each: cells with `|` between, NULL as nothing. */
  readonly all: (query: string) => readonly string[];
};

const TABLES = ['people', 'teams', 'pairs', 'odd'];

/** Tables that refer to themselves and to each other, with a key of two columns, and one that notes what a trigger sees. */
const SCHEMA = {
  sqlite: [
    `CREATE TABLE teams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, lead INTEGER REFERENCES people ON DELETE SET NULL)`,
    `CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, boss INTEGER REFERENCES people,
       team INTEGER NOT NULL REFERENCES teams ON DELETE CASCADE, length INTEGER GENERATED ALWAYS AS (length(name)))`,
    'CREATE TABLE pairs (a INTEGER, b TEXT, v TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID',
    'CREATE TABLE odd (id TEXT PRIMARY KEY, v)',
    'CREATE TABLE badges (id INTEGER PRIMARY KEY, person INTEGER REFERENCES people ON DELETE CASCADE)',
    'CREATE TABLE seen (what TEXT)',
    "CREATE TRIGGER noted AFTER DELETE ON people BEGIN INSERT INTO seen VALUES ('deleted'); END",
    "CREATE TRIGGER added AFTER INSERT ON people BEGIN INSERT INTO seen VALUES ('inserted'); END",
  ],
  postgres: [
    'CREATE TABLE teams (id integer PRIMARY KEY, name text NOT NULL UNIQUE, lead integer)',
    `CREATE TABLE people (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name varchar(20), boss bigint REFERENCES people,
       team integer NOT NULL REFERENCES teams ON DELETE CASCADE, length integer GENERATED ALWAYS AS (length(name)) STORED)`,
    'ALTER TABLE teams ADD FOREIGN KEY (lead) REFERENCES people ON DELETE SET NULL',
    'CREATE TABLE pairs (a integer, b text, v text, PRIMARY KEY (a, b))',
    'CREATE TABLE odd (id text PRIMARY KEY, v text[], j jsonb, b bytea, n numeric(8, 3), c character(4))',
    'CREATE TABLE badges (id integer PRIMARY KEY, person bigint REFERENCES people ON DELETE CASCADE)',
    'CREATE TABLE seen (what text)',
    `CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
       $$BEGIN INSERT INTO public.seen VALUES (CASE TG_OP WHEN 'INSERT' THEN 'inserted' ELSE 'deleted' END); RETURN NULL; END$$`,
    'CREATE TRIGGER noted AFTER INSERT OR DELETE ON people FOR EACH ROW EXECUTE FUNCTION note()',
  ],
} as const;

const PEOPLE = [
  "INSERT INTO teams (id, name) VALUES (1, 'red'), (2, 'blue')",
  "INSERT INTO people (id, name, boss, team) OVERRIDING SYSTEM VALUE VALUES (1, 'Ada', NULL, 1), (2, 'Bo', 1, 1), (3, 'Cy', 2, 2)",
  'UPDATE teams SET lead = 1 WHERE id = 1',
  "INSERT INTO pairs VALUES (1, 'x', 'old'), (1, 'y', 'old'), (10, 'x', 'old'), (2, '𝄞', 'old'), (2, '｡', 'old')",
];

function sqliteIn(live: string): DatabaseSync {
  return new DatabaseSync(join(live, 'app.db'));
}

describe.each(['sqlite', 'postgres'] as const)('rows of %s', (kind) => {
  let stage: CapturedStage;
  let service: DatabaseSync | undefined;
  let database: Database;

  beforeEach(async () => {
    stage = await CapturedStage.open((live) => {
      writeFileSync(join(live, 'dsn'), server.dsn('app'));
      const where =
        kind === 'sqlite'
          ? ({ kind, path: join(live, 'app.db') } as const)
          : ({ kind, dsn: { file: join(live, 'dsn') } } as const);
      return { kind: 'rows', database: where, tables: TABLES };
    });
    database = kind === 'sqlite' ? openSqlite() : openPostgres();
    database.run(...SCHEMA[kind], ...PEOPLE);
    const odd = {
      sqlite: `INSERT INTO odd VALUES ('int', 1), ('big', 9223372036854775807), ('real', 1.5), ('text', '1'), ('null', NULL), ('blob', x'00ff'), ('infinite', 9e999)`,
      postgres: `INSERT INTO odd VALUES ('list', '{a,NULL,"b c"}', '{"z": 1.0, "a": [1]}', '\\x00ff', 12345.678, 'ab'), ('null', NULL, NULL, NULL, NULL, NULL), ('many', '{}', 'null', '', 0.1, '')`,
    };
    database.run(odd[kind], 'DELETE FROM seen');
  });
  afterEach(() => {
    service?.close();
    service = undefined;
    stage.close();
  });

  function openSqlite(): Database {
    const opened = sqliteIn(stage.live);
    service = opened;
    opened.exec('PRAGMA journal_mode = WAL; PRAGMA foreign_keys = OFF');
    return {
      run: (...statements) =>
        statements.forEach((statement) => opened.exec(statement.replace('OVERRIDING SYSTEM VALUE ', ''))),
      all: (query) => {
        const statement = opened.prepare(query);
        statement.setReadBigInts(true);
        return statement.all().map((row) => Object.values(row).map(shown).join('|'));
      },
    };
  }

  function openPostgres(): Database {
    psql(server.dsn(), 'DROP DATABASE IF EXISTS app WITH (FORCE)', 'CREATE DATABASE app');
    return {
      run: (...statements) => void psql(server.dsn('app'), ...statements),
      all: (query) =>
        psql(server.dsn('app'), query)
          .split('\n')
          .filter((line) => line !== ''),
    };
  }

  const everything = () => [
    ...database.all('SELECT * FROM teams ORDER BY id'),
    ...database.all('SELECT * FROM people ORDER BY id'),
    ...database.all('SELECT * FROM pairs ORDER BY a, b'),
    ...database.all('SELECT * FROM odd ORDER BY id'),
  ];

  test('come back whatever refers to what, and triggers do not fire', async () => {
    const before = everything();
    const snapshot = await stage.capture();
    expect(snapshot.detail).toMatch(/ rows of 4 tables$/);
    database.run(
      'UPDATE teams SET lead = NULL',
      'DELETE FROM people',
      'DELETE FROM teams',
      "INSERT INTO teams VALUES (7, 'red', NULL)",
      "UPDATE pairs SET v = 'new' WHERE b = 'x'",
      "DELETE FROM odd WHERE id <> 'null'",
      'DELETE FROM seen',
    );
    expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
    expect(everything()).toStrictEqual(before);
    expect(database.all('SELECT * FROM seen')).toStrictEqual([]);
    database.run("INSERT INTO people (id, name, team) OVERRIDING SYSTEM VALUE VALUES (9, 'Di', 1)");
    expect(database.all('SELECT * FROM seen')).toStrictEqual(['inserted']);
    expect((await stage.diff(snapshot)).groups).toMatchObject([
      { name: 'people', added: 1, items: [{ what: 'id=9' }] },
    ]);
  });

  test('swap unique values, and only what differs is written', async () => {
    const snapshot = await stage.capture();
    database.run(
      "UPDATE teams SET name = 'tmp' WHERE id = 1",
      "UPDATE teams SET name = 'red' WHERE id = 2",
      "UPDATE teams SET name = 'blue' WHERE id = 1",
    );
    expect(await stage.restore(snapshot)).toStrictEqual({
      outcome: 'done',
      detail: 'rows of people, teams, pairs, odd: 0 put back, 2 changed, 0 removed',
    });
    expect(database.all('SELECT id, name, lead FROM teams ORDER BY id')).toStrictEqual(['1|red|1', '2|blue|']);
    expect(await stage.restore(snapshot)).toMatchObject({
      detail: 'the rows of people, teams, pairs, odd are so already',
    });
  });

  test('are those with some keys alone', async () => {
    const snapshot = await stage.capture();
    database.run("UPDATE pairs SET v = 'new'", 'DELETE FROM pairs WHERE a = 10');
    expect(await stage.restoreRows(snapshot, ['pairs'], ['a=1,b=y', 'a=10,b=x'])).toMatchObject({ outcome: 'done' });
    expect(database.all("SELECT a, b FROM pairs WHERE v = 'old' ORDER BY a")).toStrictEqual(['1|y', '10|x']);
    const missing = await stage.restoreRows(snapshot, ['badges']);
    expect(missing).toMatchObject({
      outcome: 'failed',
      detail: 'the point has no table "badges"; it has people, teams, pairs, odd',
    });
  });

  test('that something else refers to by now are not taken away', async () => {
    const snapshot = await stage.capture();
    database.run(
      "INSERT INTO people (id, name, team) OVERRIDING SYSTEM VALUE VALUES (9, 'Di', 1)",
      'INSERT INTO badges VALUES (1, 9)',
    );
    const before = everything();
    const outcome = await stage.restore(snapshot);
    expect(outcome.outcome).toBe('failed');
    expect(outcome.detail).toContain(
      'a row of badges ["1"] would refer to a row of people that is not there; nothing was changed',
    );
    expect(everything()).toStrictEqual(before);
    expect(database.all('SELECT * FROM badges')).toStrictEqual(['1|9']);
  });

  test('are refused where the columns are other ones, and nothing is changed', async () => {
    const snapshot = await stage.capture();
    database.run('ALTER TABLE pairs ADD COLUMN w text', "UPDATE pairs SET v = 'new'");
    const outcome = await stage.restore(snapshot);
    expect(outcome).toMatchObject({ outcome: 'failed' });
    expect(outcome.detail).toMatch(/^the columns of pairs have changed since the point: it now has w text\. /i);
    expect((await stage.diff(snapshot)).groups).toMatchObject([
      { name: 'pairs', changed: 5, note: expect.stringMatching(/^new columns: w text$/i) },
    ]);
  });

  test('have a primary key, and no cell that does not fit into memory', async () => {
    database.run('CREATE TABLE bare (a integer)', 'CREATE TABLE long (id integer PRIMARY KEY, t text)');
    const long = { sqlite: 'hex(zeroblob(9000000))', postgres: "repeat('x', 18000000)" }[kind];
    database.run(`INSERT INTO long VALUES (1, ${long})`, 'CREATE VIEW seeing AS SELECT 1 AS id');
    const refusals = [
      ['bare', /bare has no primary key, so its rows cannot be told apart; use a target of type/],
      ['long', /long has a (?:row|cell) of more than 16 MiB; use a target of type/],
      ['none', /the table none does not exist in the database/],
      ['seeing', /seeing is (?:a view|no table); rows are of tables alone/],
    ] as const;
    for (const [table, text] of refusals) {
      const target = { ...stage.target, type: { ...stage.target.type, tables: [table] } };
      const context = stage.captureContext();
      const outcome = await stage.points.capture(target, context);
      expect(outcome).toMatchObject({ outcome: 'failed', detail: expect.stringMatching(text) });
    }
  });

  test('are put back while the application goes on writing', async () => {
    const snapshot = await stage.capture();
    database.run("UPDATE pairs SET v = 'wrong'");
    let writes = 0;
    const over = new AbortController();
    const write = kind === 'sqlite' ? sqliteWriter() : await postgresWriter();
    const writing = (async () => {
      while (!over.signal.aborted) {
        if (await write()) writes += 1;
      }
    })();
    for (let turn = 0; turn < 5; turn += 1) {
      expect(await stage.restoreRows(snapshot, ['pairs'])).toMatchObject({ outcome: 'done' });
    }
    over.abort();
    await writing;
    expect(writes).toBeGreaterThan(0);
    expect(database.all("SELECT count(*) FROM pairs WHERE v = 'old'")).toStrictEqual(['5']);
  });

  /** Whether it could; who holds the lock is answered by this same process. */
  function sqliteWriter(): () => Promise<boolean> {
    const other = sqliteIn(stage.live);
    return async () => {
      await new Promise((resolve) => setImmediate(resolve));
      try {
        other.exec("UPDATE odd SET v = coalesce(v, 0) + 1 WHERE id = 'int'");
        return true;
      } catch (error) {
        if (error instanceof Error && 'errcode' in error && error.errcode === 5) return false;
        throw error;
      }
    };
  }

  async function postgresWriter(): Promise<() => Promise<boolean>> {
    const client = new Client({ connectionString: server.dsn('app') });
    client.on('error', () => undefined);
    await client.connect();
    return async () => {
      await client.query('BEGIN');
      await client.query("UPDATE odd SET n = n + 0.001 WHERE id = 'list'");
      await client.query('SELECT count(*) FROM pairs');
      await client.query('COMMIT');
      return true;
    };
  }
});

test('rows of SQLite with text that is no UTF-8 are refused, and not given back as other text', async () => {
  const stage = await CapturedStage.open((live) => {
    return { kind: 'rows', database: { kind: 'sqlite', path: join(live, 'app.db') }, tables: ['odd'] };
  });
  try {
    using service = sqliteIn(stage.live);
    service.exec("CREATE TABLE odd (id TEXT PRIMARY KEY, v); INSERT INTO odd VALUES ('meant', 'a' || char(65533))");
    const snapshot = await stage.capture();
    service.exec("UPDATE odd SET v = 'wrong'");
    expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
    expect(service.prepare('SELECT hex(v) AS hex FROM odd').get()).toMatchObject({ hex: '61EFBFBD' });
    service.exec("INSERT INTO odd VALUES ('broken', CAST(x'61ff62' AS TEXT))");
    expect(await stage.points.capture(stage.target, stage.captureContext())).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('odd.v has text that is not UTF-8'),
    });
  } finally {
    stage.close();
  }
});

describe('rows of PostgreSQL that somebody else holds', () => {
  let stage: CapturedStage;
  let client: Client;
  const sql = (...statements: readonly string[]) => psql(server.dsn('app'), ...statements);

  beforeEach(async () => {
    psql(server.dsn(), 'DROP DATABASE IF EXISTS app WITH (FORCE)', 'CREATE DATABASE app');
    stage = await CapturedStage.open((live) => {
      writeFileSync(join(live, 'dsn'), server.dsn('app'));
      const database = { kind: 'postgres', dsn: { file: join(live, 'dsn') } } as const;
      return { kind: 'rows', database, tables: ['people', 'teams'] };
    });
    sql(...SCHEMA.postgres, ...PEOPLE);
    client = new Client({ connectionString: server.dsn('app') });
    client.on('error', () => undefined);
    await client.connect();
  });
  afterEach(async () => {
    await client.end().catch(() => undefined);
    stage.close();
  });

  /** Until somebody waits for such a lock. */
  async function waiting(mode: 'AccessExclusiveLock' | 'RowExclusiveLock' = 'AccessExclusiveLock'): Promise<void> {
    const query = 'SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted AND mode = $1';
    for (;;) {
      const { rows } = await client.query<{ n: number }>(query, [mode]);
      if (rows[0]?.n !== 0) return;
    }
  }

  test('in a circle: the transaction is tried again', async () => {
    const snapshot = await stage.capture();
    sql("UPDATE people SET name = 'wrong'");
    await client.query('BEGIN');
    await client.query('SELECT count(*) FROM badges');
    const restored = stage.restore(snapshot);
    await waiting();
    const other = new Client({ connectionString: server.dsn('app') });
    other.on('error', () => undefined);
    await other.connect();
    // It is the restore that sees the circle first.
    await other.query("SET deadlock_timeout = '1min'");
    await other.query('BEGIN');
    await other.query('SELECT count(*) FROM teams');
    const changed = other.query("UPDATE people SET name = 'between' WHERE id = 1");
    await waiting('RowExclusiveLock');
    // The restore comes to the tables that the other one reads, which waits for it.
    await client.query('COMMIT');
    await changed;
    await other.query('COMMIT');
    await other.end();
    expect(await restored).toMatchObject({ outcome: 'done' });
    expect(sql('SELECT name FROM people ORDER BY id')).toBe('Ada\nBo\nCy');
  });

  test('while the server crashes: nothing is changed, and once more it works', async () => {
    const snapshot = await stage.capture();
    sql("UPDATE people SET name = 'wrong'");
    await client.query('BEGIN');
    await client.query('SELECT count(*) FROM people');
    const restored = stage.restore(snapshot);
    await waiting();
    await server.restart('SIGQUIT');
    expect(await restored).toMatchObject({ outcome: 'failed' });
    expect(sql('SELECT DISTINCT name FROM people')).toBe('wrong');
    expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
    expect(sql('SELECT name FROM people ORDER BY id')).toBe('Ada\nBo\nCy');
  });
});

function shown(value: unknown): string {
  if (value === null) return '';
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return typeof value === 'number' ? `${value}.` : typeof value === 'string' ? value : JSON.stringify(value);
}
