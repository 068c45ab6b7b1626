import type { LintRule } from '../lint-rule.ts';

export const flagGoesNowhere: LintRule = {
  id: 'flag-goes-nowhere',
  severity: 'warning',
  title: 'a flag is written nowhere',
  why: 'Without a place no application sees the flag. A rollback that sets it is done at once and changes nothing.',
  mend: 'say where the application reads it: `deliver: [{ envFile: { path: ..., key: ... } }]`',
  find: ({ flags }) =>
    flags.flatMap(({ document, value }) => {
      if (value.deliver.length > 0 || value.suspend) return [];
      return [{ document, path: ['spec', 'deliver'], message: `the flag "${value.name}" has no place in \`deliver\`` }];
    }),
};
