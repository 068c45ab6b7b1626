import type { Threshold, Trigger } from '../core/model/trigger.ts';
import type { Expr } from '../promql/ast.ts';
import { selectorsOf, usesAbsence } from '../promql/inspect.ts';
import { type BuildContext, doubt, durationAt, fault, faultAtKey, valueOrigin } from './build-context.ts';
import { buildThreshold, noteServer } from './build-parts.ts';
import { type CheckedQuery, checkQueryAt, dropsGoodData } from './check-query.ts';
import { digestOf } from './digest.ts';
import type { Path } from './path.ts';
import type { RawBaseline, RawTrigger } from './raw-documents.ts';

export function buildTrigger(context: BuildContext, path: Path, raw: RawTrigger): Trigger {
  const query = checkQueryAt(context, [...path, 'query'], raw.query, { lenient: raw.source !== undefined });
  const threshold = buildTriggerThreshold(context, path, raw);
  const clear = buildClear(context, [...path, 'clear'], raw.clear, threshold);
  const forMs = durationAt(context, [...path, 'for'], raw.for, 0);
  const meaning = {
    query: query.text,
    ...(raw.source === undefined ? {} : { source: raw.source }),
    threshold,
    forMs,
    ...(clear === undefined ? {} : { clear }),
    noData: raw.noData ?? 'hold',
    severity: raw.severity ?? 'critical',
    ...buildDecision(context, [...path, 'decision'], raw.decision),
  };
  noteServer(context, [...path, 'source'], raw.source);
  noteSampling(context, path, forMs, raw.source === undefined ? query : { ...query, remote: raw.source });
  doubtQuery(context, [...path, 'query'], query, meaning.noData);
  return {
    name: raw.name,
    origin: valueOrigin(context, path),
    digest: digestOf(meaning),
    ...meaning,
    ...(raw.startAt === undefined ? {} : { startAt: raw.startAt }),
    windowMs: query.windowMs,
    ...(query.expr !== undefined && watchesAbsence(query.expr) ? { watchesAbsence: true } : {}),
  };
}

function buildDecision(context: BuildContext, path: Path, raw: RawTrigger['decision']): Pick<Trigger, 'decision'> {
  if (raw === undefined) return {};
  const least = { ms: 1_000, text: '1s' };
  return { decision: { fixForwardMs: durationAt(context, [...path, 'fixForward'], raw.fixForward, 0, least) } };
}

/** Whether it asks if something answers at all: of many that ask so, many breaching at once is what happened. */
function watchesAbsence(expr: Expr): boolean {
  return usesAbsence(expr) || selectorsOf(expr).some(({ name = '' }) => name === 'up' || name.startsWith('probe_'));
}

function buildTriggerThreshold(context: BuildContext, path: Path, raw: RawTrigger): Trigger['threshold'] {
  const { above, below, outside } = raw;
  if (typeof above === 'object') return buildBaseline(context, [...path, 'above'], 'above', above);
  if (typeof below === 'object') return buildBaseline(context, [...path, 'below'], 'below', below);
  return buildThreshold(context, path, {
    ...(above === undefined ? {} : { above }),
    ...(below === undefined ? {} : { below }),
    ...(outside === undefined ? {} : { outside }),
  });
}

const BASELINE_SHORTEST = { ms: 60_000, text: '1m' };
const BASELINE_DOUBTFUL_MS = 600_000;
/** History is kept for a limited time. */
const BASELINE_LONGEST_MS = 30 * 86_400_000;

