/** What SQLite said instead of an answer, as it goes from one process to another. */
export type SqliteFailure = { readonly kind: 'failed'; readonly message: string; readonly errcode: number };

/** `errcode` is 0 where the error is none of SQLite's own. */
export function sqliteFailure(error: unknown): SqliteFailure {
  const message = error instanceof Error ? error.message : String(error);
  const errcode = error instanceof Error && 'errcode' in error ? Number(error.errcode) : 0;
  return { kind: 'failed', message, errcode };
}

export type SqliteFault = 'locked' | 'readOnly' | 'io' | 'corrupt' | 'full' | 'cantOpen' | 'constraint';

/** Primary result codes that are told apart: sqlite.org/rescode.html. */
const FAULTS = new Map<number, SqliteFault>([
  [5, 'locked'],
  [6, 'locked'],
  [8, 'readOnly'],
  [10, 'io'],
  [11, 'corrupt'],
  [13, 'full'],
  [14, 'cantOpen'],
  [15, 'io'],
  [19, 'constraint'],
  [26, 'corrupt'],
]);

/** Undefined for all others: mostly what is wrong with the statement itself. */
export function sqliteFaultOf({ errcode }: SqliteFailure): SqliteFault | undefined {
  // The low byte of an extended code is the primary one.
  return FAULTS.get(errcode & 0xff);
}
