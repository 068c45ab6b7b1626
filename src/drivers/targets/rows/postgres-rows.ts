import { setTimeout as delay } from 'node:timers/promises';
import type { Cell, Row } from '../../../core/merge/cell.ts';
import type { Batches } from '../../../core/merge/join-sorted.ts';
import type { PostgresDatabase } from '../../../core/model/metric-source.ts';
import type { Millis } from '../../../core/units.ts';
import { outcomeOf } from '../../sql/postgres.ts';
import { SqlError, type SqlHost } from '../../sql/session.ts';
import { type Connection, type Place, quoted, withConnection } from '../postgres/connection.ts';
import { columnsOf, keyOf, quotedTable, shownTable, tableNamed } from '../postgres/contents.ts';
import { TargetError } from '../target-driver.ts';
import { applyStaged, SAVED, stageRows, unstage } from './postgres-apply.ts';
import { BATCH_ROWS, LONGEST_CELL, type RowsAccess, type RowsState, type TableShape } from './rows-session.ts';

const CURSOR = 'revertd_rows';
/** What became of a commit whose answer was lost is asked again after so long each. */
const ASKED_AGAIN_MS: readonly Millis[] = [0, 1_000, 3_000, 10_000];

/** The rows of a PostgreSQL database. */
export function postgresRows(database: PostgresDatabase, place: Place, host: SqlHost): RowsAccess {
  return {
    shown: place.database,
    identity: `postgres ${place.database}`,
    withState: (signal, use) =>
      withConnection(place, place.database, signal, async (connection) => {
        await connection.rows('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
        return await use(stateOn(connection));
      }),
    withTransaction: (tables, signal, use) =>
      withConnection(place, place.database, signal, async (connection) => {
        await connection.rows('BEGIN');
        // Others may read on; who writes waits.
        const names = tables.map((table) => quotedTable(tableNamed(table))).join(', ');
        const state = stateOn(connection);
        await state.shapes(tables);
        await connection.rows(`LOCK TABLE ONLY ${names} IN SHARE ROW EXCLUSIVE MODE`);
        const staged = new Map<string, TableShape>();
        let isApplied = false;
        return await use({
          ...state,
          stage: async (table, changes) => {
            if (changes.length === 0) return;
            await stageRows(connection, table, changes, !staged.has(table.name));
            staged.set(table.name, table);
          },
          apply: async (without) => {
            await connection.rows(isApplied ? `ROLLBACK TO SAVEPOINT ${SAVED}` : `SAVEPOINT ${SAVED}`);
            isApplied = true;
            await unstage(connection, without);
            return await applyStaged(connection, [...staged.values()]);
          },
          commit: () => commit(connection, { database, host, signal }),
        });
      }),
  };
}

function stateOn(connection: Connection): RowsState {
  return {
    shapes: async (tables) => {
      const shapes: TableShape[] = [];
      for (const table of tables) shapes.push(await shapeOf(connection, table));
      return shapes;
    },
    read: (table) => readRows(connection, table),
  };
}

async function shapeOf(connection: Connection, text: string): Promise<TableShape> {
  const table = tableNamed(text);
  const [found] = await connection.rows('SELECT relkind FROM pg_class WHERE oid = to_regclass($1)', [
    quotedTable(table),
  ]);
  const name = shownTable(table);
  if (found === undefined) throw new TargetError('missing', `the table ${name} does not exist in the database`);
  if (found[0] === 'p') throw new TargetError('format', `${name} is partitioned; name its partitions instead`);
  if (found[0] !== 'r') throw new TargetError('format', `${name} is no table; rows are of tables alone`);
  const key = await keyOf(connection, table);
  if (key.length === 0) {
    const message = `${name} has no primary key, so its rows cannot be told apart; use a target of type postgres`;
    throw new TargetError('format', message);
  }
  // What is generated is computed again.
  const columns = (await columnsOf(connection, table)).filter(({ isGenerated }) => !isGenerated);
  return {
    name,
    columns: columns.map((column) => ({ name: column.name, type: column.type, isJson: /^jsonb?$/.test(column.type) })),
    key,
  };
}

/** By a cursor, so that no more than a batch is in memory. */
async function* readRows(connection: Connection, table: TableShape): Batches<Row> {
  const name = quotedTable(tableNamed(table.name));
  const long = `SELECT 1 FROM ONLY ${name} t WHERE octet_length(t::text) > ${LONGEST_CELL} LIMIT 1`;
  if ((await connection.rows(long)).length > 0) {
    const most = `${LONGEST_CELL / 1024 ** 2} MiB`;
    throw new TargetError('format', `${table.name} has a row of more than ${most}; use a target of type postgres`);
  }
  const columns = table.columns.map((column) => quoted(column.name)).join(', ');
  const order = table.key.map((column) => `${quoted(column)}::text COLLATE "C"`).join(', ');
  await connection.rows(`DECLARE ${CURSOR} NO SCROLL CURSOR FOR SELECT ${columns} FROM ONLY ${name} ORDER BY ${order}`);
  try {
    // Longest rows first of all show how many are taken at a time.
    for (let count = 1; ; ) {
      const rows: readonly (readonly Cell[])[] = await connection.rows(`FETCH FORWARD ${count} FROM ${CURSOR}`);
      if (rows.length === 0) return;
      yield rows;
      count = nextCount(rows);
    }
  } finally {
    await connection.rows(`CLOSE ${CURSOR}`).catch(passBroken);
  }
}

/** As many as fit into some MiB, going by those before. */
function nextCount(rows: readonly (readonly Cell[])[]): number {
  let bytes = 0;
  for (const row of rows) for (const cell of row) bytes += typeof cell === 'string' ? cell.length : 8;
  const fitting = Math.floor((2 * BATCH_ROWS * 4_096) / Math.max(1, bytes / rows.length));
  return Math.max(1, Math.min(BATCH_ROWS * 4, fitting, rows.length * 8));
}

/** In a transaction that has failed nothing can be closed any more, and nothing needs to be. */
function passBroken(error: unknown): readonly [] {
  if (error instanceof TargetError) return [];
  throw error;
}

type CommitMeans = {
  readonly database: PostgresDatabase;
  readonly host: SqlHost;
  readonly signal: AbortSignal;
};

/** If the connection breaks before the answer comes, the server is asked what became of it. */
async function commit(connection: Connection, means: CommitMeans): Promise<void> {
  const [[identity] = []] = await connection.rows('SELECT txid_current_if_assigned()');
  try {
    await connection.rows('COMMIT');
  } catch (error) {
    const isLost = error instanceof TargetError && (error.code === 'unreachable' || error.code === 'aborted');
    if (!isLost || identity === undefined || identity === null) throw error;
    if (await isCommitted(identity, means)) return;
    throw error;
  }
}

async function isCommitted(identity: string, { database, host }: CommitMeans): Promise<boolean> {
  for (const pauseMs of ASKED_AGAIN_MS) {
    await delay(pauseMs);
    try {
      const outcome = await outcomeOf(database, identity, host, AbortSignal.timeout(10_000));
      if (outcome === 'committed') return true;
      if (outcome === 'aborted') return false;
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
    }
  }
  const message = 'the connection broke while the rows were committed, and nobody can say whether they were';
  throw new TargetError('unreachable', message);
}
