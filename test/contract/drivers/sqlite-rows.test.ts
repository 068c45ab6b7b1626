import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CapturedStage } from '../../support/points/captured-stage.ts';

let stage: CapturedStage;
let service: DatabaseSync;
beforeEach(async () => {
  stage = await CapturedStage.open((live) => ({ kind: 'sqlite', path: join(live, 'app.db') }));
  service = new DatabaseSync(join(stage.live, 'app.db'));
  service.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE topics (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE notes (id INTEGER PRIMARY KEY, topic INTEGER REFERENCES topics ON DELETE CASCADE, text TEXT,
      length INTEGER GENERATED ALWAYS AS (length(text)));
    CREATE TABLE pairs (a INTEGER, b TEXT, v TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
    CREATE TABLE log (what TEXT);
    CREATE TRIGGER noted AFTER UPDATE ON notes BEGIN INSERT INTO log VALUES ('changed'); END;
    CREATE TRIGGER removed AFTER DELETE ON notes BEGIN INSERT INTO log VALUES ('removed'); END;
    INSERT INTO topics VALUES (1, 'one'), (2, 'two');
    INSERT INTO notes (id, topic, text) VALUES (1, 1, 'first'), (2, 1, 'second'), (3, 2, 'third');
    INSERT INTO pairs VALUES (1, 'x', 'old'), (1, 'y', 'old');
    INSERT INTO log VALUES ('begun');
  `);
});
afterEach(() => {
  service.close();
  stage.close();
});

function all(query: string): readonly unknown[] {
  return service
    .prepare(query)
    .all()
    .map((row) => Object.values(row).join('|'));
}

describe('rows of a SQLite database', () => {
  test('are put back by their keys while the service has it open, and triggers do not fire', async () => {
    const snapshot = await stage.capture();
    service.exec("UPDATE notes SET text = 'wrong' WHERE id <= 2; DELETE FROM notes WHERE id = 3");
    const log = all('SELECT * FROM log');
    const rows = { tables: ['notes'], keys: ['1', 'id=3'] };
    expect((await stage.diff(snapshot, 'live', { rows })).groups).toMatchObject([
      { name: 'notes', added: 0, removed: 1, changed: 1, items: [{ what: 'id=3' }, { what: 'id=1' }] },
    ]);
    expect(await stage.observeRows(snapshot, ['notes'], ['1', '3'])).toBe('notDone');
    expect(await stage.restoreRows(snapshot, ['notes'], ['1', 'id=3'])).toStrictEqual({
      outcome: 'done',
      detail: '2 rows of notes put in place',
    });
    expect(await stage.observeRows(snapshot, ['notes'], ['1', '3'])).toBe('done');
    expect(all('SELECT id, text, length FROM notes')).toStrictEqual(['1|first|5', '2|wrong|5', '3|third|5']);
    expect(all('SELECT * FROM log')).toStrictEqual(log);
    service.exec("UPDATE notes SET text = 'later' WHERE id = 1");
    expect(all('SELECT * FROM log')).toHaveLength(log.length + 1);
  });

  test('are those of whole tables, and what refers to them stays', async () => {
    const snapshot = await stage.capture();
    service.exec("UPDATE topics SET name = 'wrong'; INSERT INTO log VALUES ('more'), ('and more')");
    service.exec("UPDATE pairs SET v = 'new' WHERE b = 'x'");
    expect(await stage.restoreRows(snapshot, ['topics', 'log'])).toMatchObject({ outcome: 'done' });
    expect(all('SELECT * FROM topics')).toStrictEqual(['1|one', '2|two']);
    expect(all('SELECT rowid, what FROM log')).toStrictEqual(['1|begun']);
    expect(all('SELECT count(*) FROM notes')).toStrictEqual(['3']);
    expect(await stage.restoreRows(snapshot, ['pairs'], ['b=x,a=1'])).toMatchObject({ outcome: 'done' });
    expect(all('SELECT * FROM pairs')).toStrictEqual(['1|x|old', '1|y|old']);
  });

  test('that others would then refer to in vain are refused whole', async () => {
    const snapshot = await stage.capture();
    service.exec("INSERT INTO topics VALUES (3, 'three'); INSERT INTO notes (id, topic, text) VALUES (4, 3, 'fourth')");
    const outcome = await stage.restoreRows(snapshot, ['topics']);
    expect(outcome.outcome).toBe('failed');
    expect(outcome.detail).toContain('a row of notes would refer to a row of topics that is not there');
    expect(all('SELECT count(*) FROM topics')).toStrictEqual(['3']);
  });

  test.each([
    ['ALTER TABLE notes ADD colour TEXT', ['notes'], [], 'it now has colour TEXT. Its rows are not put back'],
    ['DROP TABLE log', ['log'], [], 'the table "log" is not there any more'],
    ['SELECT 1', ['nots'], [], 'the point has no table "nots"'],
    ['SELECT 1', ['log'], ['1'], 'log has no primary key'],
    ['SELECT 1', ['pairs'], ['1'], '"1" is no key of pairs; expected a=VALUE,b=VALUE'],
  ] as const)('are refused where they make no sense any more: %s, %s', async (statement, tables, keys, words) => {
    const snapshot = await stage.capture();
    service.exec(statement);
    const outcome = await stage.restoreRows(snapshot, tables, keys);
    expect(outcome.outcome).toBe('failed');
    expect(outcome.detail).toContain(words);
  });

  test('are not put back while somebody is writing, and nothing is left half', async () => {
    const snapshot = await stage.capture();
    service.exec("BEGIN IMMEDIATE; UPDATE topics SET name = 'wrong'");
    const outcome = await stage.restoreRows(snapshot, ['topics']);
    expect(outcome.outcome).toBe('failed');
    expect(outcome.detail).toContain('database is locked');
    service.exec('COMMIT');
    expect(all('SELECT name FROM topics')).toStrictEqual(['wrong', 'wrong']);
  });
});
