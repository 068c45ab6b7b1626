import type { NotificationTopic } from '../../../core/model/notifier.ts';
import type { RollbackPolicy } from '../../../core/model/policy.ts';
import type { LintRule } from '../lint-rule.ts';
import { acts } from '../policy-facts.ts';

export const nobodyHears: LintRule = {
  id: 'nobody-hears',
  severity: 'warning',
  title: 'what needs a person reaches none',
  why: 'A notifier only hears the topics of its `on`. An incident that asks, or that has run out of rungs, then waits for somebody who does not know.',
  mend: "add the topic to a notifier's `on`, or leave `on` out: then it hears everything",
  find: ({ policies, notifiers }) => {
    const topics = new Map(notifiers.map(({ value }) => [value.name, value.suspend ? [] : value.on]));
    return policies.flatMap(({ document, value }) => {
      if (value.notify.length === 0 || value.suspend) return [];
      const heard = new Set(value.notify.flatMap((name) => topics.get(name) ?? []));
      const missed = needed(value).filter((topic) => !heard.has(topic));
      if (missed.length === 0) return [];
      const message = `no notifier of the policy "${value.name}" hears ${missed.map((topic) => `\`${topic}\``).join(', ')}`;
      return [{ document, path: ['spec', 'notify'], message }];
    });
  },
};

/** The topics that are no use unless a person hears them. */
function needed(policy: RollbackPolicy): readonly NotificationTopic[] {
  const warns = policy.triggers.some(({ severity }) => severity === 'warning');
  return [
    ...(acts(policy) ? (['asking', 'exhausted', 'braked'] as const) : []),
    ...(warns ? (['warning'] as const) : []),
  ];
}
