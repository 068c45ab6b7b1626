import type { Check } from '../../../core/model/check.ts';
import { judgeChange, judgeIntact, type KnownTarget, type TargetVerdict } from '../../../core/targets/judge-target.ts';
import { formatDuration, type Millis } from '../../../core/units.ts';
import { startDeadline } from '../../deadline.ts';
import type { CheckContext, CheckDriver, CheckOf } from '../check-driver.ts';

/** What a check of a target rests on, beside the target's own checks. */
export type TargetToCheck = KnownTarget & { readonly checks: readonly Check[] };

export type TargetCheckHost = {
  /** Undefined where the policies in force have no such target. */
  readonly target: (name: string) => TargetToCheck | undefined;
  /** Makes one check of any kind. Never rejects. */
  readonly ask: (check: Check, context: CheckContext) => Promise<TargetVerdict>;
  /** By the clock that the log is written by. */
  readonly decisionTime: () => Millis;
};

/** Whether a target changed lately, which revertd remembers; or is intact, which its own checks say. */
export function targetCheck(host: TargetCheckHost): CheckDriver<'target'> {
  return { check: async (check, context) => ({ key: check.key, ...(await judge(check, host, context)) }) };
}

async function judge(check: CheckOf<'target'>, host: TargetCheckHost, context: CheckContext): Promise<TargetVerdict> {
  const target = host.target(check.target);
  if (target === undefined) return { outcome: 'unknown', detail: `git no longer has target ${check.target}` };
  if (check.is.kind === 'changedSince') return judgeChange(target, check.is.spanMs, host.decisionTime());
  const deadline = startDeadline(context.signal, check.timeoutMs);
  const asked = target.checks.map((one) => host.ask(one, { ...context, signal: deadline.signal }));
  const verdict = judgeIntact(check.target, await Promise.all(asked));
  if (verdict.outcome !== 'unknown' || deadline.cause() !== 'timedOut') return verdict;
  const late = `the checks of ${check.target} were not all done after ${formatDuration(check.timeoutMs)}`;
  return { outcome: 'unknown', detail: late };
}
