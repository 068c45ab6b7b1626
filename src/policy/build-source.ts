import { RE2JS, RE2JSException } from 're2js';
import type { HttpProbe, MetricSource, ScrapeAuth, ScrapeType } from '../core/model/metric-source.ts';
import { formatDuration, type Millis } from '../core/units.ts';
import { type BuildContext, durationAt, fault, pathAt, SHORTEST_TIMEOUT, urlAt, valueOrigin } from './build-context.ts';
import { buildHeaders, buildStatus, checkSecret } from './build-parts.ts';
import { hasVariable } from './host-variables.ts';
import type { Path } from './path.ts';
import type { RawDocument, RawHttpProbe, RawMetricSource, RawScrape } from './raw-documents.ts';
import { parseSize } from './size-text.ts';

const DEFAULT_INTERVAL_MS = 15_000;
const LONGEST_DEFAULT_TIMEOUT_MS = 10_000;
const EVERY_2XX: readonly number[] = Array.from({ length: 100 }, (_, index) => 200 + index);
const SHORTEST_INTERVAL = { ms: 100, text: '100ms' } as const;

export function buildMetricSource(context: BuildContext, raw: RawDocument<RawMetricSource>): MetricSource {
  const { spec, metadata } = raw;
  const intervalMs = durationAt(context, ['spec', 'interval'], spec.interval, DEFAULT_INTERVAL_MS, SHORTEST_INTERVAL);
  return {
    name: metadata.name,
    origin: valueOrigin(context, []),
    suspend: spec.suspend ?? false,
    intervalMs,
    type:
      spec.scrape === undefined
        ? {
            kind: 'probe',
            http: buildProbe(context, ['spec', 'probe', 'http'], spec.probe?.http ?? { url: '' }, intervalMs),
          }
        : buildScrape(context, ['spec', 'scrape'], spec.scrape, intervalMs),
  };
}

function buildScrape(context: BuildContext, path: Path, raw: RawScrape, intervalMs: Millis): ScrapeType {
  const auth = buildAuth(context, [...path, 'auth'], raw.auth);
  return {
    kind: 'scrape',
    targets: raw.targets.map((target, index) => urlAt(context, [...path, 'targets', index], target)),
    labels: { ...raw.labels },
    timeoutMs: timeoutWithin(context, [...path, 'timeout'], raw.timeout, intervalMs),
    ...(auth === undefined ? {} : { auth }),
    ...(raw.tls === undefined ? {} : { tls: buildTls(context, [...path, 'tls'], raw.tls) }),
    ...(raw.limits === undefined ? {} : { limits: buildLimits(context, [...path, 'limits'], raw.limits) }),
  };
}

function buildAuth(context: BuildContext, path: Path, raw: RawScrape['auth']): ScrapeAuth | undefined {
  if (raw?.basic !== undefined) {
    const password = checkSecret(context, [...path, 'basic', 'password'], raw.basic.password);
    return { kind: 'basic', username: raw.basic.username, password };
  }
  if (raw?.bearer === undefined) return undefined;
  return { kind: 'bearer', token: checkSecret(context, [...path, 'bearer'], raw.bearer) };
}

function buildTls(
  context: BuildContext,
  path: Path,
  raw: NonNullable<RawScrape['tls']>,
): NonNullable<ScrapeType['tls']> {
  if (raw.caFile !== undefined) pathAt(context, [...path, 'caFile'], raw.caFile, 'read');
  return { ...raw };
}

function buildLimits(
  context: BuildContext,
  path: Path,
  raw: NonNullable<RawScrape['limits']>,
): NonNullable<ScrapeType['limits']> {
  const bytes = raw.bytes === undefined || hasVariable(raw.bytes) ? undefined : parseSize(raw.bytes);
  if (bytes === undefined && raw.bytes !== undefined && !hasVariable(raw.bytes)) {
    fault(context, [...path, 'bytes'], 'E-UNIT', `\`bytes\` is not a size such as 10MiB: found "${raw.bytes}"`);
  }
  return {
    ...(bytes === undefined ? {} : { bytes }),
    ...(raw.samples === undefined ? {} : { samples: raw.samples }),
  };
}

/** A sampling that outlasts its interval would meet the next one. */
function timeoutWithin(context: BuildContext, path: Path, text: string | undefined, intervalMs: Millis): Millis {
  const fallbackMs = Math.min(intervalMs, LONGEST_DEFAULT_TIMEOUT_MS);
  const timeoutMs = durationAt(context, path, text, fallbackMs, SHORTEST_TIMEOUT);
  if (timeoutMs <= intervalMs) return timeoutMs;
  const interval = formatDuration(intervalMs);
  const message = `\`timeout\` (${text}) is longer than the interval (${interval}); write at most ${interval}`;
  fault(context, path, 'E-TIMEOUT', { message, found: text ?? '', expected: `at most ${interval}` });
  return fallbackMs;
}

function buildProbe(context: BuildContext, path: Path, raw: RawHttpProbe, intervalMs: Millis): HttpProbe {
  if (raw.bodyMatches !== undefined) checkPattern(context, [...path, 'bodyMatches'], raw.bodyMatches);
  return {
    method: raw.method ?? 'GET',
    url: urlAt(context, [...path, 'url'], raw.url),
    headers: buildHeaders(context, [...path, 'headers'], raw.headers),
    status: raw.status === undefined ? EVERY_2XX : buildStatus(raw.status),
    ...(raw.bodyContains === undefined ? {} : { bodyContains: raw.bodyContains }),
    ...(raw.bodyMatches === undefined ? {} : { bodyMatches: raw.bodyMatches }),
    timeoutMs: timeoutWithin(context, [...path, 'timeout'], raw.timeout, intervalMs),
  };
}

function checkPattern(context: BuildContext, path: Path, pattern: string): void {
  try {
    RE2JS.compile(pattern);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    fault(context, path, 'E-PATTERN', `\`bodyMatches\` is not a regular expression (RE2): ${error.message}`);
  }
}
