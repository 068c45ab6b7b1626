import { formatDuration } from '../../../core/units.ts';
import type { LintRule } from '../lint-rule.ts';

export const releasedTooSoon: LintRule = {
  id: 'released-too-soon',
  severity: 'warning',
  title: 'the flag comes back while the policy may not act',
  why: 'When the latch is lifted before the cooldown is over, the fault comes back and the policy is braked: it watches and does nothing.',
  mend: 'make `release.flags.after` longer than `cooldown`; or `onFlagChange`, which waits for somebody to mend it',
  find: ({ policies }) =>
    policies.flatMap(({ document, value }) => {
      const { release, cooldownMs } = value;
      if (release.kind !== 'after' || release.spanMs >= cooldownMs) return [];
      const message = `latches are lifted after ${formatDuration(release.spanMs)}, the cooldown lasts ${formatDuration(cooldownMs)}`;
      return [{ document, path: ['spec', 'release', 'flags', 'after'], message }];
    }),
};
