import type { RollbackPolicy } from '../../../core/model/policy.ts';
import { formatDuration, type Millis } from '../../../core/units.ts';
import type { LintRule } from '../lint-rule.ts';

export const rtoOutOfReach: LintRule = {
  id: 'rto-out-of-reach',
  severity: 'warning',
  title: 'the recovery time cannot be kept',
  why: 'Even when the first rung helps at once, `for`, `settle` and what must last take longer than `rto`. Every report says that it was missed, until nobody reads it.',
  mend: 'make `rto` longer than the parts, or the parts shorter',
  find: ({ policies }) =>
    policies.flatMap(({ document, value }) => {
      const least = fastest(value);
      if (value.rtoMs === undefined || least === undefined || value.rtoMs >= least) return [];
      const message = `\`rto\` (${formatDuration(value.rtoMs)}) is shorter than the fastest recovery (${formatDuration(least)}: \`for\`, \`settle\` and \`verify.for\` together)`;
      return [{ document, path: ['spec', 'rto'], message }];
    }),
};

/** From the first bad sample to a success, if everything helps at once; undefined if nothing is walked by itself. */
function fastest({ triggers, ladder }: RollbackPolicy): Millis | undefined {
  const detections = triggers.filter(({ severity }) => severity === 'critical').map(({ forMs }) => forMs);
  const recoveries = ladder.map(({ verify }) => verify.settleMs + verify.forMs);
  if (detections.length === 0 || recoveries.length === 0) return undefined;
  return Math.min(...detections) + Math.min(...recoveries);
}
