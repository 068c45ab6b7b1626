import { formatSeries, labelsOf } from '../metrics/labels.ts';
import { type BuildContext, fault } from '../policy/build-context.ts';
import { errorAt } from '../policy/diagnostic.ts';
import type { Path } from '../policy/path.ts';
import { originInText } from '../policy/policy-document.ts';
import { PromqlError } from '../promql/promql-error.ts';
import type { Labels } from '../promql/series.ts';
import { parseMetric, parseSequence, type SequencePoint } from '../promql/series-notation.ts';
import { checkName, type KnownNames } from './known-names.ts';
import { INPUT, type Input } from './policy-test.ts';
import type { RawInput } from './raw-test.ts';

type Sources = Pick<KnownNames, 'sources' | 'queriesServer'>;

/** The series that the sources deliver, and those that a queried server holds. */
export function buildInputs(context: BuildContext, raw: readonly RawInput[], known: Sources): readonly Input[] {
  const seen = new Set<string>();
  return raw.flatMap((input, index) => {
    const built = buildInput(context, ['spec', 'input', index], input, known);
    if (built === undefined) return [];
    if (seen.has(built.target)) {
      fault(
        context,
        ['spec', 'input', index, 'series'],
        'E-DUPLICATE-NAME',
        `the series ${built.target} is there twice`,
      );
    }
    seen.add(built.target);
    return [built];
  });
}

function buildInput(
  context: BuildContext,
  path: Path,
  { series, values }: RawInput,
  { sources, queriesServer }: Sources,
): Input | undefined {
  const labels = attempt(context, [...path, 'series'], (): Labels => labelsOf(Object.entries(parseMetric(series))));
  const points = attempt(context, [...path, 'values'], (): readonly SequencePoint[] => parseSequence(values));
  if (labels === undefined || points === undefined) return undefined;
  const { job } = labels;
  if (labels['__name__'] === undefined) {
    fault(context, [...path, 'series'], 'E-SERIES', 'the series has no metric name; write it before the braces');
  }
  if (job !== undefined && sources.length > 0 && !queriesServer) {
    const what = 'MetricSource (the label `job`)';
    checkName(context, job, sources, { path: [...path, 'series'], what, code: 'E-NO-METRICSOURCE' });
  }
  const source = job !== undefined && sources.includes(job) ? job : INPUT;
  return { source, target: formatSeries(labels), labels, points };
}

/** A fault of promtool's notation stands where it was found. */
function attempt<T>(context: BuildContext, path: Path, parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof PromqlError)) throw error;
    const origin = originInText(context.document, path, error.offset);
    context.diagnostics.push(errorAt(origin, 'E-SERIES', error.message));
    return undefined;
  }
}
