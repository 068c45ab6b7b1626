import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import type { SqlStatement } from '../../../core/model/sql-step.ts';
import { type AllowRules, createAllowList } from '../../allow-list.ts';
import { createSecretResolver } from '../../secrets.ts';
import type { Fingerprint, StepContext, StepOf } from '../step-driver.ts';
import { sqlStep } from './index.ts';

const never = new AbortController().signal;
const secrets = createSecretResolver({});
let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'revertd-sqlite-'));
  path = join(folder, 'app.db');
  using database = new DatabaseSync(path);
  database.exec(
    'PRAGMA journal_mode = WAL; CREATE TABLE a (id INTEGER PRIMARY KEY, x); CREATE TABLE b (a REFERENCES a)',
  );
  database.exec("INSERT INTO a VALUES (1, 'one'), (2, 'two'), (3, 'three'); INSERT INTO b VALUES (1)");
  return () => rmSync(folder, { recursive: true });
});

const driver = (rules: AllowRules = {}) =>
  sqlStep({
    allow: createAllowList(rules),
    secrets,
    ask: ({ key }) => Promise.resolve({ outcome: key === 'true' ? 'true' : 'false', detail: key }),
  });

const step = (statements: readonly (string | SqlStatement)[], rest: Partial<StepOf<'sql'>> = {}): StepOf<'sql'> => ({
  origin: { file: 'test.yaml', line: 1, column: 1 },
  timeoutMs: 20_000,
  kind: 'sql',
  database: { kind: 'sqlite', path },
  script: {
    kind: 'statements',
    statements: statements.map((statement) => (typeof statement === 'string' ? { text: statement } : statement)),
  },
  params: {},
  transaction: true,
  require: [],
  lockTimeoutMs: 100,
  repeatable: false,
  unless: [],
  ...rest,
});

const perform = (task: StepOf<'sql'>, context: Partial<StepContext> = {}, rules: AllowRules = {}) =>
  driver(rules).perform(task, {
    signal: never,
    operation: 'op-1',
    once: 'op-1',
    secrets,
    log: () => undefined,
    remember: () => undefined,
    ...context,
  });

function ids(): readonly unknown[] {
  using database = new DatabaseSync(path);
  return database
    .prepare('SELECT id FROM a ORDER BY id')
    .all()
    .map((row) => row['id']);
}

function open(): DatabaseSync {
  const database = new DatabaseSync(path);
  onTestFinished(() => database.close());
  return database;
}

it('[A3] drops tables if what is to stay is still there', async () => {
  const task = step(
    ['DROP TABLE IF EXISTS b', { text: 'DELETE FROM a WHERE x = :x', rows: { atLeast: 1, atMost: 1 } }],
    {
      params: { x: 'two' },
      require: [
        {
          query: "SELECT count(*) FROM sqlite_master WHERE name IN ('a', 'b')",
          expect: { kind: 'value', is: { kind: 'equals', value: 1 } },
        },
        { query: 'SELECT 1 FROM pragma_foreign_key_check', expect: { kind: 'rows', bounds: { atMost: 0 } } },
      ],
    },
  );
  expect(await perform(task)).toMatchObject({ outcome: 'done', detail: expect.stringContaining('1 row') });
  expect(ids()).toStrictEqual([1, 3]);
});

it.each<[string, readonly (string | SqlStatement)[], string, string]>([
  [
    'a guard that is not met',
    [{ text: 'DELETE FROM a WHERE id > 1', rows: { atMost: 1 } }],
    'rows',
    '2 rows, expected at most 1',
  ],
  ['a fault', ['DELETE FROM a WHERE id = 2', 'DELETE FROM nowhere'], 'statement', 'no such table'],
  ['a foreign key', ['DELETE FROM a WHERE id = 2', 'DELETE FROM a WHERE id = 1'], 'statement', 'FOREIGN KEY'],
  [
    'the count of a statement before',
    ['DELETE FROM b', { text: 'DROP TABLE b', rows: { atMost: 1 } }],
    'rows',
    'no count',
  ],
])('undoes everything after %s', async (_, statements, code, detail) => {
  expect(await perform(step(statements))).toMatchObject({ code, detail: expect.stringContaining(detail) });
  expect(ids()).toStrictEqual([1, 2, 3]);
});