function buildBaseline(
  context: BuildContext,
  path: Path,
  side: 'above' | 'below',
  raw: RawBaseline,
): Trigger['threshold'] {
  const overMs = durationAt(context, [...path, 'over'], raw.over, 0, BASELINE_SHORTEST);
  if (overMs > BASELINE_LONGEST_MS) {
    const message = '`over` is at most 30d, for no longer are readings kept';
    fault(context, [...path, 'over'], 'E-RANGE', { message, found: raw.over, expected: 'at most 30d' });
  }
  if (overMs >= BASELINE_SHORTEST.ms && overMs < BASELINE_DOUBTFUL_MS) {
    const message = `a baseline over ${raw.over} follows a fault that comes slowly, and so does not reveal it; 10m or more is better`;
    doubt(context, [...path, 'over'], 'W-BASELINE', message);
  }
  if (side === 'above' ? raw.baseline <= 1 : raw.baseline >= 1) {
    const bound = side === 'above' ? 'greater than 1' : 'less than 1';
    const message = `\`${side}\` so many times the baseline must be ${bound}, or the usual value would breach`;
    fault(context, [...path, 'baseline'], 'E-RANGE', { message, found: String(raw.baseline), expected: bound });
  }
  return { kind: 'baseline', side, factor: raw.baseline, overMs };
}

function buildClear(
  context: BuildContext,
  path: Path,
  raw: RawTrigger['clear'],
  threshold: Trigger['threshold'],
): Trigger['clear'] | undefined {
  if (raw === undefined) return undefined;
  const clear = buildThreshold(context, path, raw);
  checkSide(context, path, clear, threshold);
  return { threshold: clear, forMs: durationAt(context, [...path, 'for'], raw.for, 0) };
}

/** What clears must lie on the good side of the threshold, else one value would breach and clear at once. */
function checkSide(context: BuildContext, path: Path, clear: Threshold, threshold: Trigger['threshold']): void {
  if (clear.kind === 'outside') return;
  const at = [...path, clear.kind];
  if (threshold.kind === 'outside') {
    const message = '`clear` goes with `above` or `below`; a trigger with `outside` clears inside of its range';
    faultAtKey(context, path, 'E-CLEAR', message);
    return;
  }
  const side = threshold.kind === 'baseline' ? threshold.side : threshold.kind;
  if (clear.kind === side) {
    const other = side === 'above' ? 'below' : 'above';
    const message = `\`clear\` is on the wrong side: a trigger with \`${side}\` clears \`${other}\` a value`;
    faultAtKey(context, at, 'E-CLEAR', { message, found: clear.kind, expected: other, suggestion: other });
    return;
  }
  // What a baseline comes to is known only when it is evaluated.
  if (threshold.kind === 'baseline') return;
  const overlaps = threshold.kind === 'above' ? clear.value > threshold.value : clear.value < threshold.value;
  if (!overlaps) return;
  const bound = threshold.kind === 'above' ? 'at most' : 'at least';
  const message = `\`clear\` is on the wrong side: found ${clear.kind} ${clear.value}, but the trigger breaches ${threshold.kind} ${threshold.value}; expected ${bound} ${threshold.value}`;
  fault(context, at, 'E-CLEAR', { message, found: String(clear.value), expected: `${bound} ${threshold.value}` });
}

/** How often a remote server samples is not known here; only how often it is asked. */
function noteSampling(
  context: BuildContext,
  path: Path,
  forMs: number,
  query: CheckedQuery & { readonly remote?: string },
): void {
  const { windowMs, expr, remote } = query;
  if (expr === undefined && remote === undefined) return;
  const jobs = remote === undefined ? query.jobs : [remote];
  if (forMs > 0) {
    context.samplings.push({ what: 'for', spanMs: forMs, origin: valueOrigin(context, [...path, 'for']), jobs });
  }
  if (remote !== undefined) return;
  context.samplings.push({ what: 'window', spanMs: windowMs, origin: valueOrigin(context, [...path, 'query']), jobs });
}

function doubtQuery(context: BuildContext, path: Path, query: CheckedQuery, noData: Trigger['noData']): void {
  const reason = query.expr === undefined || noData !== 'hold' ? undefined : dropsGoodData(query.expr);
  if (reason === undefined) return;
  const advice = 'leave the comparison to above, below or outside, or write `noData: clear`';
  doubt(
    context,
    path,
    'W-QUERY-FILTER',
    `${reason}: with \`noData: hold\` the trigger would fire and never clear; ${advice}`,
  );
}
