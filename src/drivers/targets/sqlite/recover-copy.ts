import { createWriteStream, existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Recovered } from '../../../core/model/point.ts';
import type { OpenRoot } from '../files/walk.ts';
import { TargetError } from '../target-driver.ts';
import { askDatabase } from './ask-database.ts';
import { openDatabaseFile, refuseWithoutSpace } from './database-file.ts';

type Recovery = {
  /** Where SQLite's copy of its pages is; absent where it could make none. */
  readonly copy: string;
  readonly to: string;
  readonly signal: AbortSignal;
};

/**
 * Makes a database of what can be read of a damaged one. The live file is only read. Rejects with TargetError `damaged`
 * where nothing can be read of it, `space`, `aborted`, `io`.
 */
export async function recoverCopy(root: OpenRoot, { copy, to, signal }: Recovery): Promise<Recovered> {
  if (!existsSync(copy)) await copyBytes(root, copy, signal);
  await refuseWithoutSpace(dirname(to), (await stat(copy)).size, 'what is recovered');
  const answer = await askDatabase({ ask: 'recover', damaged: copy, to }, root.path, signal);
  if (answer.kind !== 'recovered') throw new TypeError(`asked to recover, it answered ${answer.kind}`);
  const { rows, lostAndFound } = answer.found;
  if (rows + lostAndFound > 0) return answer.found;
  throw new TargetError('damaged', `${root.path} is damaged, and no row of it can be read`);
}

/** What SQLite does not take for a database any more, it can lock for nobody: its bytes are copied as they are. */
async function copyBytes(root: OpenRoot, copy: string, signal: AbortSignal): Promise<void> {
  const handle = await openDatabaseFile(root);
  try {
    await pipeline(handle.createReadStream({ autoClose: false }), createWriteStream(copy, { mode: 0o600 }), { signal });
  } catch (error) {
    if (signal.aborted) throw new TargetError('aborted', 'the capture was ended', error);
    throw error;
  } finally {
    await handle.close();
  }
}
