import type { Row } from '../../../core/merge/cell.ts';
import type { Batches } from '../../../core/merge/join-sorted.ts';
import { type Ended, startBeside } from '../../child-program.ts';
import { answered } from '../sqlite/ask-database.ts';
import { lookAtDatabase, withDatabase } from '../sqlite/database-file.ts';
import { describeOpeners } from '../sqlite/openers.ts';
import { TargetError } from '../target-driver.ts';
import type { RowsAccess, RowsTransaction, TableShape } from './rows-session.ts';
import type { RowsQuestion, RowsReply } from './sqlite-child.ts';

/** How long a lock of somebody else's is waited for. */
const LOCK_MS = 10_000;

/** The rows of a SQLite database, in a process of its own for the time of each use. */
export function sqliteRows(path: string): RowsAccess {
  return {
    shown: path,
    identity: `sqlite ${path}`,
    withState: (signal, use) => withChild(path, 'read', signal, use),
    withTransaction: (_tables, signal, use) => withChild(path, 'write', signal, use),
  };
}

async function withChild<T>(
  path: string,
  access: 'read' | 'write',
  signal: AbortSignal,
  use: (transaction: RowsTransaction) => Promise<T>,
): Promise<T> {
  if (signal.aborted) throw new TargetError('aborted', `${path}: ended before it was begun`);
  return await withDatabase(path, async (root) => {
    const { dev, ino } = await lookAtDatabase(root);
    const file = { path: root.path, dev: String(dev), ino: String(ino) };
    const child = startBeside<RowsQuestion, RowsReply>(import.meta.url, 'sqlite-child', signal);
    const ask = async (question: RowsQuestion) => answerOf(await child.ask(question), path, signal);
    try {
      await ask({ ask: 'open', file, access, lockMs: LOCK_MS });
      const result = await use(transactionOn(ask));
      // It closes the database by itself.
      await child.letGo();
      return result;
    } catch (error) {
      if (!(error instanceof TargetError) || error.code !== 'locked') throw error;
      const who = await describeOpeners(root);
      throw new TargetError('locked', `${path} was locked for ${LOCK_MS / 1000} s by somebody else${who}`, error);
    } finally {
      await child.end();
    }
  });
}

type Answer = Exclude<RowsReply, { kind: 'failed' | 'refused' }>;

function transactionOn(ask: (question: RowsQuestion) => Promise<Answer>): RowsTransaction {
  return {
    shapes: async (tables) => {
      const answer = await ask({ ask: 'shapes', tables });
      return answer.kind === 'shapes' ? answer.tables : [];
    },
    read: (table) => readRows(ask, table),
    stage: async (table, changes) => {
      if (changes.length > 0) await ask({ ask: 'stage', table, changes });
    },
    apply: async (without) => {
      const answer = await ask({ ask: 'apply', without });
      return answer.kind === 'applied' ? answer.orphans : [];
    },
    commit: async () => void (await ask({ ask: 'commit' })),
  };
}

async function* readRows(ask: (question: RowsQuestion) => Promise<Answer>, table: TableShape): Batches<Row> {
  let answer = await ask({ ask: 'read', table });
  while (answer.kind === 'rows' && answer.rows.length > 0) {
    yield answer.rows;
    answer = await ask({ ask: 'more' });
  }
}

function answerOf(reply: RowsReply | Ended, path: string, signal: AbortSignal): Answer {
  const answer = answered(reply, path, signal);
  if (answer.kind === 'refused') throw new TargetError(answer.code, `${path}: ${answer.message}`);
  return answer;
}
