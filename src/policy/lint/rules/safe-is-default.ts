import type { LintRule } from '../lint-rule.ts';

export const safeIsDefault: LintRule = {
  id: 'safe-is-default',
  severity: 'advice',
  title: 'the safe variant is what git wants anyway',
  why: 'A rollback to `safe` changes nothing then: the rung is skipped, and the next one begins, which costs more.',
  mend: 'let `safeVariant` be the one that is known to be good; once the flag is retired, take it off the ladders',
  find: ({ flags, policies }) => {
    const steps = policies.flatMap(({ value }) => value.ladder.flatMap((rung) => rung.do));
    const used = new Set(
      steps.map((step) => (step.kind === 'setFlag' && step.to.kind === 'safe' ? step.flag : undefined)),
    );
    return flags.flatMap(({ document, value: flag }) => {
      if (
        flag.safeVariant !== flag.defaultVariant ||
        flag.state === 'DISABLED' ||
        flag.targeting !== undefined ||
        !used.has(flag.name)
      )
        return [];
      const message = `the flag "${flag.name}" is "${flag.defaultVariant}" already, so a rollback to safe changes nothing`;
      return [{ document, path: ['spec', 'safeVariant'], message }];
    });
  },
};
