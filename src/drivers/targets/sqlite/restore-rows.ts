import { join } from 'node:path';
import type { RowSelection } from '../../../core/model/target.ts';
import type { CapturedContext } from '../captured-target-driver.ts';
import type { OpenRoot } from '../files/walk.ts';
import { askDatabase } from './ask-database.ts';
import { lookAtDatabase } from './database-file.ts';

/** How long a lock of somebody else's is waited for. */
const LOCK_MS = 10_000;

export type RowsRestore = Pick<CapturedContext, 'store' | 'signal'> & {
  readonly root: OpenRoot;
  readonly rows: RowSelection;
  /** Writes the snapshot's database to a path. */
  readonly write: (path: string) => Promise<void>;
  readonly quiesce: () => Promise<void>;
};

/** Puts some rows back, while others may have the database open. Rejects with TargetError and ContentError. */
export async function restoreRows({ root, rows, store, signal, write, quiesce }: RowsRestore): Promise<string> {
  return await store.withScratch(async (folder) => {
    const from = join(folder, 'kept.db');
    await write(from);
    await quiesce();
    const { dev, ino } = await lookAtDatabase(root);
    const file = { path: root.path, dev: String(dev), ino: String(ino) };
    const answer = await askDatabase({ ask: 'replaceRows', file, from, rows, lockMs: LOCK_MS }, root.path, signal);
    if (answer.kind !== 'replaced') throw new TypeError(`asked to replace rows, it answered ${answer.kind}`);
    const count = `${answer.rows} row${answer.rows === 1 ? '' : 's'}`;
    return `${count} of ${rows.tables.join(', ')} put in place`;
  });
}
