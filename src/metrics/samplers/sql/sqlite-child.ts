import { DatabaseSync } from 'node:sqlite';
import { giveWay } from '../../../drivers/sql/give-way.ts';
import { type SqliteFailure, sqliteFailure } from '../../../drivers/sql/sqlite-failure.ts';

/** `limitMs`: how long a lock of somebody else's is waited for. */
export type SqliteRequest = { readonly path: string; readonly text: string; readonly limitMs: number };

export type SqliteAnswer =
  | { readonly kind: 'rows'; readonly columns: readonly string[]; readonly rows: readonly (readonly unknown[])[] }
  | SqliteFailure;

/** The program of the process that queries run in. It knows nothing but the requests that it is sent. */
if (process.send !== undefined) {
  giveWay();
  process.on('message', (request) => process.send?.(answer(request as SqliteRequest)));
  process.on('disconnect', () => process.exit());
}

/** Opened anew for each query, so that a file that was replaced is seen. */
function answer({ path, text, limitMs }: SqliteRequest): SqliteAnswer {
  try {
    using database = new DatabaseSync(path, { readOnly: true, timeout: limitMs });
    const statement = database.prepare(text);
    statement.setReturnArrays(true);
    const rows = statement.all() as unknown as unknown[][];
    return { kind: 'rows', columns: statement.columns().map(({ name }) => name), rows };
  } catch (error) {
    return sqliteFailure(error);
  }
}
