import type { MetricSource, SampledType } from '../core/model/metric-source.ts';
import type { Millis } from '../core/units.ts';
import { argvAt, type BuildContext, durationAt, fault, pathAt, unitAt, urlAt, valueOrigin } from './build-context.ts';
import { buildHeaders } from './build-parts.ts';
import { buildProbe } from './build-probe.ts';
import { buildAuth, buildLimits, buildTls, timeoutWithin } from './build-source-parts.ts';
import { buildSql } from './build-sql.ts';
import type { Path } from './path.ts';
import type {
  RawCommand,
  RawDocument,
  RawHostSource,
  RawMetricSource,
  RawPrometheus,
  RawScrape,
} from './raw-documents.ts';

const DEFAULT_INTERVAL_MS = 15_000;
const SHORTEST_INTERVAL = { ms: 100, text: '100ms' } as const;
const DEFAULT_RETRIES = 2;

export function buildMetricSource(context: BuildContext, raw: RawDocument<RawMetricSource>): MetricSource {
  const { spec, metadata } = raw;
  const intervalMs = durationAt(context, ['spec', 'interval'], spec.interval, DEFAULT_INTERVAL_MS, SHORTEST_INTERVAL);
  return {
    name: metadata.name,
    origin: valueOrigin(context, []),
    suspend: spec.suspend ?? false,
    intervalMs,
    type: buildType(context, spec, intervalMs),
  };
}

/** The schema has seen to it that there is exactly one. */
function buildType(context: BuildContext, spec: RawMetricSource, intervalMs: Millis): MetricSource['type'] {
  if (spec.scrape !== undefined) return buildScrape(context, ['spec', 'scrape'], spec.scrape, intervalMs);
  if (spec.host !== undefined) return buildHost(context, ['spec', 'host'], spec.host, intervalMs);
  if (spec.sql !== undefined) return buildSql(context, ['spec', 'sql'], spec.sql, intervalMs);
  if (spec.command !== undefined) return buildCommand(context, ['spec', 'command'], spec.command, intervalMs);
  if (spec.prometheus !== undefined) {
    return buildPrometheus(context, ['spec', 'prometheus'], spec.prometheus, intervalMs);
  }
  return buildProbe(context, ['spec', 'probe'], spec.probe ?? {}, intervalMs);
}

function buildScrape(context: BuildContext, path: Path, raw: RawScrape, intervalMs: Millis): SampledType {
  return {
    kind: 'scrape',
    targets: raw.targets.map((target, index) => urlAt(context, [...path, 'targets', index], target)),
    labels: { ...raw.labels },
    timeoutMs: timeoutWithin(context, [...path, 'timeout'], raw.timeout, intervalMs),
    ...buildAuth(context, [...path, 'auth'], raw.auth),
    ...buildTls(context, [...path, 'tls'], raw.tls),
    ...buildLimits(context, [...path, 'limits'], raw.limits),
  };
}

function buildHost(context: BuildContext, path: Path, raw: RawHostSource, intervalMs: Millis): SampledType {
  const filesystems = raw.filesystems?.map((text, index) =>
    pathAt(context, [...path, 'filesystems', index], text, 'read'),
  );
  return {
    kind: 'host',
    units: (raw.units ?? []).map((unit, index) => unitAt(context, [...path, 'units', index], unit)),
    ...(filesystems === undefined ? {} : { filesystems }),
    labels: { ...raw.labels },
    timeoutMs: timeoutWithin(context, [...path, 'timeout'], raw.timeout, intervalMs),
  };
}

function buildCommand(context: BuildContext, path: Path, raw: RawCommand, intervalMs: Millis): SampledType {
  return {
    kind: 'command',
    argv: argvAt(context, [...path, 'argv'], raw.argv),
    labels: { ...raw.labels },
    timeoutMs: timeoutWithin(context, [...path, 'timeout'], raw.timeout, intervalMs),
    ...buildLimits(context, [...path, 'limits'], raw.limits),
  };
}

function buildPrometheus(
  context: BuildContext,
  path: Path,
  raw: RawPrometheus,
  intervalMs: Millis,
): MetricSource['type'] {
  const url = urlAt(context, [...path, 'url'], raw.url);
  if (/\/api\/v1\b/.test(url)) {
    const suggestion = url.replace(/\/api\/v1.*$/, '');
    const message = `\`url\` ends before /api/v1, which revertd adds: write ${suggestion}`;
    fault(context, [...path, 'url'], 'E-URL', { message, found: url, suggestion });
  }
  return {
    kind: 'prometheus',
    url,
    headers: buildHeaders(context, [...path, 'headers'], raw.headers),
    ...buildAuth(context, [...path, 'auth'], raw.auth),
    ...buildTls(context, [...path, 'tls'], raw.tls),
    timeoutMs: timeoutWithin(context, [...path, 'timeout'], raw.timeout, intervalMs),
    retries: raw.retries ?? DEFAULT_RETRIES,
  };
}
