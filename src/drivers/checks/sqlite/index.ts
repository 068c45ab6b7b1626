import { stat } from 'node:fs/promises';
import { formatDuration } from '../../../core/units.ts';
import type { AllowList } from '../../allow-list.ts';
import { startDeadline } from '../../deadline.ts';
import { openSession } from '../../sql/open-session.ts';
import { SqlError, type SqlHost } from '../../sql/session.ts';
import type { CheckDriver, CheckOf } from '../check-driver.ts';

type Finding = { readonly is: 'intact' | 'corrupt' | 'missing' | 'unknown'; readonly detail: string };

/** Whether a SQLite file is whole: `integrity_check` finds nothing, and every foreign key has its row. */
export function sqliteCheck(host: { readonly allow: AllowList }): CheckDriver<'sqlite'> {
  return {
    check: async (check, { signal, secrets }) => {
      const deadline = startDeadline(signal, check.timeoutMs);
      const found = await look(check, { allow: host.allow, secrets }, deadline.signal);
      if (deadline.cause() === undefined || found.is === 'missing') return { key: check.key, ...judge(check, found) };
      const why =
        deadline.cause() === 'timedOut' ? `was not done after ${formatDuration(check.timeoutMs)}` : 'was interrupted';
      return { key: check.key, outcome: 'unknown', detail: `the check of ${check.path} ${why}` };
    },
  };
}

/** A file that is not there is not intact; but neither is it corrupt. */
function judge({ path, is }: CheckOf<'sqlite'>, found: Finding) {
  const detail = `${path}: ${found.detail}`;
  if (found.is === 'unknown' || (found.is === 'missing' && is === 'corrupt'))
    return { outcome: 'unknown', detail } as const;
  return { outcome: found.is === is ? 'true' : 'false', detail } as const;
}

async function look({ path, timeoutMs }: CheckOf<'sqlite'>, host: SqlHost, signal: AbortSignal): Promise<Finding> {
  const options = { access: 'read', statementMs: timeoutMs, lockMs: timeoutMs } as const;
  try {
    if ((await sizeOf(path)) === 0) return { is: 'corrupt', detail: 'is empty, without a single page' };
    const session = await openSession({ kind: 'sqlite', path }, host, options, signal);
    try {
      const integrity = await session.run('PRAGMA integrity_check(10)', []);
      if (integrity.first?.[0] !== 'ok') return { is: 'corrupt', detail: String(integrity.first?.[0]) };
      const orphans = await session.run('SELECT count(*) FROM pragma_foreign_key_check', []);
      const count = Number(orphans.first?.[0]);
      if (count > 0) return { is: 'corrupt', detail: `${count} row(s) refer to a row that is not there` };
      return { is: 'intact', detail: 'is intact' };
    } finally {
      await session.close();
    }
  } catch (error) {
    return blame(error);
  }
}

function blame(error: unknown): Finding {
  if (!(error instanceof SqlError)) throw error;
  switch (error.code) {
    case 'noDatabase':
      return { is: 'missing', detail: 'does not exist' };
    case 'notADatabase':
      return { is: 'corrupt', detail: error.message };
    default:
      return { is: 'unknown', detail: error.message };
  }
}

/** Undefined if it cannot be told; opening the file then says why. */
async function sizeOf(path: string): Promise<number | undefined> {
  return await stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}
