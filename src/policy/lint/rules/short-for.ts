import { formatDuration } from '../../../core/units.ts';
import type { LintRule } from '../lint-rule.ts';
import { samplingInterval } from '../sampling.ts';

export const shortFor: LintRule = {
  id: 'short-for',
  severity: 'warning',
  title: '`for` is shorter than two scrapes',
  why: '`for` is there so that one bad sample does not roll back. Below two scrapes of its source it asks for no second one.',
  mend: 'make `for` at least twice the interval of the source, or sample more often',
  find: (world) =>
    world.queries.flatMap(({ document, path, expr, trigger, remote }) => {
      if (trigger === undefined || trigger.forMs === 0) return [];
      const source = remote === undefined ? undefined : world.sources.find(({ value }) => value.name === remote);
      const interval = source?.value.intervalMs ?? samplingInterval(world, expr);
      // Below one interval the loader warns.
      if (interval === undefined || trigger.forMs >= 2 * interval || trigger.forMs < interval) return [];
      const message = `\`for\` (${formatDuration(trigger.forMs)}) is shorter than two scrapes of its source (one every ${formatDuration(interval)})`;
      return [
        {
          document,
          path: [...path.slice(0, -1), 'for'],
          message,
          mend: `write ${formatDuration(2 * interval)} or more`,
        },
      ];
    }),
};
