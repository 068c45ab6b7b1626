import type { Check } from '../../../core/model/check.ts';
import { formatDuration } from '../../../core/units.ts';
import type { AllowList } from '../../allow-list.ts';
import { startDeadline } from '../../deadline.ts';
import { runProcess } from '../../process.ts';
import type { CheckAnswer, CheckContext, CheckDriver } from '../check-driver.ts';

type RunCheck = Extract<Check, { kind: 'run' }>;

/**
 * Whether a program ends with exit code 0. One that is missing, is killed, or has not ended within the deadline has not
 * answered, so that the check is unknown.
 */
export function runCheck(host: { readonly allow: AllowList }): CheckDriver<'run'> {
  return {
    check: async (check, context) => {
      const refused = host.allow.mayRun(check.argv[0] ?? '');
      if (refused !== undefined) return { key: check.key, outcome: 'unknown', detail: refused };
      return { key: check.key, ...(await judge(check, context)) };
    },
  };
}

async function judge(check: RunCheck, context: CheckContext): Promise<Pick<CheckAnswer, 'outcome' | 'detail'>> {
  const { argv, cwd, env, timeoutMs } = check;
  const { signal, cause } = startDeadline(context.signal, timeoutMs);
  const end = await runProcess({ argv, env, ...(cwd === undefined ? {} : { cwd }), secrets: context.secrets }, signal);
  const program = argv[0] ?? '';
  switch (end.kind) {
    case 'exited':
      return {
        outcome: end.code === 0 ? 'true' : 'false',
        detail: said(`${program} ended with ${end.code}`, end.output),
      };
    case 'killed':
      return { outcome: 'unknown', detail: said(`${program} was killed by ${end.by}`, end.output) };
    case 'stopped': {
      const why = cause() === 'timedOut' ? `had not ended after ${formatDuration(timeoutMs)}` : 'was interrupted';
      return { outcome: 'unknown', detail: said(`${program} ${why}`, end.output) };
    }
    case 'notStarted':
      return { outcome: 'unknown', detail: end.message };
  }
}

/** The last line tells most. */
function said(what: string, output: string): string {
  const last = output.trimEnd().split('\n').at(-1)?.slice(-500) ?? '';
  return last === '' ? what : `${what}: ${last}`;
}
