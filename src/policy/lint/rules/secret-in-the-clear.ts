import type { JsonValue } from '../../../core/model/step.ts';
import type { Path } from '../../path.ts';
import type { LintRule, LintWorld } from '../lint-rule.ts';

const NAME = /(password|passwd|secret|token|api[-_]?key|private[-_]?key)/i;
const ARGUMENT = new RegExp(`^--?[\\w-]*${NAME.source}[\\w-]*=(?!\\$\\{).+`, 'i');
const IN_ADDRESS = new RegExp(`[?&][\\w-]*${NAME.source}[\\w-]*=(?!\\$\\{)[^&]+`, 'i');

export const secretInTheClear: LintRule = {
  id: 'secret-in-the-clear',
  severity: 'warning',
  title: 'a secret seems to be written out',
  why: 'Policies are read by everybody who may read the repository, for ever: what is once in git is not taken back by the next commit.',
  mend: 'name it instead: `{credential: NAME}` in `env`, `headers` and `url`, and give it out anew, for this one is known',
  find: (world) =>
    texts(world).flatMap(({ document, path, text }) => {
      const parent = String(path.at(-2));
      const isNamed = ['env', 'headers', 'labels'].includes(parent) && NAME.test(String(path.at(-1)));
      const looksSecret = isNamed && parent !== 'labels' && text !== '' && !text.includes('${');
      if (!looksSecret && !ARGUMENT.test(text) && !IN_ADDRESS.test(text)) return [];
      // The loader warns of headers that are known to hold secrets.
      if (
        parent === 'headers' &&
        /^(authorization|cookie|x-api-key|x-auth-token|private-token)$/i.test(String(path.at(-1)))
      )
        return [];
      return [{ document, path, message: 'this looks like a secret that is written out' }];
    }),
};

type Text = {
  readonly document: LintWorld['policies'][number]['document'];
  readonly path: Path;
  readonly text: string;
};

function texts({ sources, targets, flags, policies, notifiers }: LintWorld): readonly Text[] {
  return [...sources, ...targets, ...flags, ...policies, ...notifiers].flatMap(({ document }) =>
    textsIn(document, document.value, []),
  );
}

function textsIn(document: Text['document'], value: JsonValue, path: Path): readonly Text[] {
  if (typeof value === 'string') return path[0] === 'spec' ? [{ document, path, text: value }] : [];
  if (typeof value !== 'object' || value === null) return [];
  const entries: readonly (readonly [string | number, JsonValue])[] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  return entries.flatMap(([key, item]) => textsIn(document, item, [...path, key]));
}
