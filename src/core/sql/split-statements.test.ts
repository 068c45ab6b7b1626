import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bindParams } from './bind-params.ts';
import { type SqlDialect, scanSql } from './scan-sql.ts';
import { controlsTransaction, refusesTransaction, splitStatements } from './split-statements.ts';

const texts = (script: string, dialect: SqlDialect) => splitStatements(script, dialect).map(({ text }) => text);

describe('splitting', () => {
  it.each<[string, SqlDialect, string, readonly string[]]>([
    ['nothing', 'postgres', ' ;; -- no\n /* none */ ', []],
    ['two', 'postgres', 'SELECT 1; SELECT 2', ['SELECT 1', 'SELECT 2']],
    ['comments before and behind', 'postgres', '-- a;\nSELECT 1 -- b;\n; /* ; */', ['SELECT 1']],
    ['quotes', 'postgres', `SELECT ';', "a;b", 'it''s;'; SELECT 2`, [`SELECT ';', "a;b", 'it''s;'`, 'SELECT 2']],
    ['escapes', 'postgres', `SELECT E'\\';', 1; SELECT 2`, [`SELECT E'\\';', 1`, 'SELECT 2']],
    ['a backslash is a sign in plain quotes', 'postgres', `SELECT '\\'; SELECT 2`, [`SELECT '\\'`, 'SELECT 2']],
    ['dollar quotes', 'postgres', 'DO $x$ BEGIN; $$ $x$; SELECT 2', ['DO $x$ BEGIN; $$ $x$', 'SELECT 2']],
    ['nested comments', 'postgres', 'SELECT /* /* ; */ ; */ 1; SELECT 2', ['SELECT /* /* ; */ ; */ 1', 'SELECT 2']],
    ['comments do not nest in SQLite', 'sqlite', 'SELECT /* /* */ 1; SELECT 2', ['SELECT /* /* */ 1', 'SELECT 2']],
    ['SQLite names', 'sqlite', 'SELECT [a;b], `c;d`; SELECT 2', ['SELECT [a;b], `c;d`', 'SELECT 2']],
    [
      'a trigger',
      'sqlite',
      'CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET x = CASE WHEN 1 THEN 2 END; DELETE FROM c; END; SELECT 2',
      [
        'CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET x = CASE WHEN 1 THEN 2 END; DELETE FROM c; END',
        'SELECT 2',
      ],
    ],
    [
      'a function of the standard',
      'postgres',
      'CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END; SELECT 2',
      ['CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END', 'SELECT 2'],
    ],
    ['what is never closed', 'postgres', `SELECT 1; SELECT 'a; b`, ['SELECT 1', `SELECT 'a; b`]],
  ])('%s', (_, dialect, script, expected) => {
    expect(texts(script, dialect)).toStrictEqual(expected);
  });

  it('tells where a statement begins', () => {
    const script = '-- first\n SELECT 1;\n  DELETE FROM a';
    expect(splitStatements(script, 'sqlite').map(({ offset }) => script.slice(offset, offset + 6))).toStrictEqual([
      'SELECT',
      'DELETE',
    ]);
  });

  it('loses nothing of any text', () => {
    const piece = fc.constantFrom(
      "'",
      '"',
      ';',
      '--',
      '\n',
      '/*',
      '*/',
      '$$',
      '$a$',
      ':a',
      '::',
      'E',
      'BEGIN ',
      'END ',
      '[',
      '`',
      ' ',
      'é',
    );
    fc.assert(
      fc.property(fc.array(piece), fc.constantFrom<SqlDialect>('postgres', 'sqlite'), (pieces, dialect) => {
        const script = pieces.join('');
        expect(
          scanSql(script, dialect)
            .map(({ text }) => text)
            .join(''),
        ).toBe(script);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('kinds of statements', () => {
  const first = (text: string, dialect: SqlDialect = 'postgres') => {
    const [statement] = splitStatements(text, dialect);
    if (statement === undefined) throw new Error('no statement');
    return statement;
  };

  it.each(['BEGIN', 'commit work', '/* x */ END', 'ROLLBACK TO a', 'START TRANSACTION', "PREPARE TRANSACTION 'a'"])(
    '%s controls the transaction',
    (text) => expect(controlsTransaction(first(text))).toBe(true),
  );

  it.each(['PREPARE p AS SELECT 1', 'SELECT 1', 'UPDATE commit SET a = 1'])('%s does not', (text) =>
    expect(controlsTransaction(first(text))).toBe(false),
  );

  it.each<[string, SqlDialect, boolean]>([
    ['CREATE INDEX CONCURRENTLY i ON a (b)', 'postgres', true],
    ['create unique index concurrently i on a (b)', 'postgres', true],
    ['DROP INDEX CONCURRENTLY IF EXISTS i', 'postgres', true],
    ['REINDEX TABLE CONCURRENTLY a', 'postgres', true],
    ['VACUUM (ANALYZE) a', 'postgres', true],
    ['ALTER SYSTEM SET x = 1', 'postgres', true],
    ['DROP INDEX concurrently_named', 'postgres', false],
    ['ALTER TABLE a ADD b int', 'postgres', false],
    ['VACUUM', 'sqlite', true],
    ['PRAGMA wal_checkpoint(TRUNCATE)', 'sqlite', true],
    ['PRAGMA main.wal_checkpoint', 'sqlite', true],
    ['PRAGMA foreign_keys', 'sqlite', false],
  ])('%s (%s) refuses a transaction: %s', (text, dialect, expected) => {
    expect(refusesTransaction(first(text, dialect), dialect)).toBe(expected);
  });
});

describe('parameters', () => {
  it.each<[string, SqlDialect, string, readonly string[]]>([
    ['SELECT :a, :b, :a', 'postgres', 'SELECT $1, $2, $1', ['a', 'b']],
    ["SELECT ':a', x::text, y[1:c], :a::int -- :b", 'postgres', "SELECT ':a', x::text, y[1:c], $1::int -- :b", ['a']],
    ['SELECT :a', 'sqlite', 'SELECT :a', ['a']],
    ['SELECT ":b"', 'sqlite', 'SELECT ":b"', []],
  ])('%s (%s)', (text, dialect, expected, names) => {
    expect(bindParams(text, ['a', 'b'], dialect)).toStrictEqual({ text: expected, names });
  });
});
