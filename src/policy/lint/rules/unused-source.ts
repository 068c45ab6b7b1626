import type { LintRule } from '../lint-rule.ts';

export const unusedSource: LintRule = {
  id: 'unused-source',
  severity: 'advice',
  title: 'a Prometheus server is asked nothing',
  why: 'Nothing of a `prometheus` source is kept here: without a trigger that names it, it does nothing. A trigger meant for it asks revertd, which has no such series.',
  mend: 'write `source: NAME` on the triggers that it is for, or remove it',
  find: ({ sources, policies }) => {
    const named = new Set(policies.flatMap(({ value }) => value.triggers.map(({ source }) => source)));
    return sources.flatMap(({ document, value }) => {
      if (value.type.kind !== 'prometheus' || named.has(value.name)) return [];
      return [{ document, path: ['metadata', 'name'], message: `no trigger has \`source: ${value.name}\`` }];
    });
  },
};
