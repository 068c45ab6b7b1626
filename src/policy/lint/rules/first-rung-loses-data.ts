import type { LintRule } from '../lint-rule.ts';
import { losesData } from '../loses-data.ts';

export const firstRungLosesData: LintRule = {
  id: 'first-rung-loses-data',
  severity: 'warning',
  title: 'the first remedy loses data',
  why: 'The first rung is walked without a question whenever a trigger fires, be it a false alarm. What it deletes is not brought back by the next rung.',
  mend: 'put a rung before it that loses nothing: a flag to its safe variant, a restart, the code of yesterday',
  find: ({ policies }) =>
    policies.flatMap(({ document, value }) =>
      (value.ladder[0]?.do ?? []).flatMap((step, index) => {
        const reason = losesData(step);
        if (reason === undefined) return [];
        const message = `the first rung "${value.ladder[0]?.name}" loses data: ${reason}`;
        return [{ document, path: ['spec', 'ladder', 0, 'do', index], message }];
      }),
    ),
};
