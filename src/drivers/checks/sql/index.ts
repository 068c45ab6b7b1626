import { nameDatabase } from '../../../core/model/sql-step.ts';
import { formatDuration } from '../../../core/units.ts';
import type { AllowList } from '../../allow-list.ts';
import { startDeadline } from '../../deadline.ts';
import { judgeResult, type SqlVerdict } from '../../sql/judge-result.ts';
import { openSession } from '../../sql/open-session.ts';
import { SqlError } from '../../sql/session.ts';
import type { CheckContext, CheckDriver, CheckOf } from '../check-driver.ts';

/**
 * Whether a query gives what is expected. A database that cannot be reached, a query with a fault, no row and NULL are
 * unknown. The connection may only read.
 */
export function sqlCheck(host: { readonly allow: AllowList }): CheckDriver<'sql'> {
  return {
    check: async (check, context) => {
      const { outcome, detail } = await ask(check, host.allow, context);
      return { key: check.key, outcome, detail: context.secrets.redact(`${nameDatabase(check.database)}: ${detail}`) };
    },
  };
}

async function ask(check: CheckOf<'sql'>, allow: AllowList, { secrets, signal }: CheckContext): Promise<SqlVerdict> {
  const { database, query, expect, timeoutMs } = check;
  const deadline = startDeadline(signal, timeoutMs);
  const options = { access: 'read', statementMs: timeoutMs, lockMs: timeoutMs } as const;
  try {
    const session = await openSession(database, { allow, secrets }, options, deadline.signal);
    try {
      await session.begin();
      return judgeResult(expect, await session.run(query, []));
    } finally {
      await session.close();
    }
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    if (deadline.cause() === 'timedOut') {
      return { outcome: 'unknown', detail: `had not answered after ${formatDuration(timeoutMs)}` };
    }
    return { outcome: 'unknown', detail: deadline.cause() === 'aborted' ? 'was interrupted' : error.message };
  }
}
