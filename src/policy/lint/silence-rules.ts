import type { LintRule } from './lint-rule.ts';

/** What is found about silences themselves. It cannot be silenced. */
export const SILENCE_RULES = {
  bad: {
    id: 'bad-silence',
    severity: 'warning',
    title: 'a silence without a reason, or of no rule',
    why: 'Whoever finds the comment next year has to know why it is there, and a silence with a typing error silences nothing.',
    mend: 'write `# revertd-lint disable=RULE -- REASON` on the line or above it',
  },
  unused: {
    id: 'unused-silence',
    severity: 'warning',
    title: 'a silence that silences nothing',
    why: 'It would hide the next mistake in the same place.',
    mend: 'remove the comment',
  },
} as const satisfies Readonly<Record<string, Omit<LintRule, 'find'>>>;
