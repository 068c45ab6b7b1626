import type { Span } from '../ast.ts';
import { formatGeneral } from '../literals.ts';

/** What a query's author should know about an answer that is still an answer. */
export type Annotation = {
  readonly severity: 'warning' | 'info';
  readonly message: string;
  readonly span: Span;
  /** Set for forced monotonicity, whose occurrences are merged into one report. */
  readonly repair?: BucketRepair;
};

/** Where a histogram's cumulative counts decreased, over `count` histograms between two instants in milliseconds. */
export type BucketRepair = {
  readonly minBucket: number;
  readonly maxBucket: number;
  readonly maxDiff: number;
  readonly count: number;
  readonly from: number;
  readonly to: number;
};

export type AnnotationSet = Map<string, Annotation>;

/** Adds an annotation; one of equal words is reported once, at its first place. */
export function annotate(set: AnnotationSet, annotation: Annotation): void {
  const known = set.get(annotation.message);
  if (known === undefined) {
    set.set(annotation.message, annotation);
  } else if (known.repair !== undefined && annotation.repair !== undefined) {
    set.set(annotation.message, { ...known, repair: mergeRepairs(known.repair, annotation.repair) });
  }
}

function mergeRepairs(a: BucketRepair, b: BucketRepair): BucketRepair {
  return {
    minBucket: Math.min(a.minBucket, b.minBucket),
    maxBucket: Math.max(a.maxBucket, b.maxBucket),
    maxDiff: Math.max(a.maxDiff, b.maxDiff),
    count: a.count + b.count,
    from: Math.min(a.from, b.from),
    to: Math.max(a.to, b.to),
  };
}

export type AnnotationTexts = { readonly warnings: readonly string[]; readonly infos: readonly string[] };

/**
 * The texts in Prometheus' words with `line:column` positions, which need the query's text if it has several lines. They are
 * put into words when they are asked for: of a trigger's query, evaluated every second, nobody reads them.
 */
export function formatAnnotations(set: AnnotationSet, text: string | undefined): AnnotationTexts {
  if (set.size === 0) return NONE;
  const texts = (severity: Annotation['severity']): string[] =>
    [...set.values()].filter((found) => found.severity === severity).map((found) => formatOne(found, text));
  return {
    get warnings() {
      return texts('warning');
    },
    get infos() {
      return texts('info');
    },
  };
}

const NONE: AnnotationTexts = { warnings: [], infos: [] };

function formatOne({ message, span, repair }: Annotation, text: string | undefined): string {
  const before = text?.slice(0, span.start).split('\n') ?? [' '.repeat(span.start)];
  const position = `(${before.length}:${(before.at(-1)?.length ?? 0) + 1})`;
  if (repair === undefined) return `${message} ${position}`;
  const { minBucket, maxBucket, maxDiff, count, from, to } = repair;
  const buckets = `from buckets ${formatGeneral(minBucket)} to ${formatGeneral(maxBucket)}`;
  const extent = `over ${count} samples from ${formatSecond(from)} to ${formatSecond(to)}`;
  return `${message}, ${buckets}, with a max diff of ${formatGeneral(Number(maxDiff.toPrecision(2)))}, ${extent} ${position}`;
}

function formatSecond(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
}

export function forMetric(message: string, metricName: string): string {
  return metricName === '' ? message : `${message} for metric name ${JSON.stringify(metricName)}`;
}

export function invalidQuantile(value: number, span: Span): Annotation {
  const message = `PromQL warning: quantile value should be between 0 and 1, got ${formatGeneral(value)}`;
  return { severity: 'warning', message, span };
}
