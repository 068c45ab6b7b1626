import type { LintRule } from '../lint-rule.ts';

export const envFileNotReread: LintRule = {
  id: 'env-file-not-reread',
  severity: 'warning',
  title: 'nobody reads an env file again',
  why: 'An environment is read when a process starts. Without `then` the file says "off" and the service goes on with "on", and the rung counts as done.',
  mend: 'restart what reads it: `then: [{ service: { unit: NAME.service, do: restart } }]`',
  find: ({ flags }) =>
    flags.flatMap(({ document, value }) =>
      value.deliver.flatMap((place, index) => {
        if (place.document.kind !== 'envFile' || place.takeUp.length > 0) return [];
        const message = `nothing makes the new value of ${place.entry} effective: the place has no \`then\``;
        return [{ document, path: ['spec', 'deliver', index, 'envFile'], message }];
      }),
    ),
};
