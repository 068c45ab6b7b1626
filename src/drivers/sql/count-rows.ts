import { type SqlDatabase } from '../../core/model/sql-step.ts';
import { bindParams } from '../../core/sql/bind-params.ts';
import { formatDuration, formatInstant, type Millis } from '../../core/units.ts';
import { startDeadline } from '../deadline.ts';
import { openSession } from './open-session.ts';
import { SqlError, type SqlHost, type SqlResult } from './session.ts';

export type Count = {
  readonly database: SqlDatabase;
  readonly query: string;
  /** What `:point` stands for, as an instant in UTC (ISO 8601). */
  readonly pointAt: Millis | null;
  readonly timeoutMs: Millis;
};

/** `value` is null where it could not be counted; `detail` says why. */
export type Counted = { readonly value: number | null; readonly detail: string };

/** Asks a database for one number, over a connection that may only read. Never rejects. */
export async function countRows(count: Count, host: SqlHost, outer: AbortSignal): Promise<Counted> {
  const { database, query, pointAt, timeoutMs } = count;
  const { text, names } = bindParams(query, ['point'], database.kind);
  if (names.length > 0 && pointAt === null) {
    return { value: null, detail: 'nothing was captured yet whose end `:point` could stand for' };
  }
  const params = names.map((name) => ({ name, value: formatInstant(pointAt ?? 0) }));
  const deadline = startDeadline(outer, timeoutMs);
  const options = { access: 'read', statementMs: timeoutMs, lockMs: timeoutMs } as const;
  try {
    const session = await openSession(database, host, options, deadline.signal);
    try {
      await session.begin();
      return judge(await session.run(text, params));
    } finally {
      await session.close();
    }
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    const late = `had not answered after ${formatDuration(timeoutMs)}`;
    return { value: null, detail: host.secrets.redact(deadline.cause() === 'timedOut' ? late : error.message) };
  }
}

/** PostgreSQL gives large and exact numbers as text. */
function judge({ rows, columns, first }: SqlResult): Counted {
  const cell = first?.[0];
  const value = typeof cell === 'string' && cell.trim() !== '' ? Number(cell) : cell;
  if (rows === 1 && columns.length === 1 && typeof value === 'number' && Number.isFinite(value)) {
    return { value, detail: 'counted' };
  }
  return { value: null, detail: `gave ${rows ?? 0} rows of ${columns.length} columns, expected one number` };
}
