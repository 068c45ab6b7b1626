import { writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** `limitMs`: how long a lock of somebody else's is waited for. */
export type SqliteRequest = { readonly path: string; readonly text: string; readonly limitMs: number };

export type SqliteAnswer =
  | { readonly kind: 'rows'; readonly columns: readonly string[]; readonly rows: readonly (readonly unknown[])[] }
  | { readonly kind: 'failed'; readonly message: string; readonly errcode: number }
  /** The process ended before it answered. */
  | { readonly kind: 'ended' };

/** The program of the process that queries run in. It knows nothing but the requests that it is sent. */
if (process.send !== undefined) {
  giveWay();
  process.on('message', (request) => process.send?.(answer(request as SqliteRequest)));
  process.on('disconnect', () => process.exit());
}

/** Where memory is short, this process goes first, and not what the host is there for. */
function giveWay(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Without /proc it is one process like any other.
  }
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
    const message = error instanceof Error ? error.message : String(error);
    const errcode = error instanceof Error && 'errcode' in error ? Number(error.errcode) : 0;
    return { kind: 'failed', message, errcode };
  }
}
