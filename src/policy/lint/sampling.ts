import type { MetricSource } from '../../core/model/metric-source.ts';
import type { Millis } from '../../core/units.ts';
import type { Expr, VectorSelector } from '../../promql/ast.ts';
import type { Matcher } from '../../promql/series.ts';
import type { LintWorld } from './lint-rule.ts';
import { judgedExpr } from './queries.ts';

/**
 * How often what a query reads is sampled: the shortest interval of the sources that each selector can meet, and of
 * these the longest. Undefined if no source of the revision can be meant.
 */
export function samplingInterval(world: LintWorld, expr: Expr): Millis | undefined {
  const intervals = [...judgedExpr(expr)].flatMap((part) => {
    const interval = part.kind === 'selector' ? intervalOfSelector(world, part) : undefined;
    return interval === undefined ? [] : [interval];
  });
  return intervals.length === 0 ? undefined : Math.max(...intervals);
}

export function intervalOfSelector(world: LintWorld, selector: VectorSelector): Millis | undefined {
  const sampled = sampledSources(world);
  const job = selector.matchers.find(({ name, op }) => name === 'job' && op === '=')?.value;
  const exact = job === undefined ? undefined : sampled.get(job);
  const candidates = job === undefined ? [...sampled.values()] : exact === undefined ? [] : [exact];
  const named = candidates.filter(({ name }) => selector.matchers.every((matcher) => agrees(matcher, name)));
  const asked = named.filter(
    ({ type }) => type.kind === 'sql' && type.queries.some(({ name }) => name === selector.name),
  );
  const likely = named.filter((source) => exposes(source, selector.name));
  const met = [asked, likely, named].find((some) => some.length > 0) ?? [];
  return met.length === 0 ? undefined : met.reduce((least, { intervalMs }) => Math.min(least, intervalMs), Infinity);
}

const SAMPLED = new WeakMap<LintWorld, ReadonlyMap<string, MetricSource>>();

/** The sources that samples are kept of, by name: looked up for every selector of a large repository. */
function sampledSources(world: LintWorld): ReadonlyMap<string, MetricSource> {
  const known = SAMPLED.get(world);
  if (known !== undefined) return known;
  const sampled = world.sources.map(({ value }) => value).filter(({ type }) => type.kind !== 'prometheus');
  const byName = new Map(sampled.map((source) => [source.name, source]));
  SAMPLED.set(world, byName);
  return byName;
}

/** A source's name is the label `job` of all its series. */
function agrees({ name, op, value }: Matcher, job: string): boolean {
  if (name !== 'job') return true;
  if (op === '=') return value === job;
  if (op === '!=') return value !== job;
  const isMet = pattern(value)?.test(job) ?? true;
  return op === '=~' ? isMet : !isMet;
}

/** Good enough for names of sources: what differs between RE2 and JavaScript is not found in them. */
function pattern(text: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${text})$`);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Whether series of this name come from such a source, as far as names tell. */
function exposes({ type }: MetricSource, metric: string | undefined): boolean {
  if (metric === undefined) return true;
  if (metric.startsWith('probe_')) return type.kind === 'probe';
  if (metric.startsWith('node_')) return type.kind === 'host' || type.kind === 'scrape';
  if (type.kind === 'sql') return metric === 'sql_query_success';
  return type.kind === 'scrape' || type.kind === 'command';
}
