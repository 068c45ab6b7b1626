import type { LintRule } from '../lint-rule.ts';
import { acts } from '../policy-facts.ts';
import { type JudgedQuery, judgedExpr } from '../queries.ts';

const PRESENCE = ['up', 'probe_success', 'sql_query_success'];

export const nothingWatchesDown: LintRule = {
  id: 'nothing-watches-down',
  severity: 'advice',
  title: 'nothing fires when metrics end',
  why: 'Where there are no samples triggers hold: a service that is gone altogether breaches no latency and no error ratio. Something has to look at whether it answers.',
  mend: 'add a trigger on `up` or `probe_success`, `below: 1` with a `for`; or `noData: fire` where absence is the fault',
  find: (world) => {
    const queries = world.queries.filter(({ trigger }) => trigger !== undefined);
    const [first] = world.policies.filter(({ value }) => acts(value));
    if (first === undefined || queries.some(looksAtPresence)) return [];
    if (queries.every(({ remote }) => remote !== undefined)) return [];
    const message = 'no trigger of these policies fires when a service does not answer at all';
    return [{ document: first.document, path: ['spec', 'triggers'], message }];
  },
};

function looksAtPresence({ expr, trigger }: JudgedQuery): boolean {
  if (trigger?.noData === 'fire') return true;
  return [...judgedExpr(expr)].some(
    (part) =>
      (part.kind === 'selector' && part.name !== undefined && PRESENCE.includes(part.name)) ||
      (part.kind === 'call' && part.name.startsWith('absent')),
  );
}