it('waits for a lock no longer than it may, and says so', async () => {
  const other = open();
  other.exec('BEGIN IMMEDIATE');
  expect(await perform(step(['DELETE FROM b']))).toMatchObject({
    code: 'locked',
    detail: expect.stringContaining('locked'),
  });
  other.exec('COMMIT');
  expect(await perform(step(['DELETE FROM b']))).toMatchObject({ outcome: 'done' });
});

it('[A7] writes the log back and compacts the file, but only takes it for done if it was', async () => {
  const checkpoint = step(['PRAGMA wal_checkpoint(TRUNCATE)'], { transaction: false });
  const reader = open();
  open().exec("INSERT INTO a VALUES (4, 'four')");
  reader.exec('BEGIN');
  reader.prepare('SELECT count(*) FROM a').get();
  open().exec("INSERT INTO a VALUES (5, 'five')");
  expect(await perform(checkpoint)).toMatchObject({
    code: 'locked',
    detail: expect.stringContaining('was not completed'),
  });
  reader.exec('COMMIT');
  expect(await perform(checkpoint)).toMatchObject({ outcome: 'done' });
  expect(await perform(step(['VACUUM'], { transaction: false }))).toMatchObject({ outcome: 'done' });
});

it('[P8] runs a script with a trigger in it', async () => {
  const file = join(folder, 'down.sql');
  writeFileSync(
    file,
    'CREATE TRIGGER t AFTER DELETE ON a BEGIN DELETE FROM b WHERE a = old.id; END;\nDELETE FROM a WHERE id = 3;',
  );
  expect(await perform(step([], { script: { kind: 'file', path: file } }))).toMatchObject({ outcome: 'done' });
  expect(ids()).toStrictEqual([1, 2]);
});

it('makes no database, and takes no other file for one', async () => {
  const absent = join(folder, 'absent.db');
  const text = join(folder, 'text');
  writeFileSync(text, 'a text that is long enough to be no database at all'.repeat(20));
  const on = (at: string) => perform(step(['DELETE FROM a'], { database: { kind: 'sqlite', path: at } }));
  expect(await on(absent)).toMatchObject({ code: 'unreachable', detail: expect.stringContaining('does not exist') });
  expect(existsSync(absent)).toBe(false);
  expect(await on(text)).toMatchObject({ code: 'badFile' });
  expect(await on(folder)).toMatchObject({ outcome: 'failed' });
});

it('goes by where a link leads', async () => {
  const link = join(folder, 'link.db');
  symlinkSync(path, link);
  const task = step(['DELETE FROM b'], { database: { kind: 'sqlite', path: link } });
  expect(await perform(task, {}, { paths: [link] })).toMatchObject({ code: 'notAllowed' });
  expect(await perform(task, {}, { paths: [link, path] })).toMatchObject({ outcome: 'done' });
});

it('opens a file with a strange name', async () => {
  const strange = join(folder, 'a b?c#d%20.db');
  new DatabaseSync(strange).close();
  expect(await perform(step(['CREATE TABLE t (x)'], { database: { kind: 'sqlite', path: strange } }))).toMatchObject({
    outcome: 'done',
  });
  using database = new DatabaseSync(strange);
  expect(database.prepare('SELECT count(*) AS n FROM sqlite_master').get()).toMatchObject({ n: 1 });
});

it('is not known to be done if its process ends in the moment of the commit', async () => {
  const stop = new AbortController();
  const outcome = await perform(step(['DELETE FROM b']), { signal: stop.signal, remember: () => stop.abort() });
  expect(outcome.outcome).toBe('unknown');
});

it('tells after a crash what it can, and leaves the rest to checks', async () => {
  const committing: Fingerprint = { phase: 'committing', identity: null };
  const check = (key: string) =>
    ({ key, origin: step([]).origin, kind: 'query', expr: 'up', threshold: { kind: 'above', value: 0 } }) as const;
  const observe = (rest: Partial<StepOf<'sql'>>, fingerprint: Fingerprint) =>
    driver().observe(step(['DELETE FROM b'], rest), fingerprint, never);
  expect(await observe({}, { phase: 'prepared' })).toBe('notDone');
  expect(await observe({}, {})).toBe('notDone');
  expect(await observe({}, committing)).toBe('unknown');
  expect(await observe({ repeatable: true }, committing)).toBe('notDone');
  expect(await observe({ unless: [check('true')] }, committing)).toBe('done');
  expect(await observe({ unless: [check('false')] }, committing)).toBe('notDone');
});
