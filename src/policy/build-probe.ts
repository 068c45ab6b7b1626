import type { HttpProbe, ProbeType, TcpProbe, UnitProbe } from '../core/model/metric-source.ts';
import type { Millis } from '../core/units.ts';
import { type BuildContext, fault, refuseUnless, unitAt, urlAt } from './build-context.ts';
import { buildHeaders, buildStatus } from './build-parts.ts';
import { buildAuth, buildTls, checkPattern, timeoutWithin } from './build-source-parts.ts';
import { hasVariable } from './host-variables.ts';
import type { Path } from './path.ts';
import type { RawHttpProbe, RawMetricSource, RawTcpProbe, RawUnitProbe } from './raw-documents.ts';

const EVERY_2XX: readonly number[] = Array.from({ length: 100 }, (_, index) => 200 + index);

/** The schema has seen to it that there is exactly one. */
export function buildProbe(
  context: BuildContext,
  path: Path,
  raw: NonNullable<RawMetricSource['probe']>,
  intervalMs: Millis,
): ProbeType {
  if (raw.tcp !== undefined) return { kind: 'probe', probe: buildTcp(context, [...path, 'tcp'], raw.tcp, intervalMs) };
  if (raw.unit !== undefined) {
    return { kind: 'probe', probe: buildUnit(context, [...path, 'unit'], raw.unit, intervalMs) };
  }
  return { kind: 'probe', probe: buildHttp(context, [...path, 'http'], raw.http ?? { url: '' }, intervalMs) };
}

function buildHttp(context: BuildContext, path: Path, raw: RawHttpProbe, intervalMs: Millis): HttpProbe {
  checkPattern(context, [...path, 'bodyMatches'], raw.bodyMatches);
  return {
    kind: 'http',
    method: raw.method ?? 'GET',
    url: urlAt(context, [...path, 'url'], raw.url),
    headers: buildHeaders(context, [...path, 'headers'], raw.headers),
    ...buildAuth(context, [...path, 'auth'], raw.auth),
    ...buildTls(context, [...path, 'tls'], raw.tls),
    ...(raw.body === undefined ? {} : { body: raw.body }),
    status: raw.status === undefined ? EVERY_2XX : buildStatus(raw.status),
    ...(raw.bodyContains === undefined ? {} : { bodyContains: raw.bodyContains }),
    ...(raw.bodyMatches === undefined ? {} : { bodyMatches: raw.bodyMatches }),
    timeoutMs: timeoutWithin(context, [...path, 'timeout'], raw.timeout, intervalMs),
  };
}

function buildTcp(context: BuildContext, path: Path, raw: RawTcpProbe, intervalMs: Millis): TcpProbe {
  checkPattern(context, [...path, 'bannerMatches'], raw.bannerMatches);
  checkAddress(context, [...path, 'address'], raw.address);
  return {
    kind: 'tcp',
    address: raw.address,
    ...buildTls(context, [...path, 'tls'], raw.tls === true ? {} : raw.tls),
    ...(raw.bannerMatches === undefined ? {} : { bannerMatches: raw.bannerMatches }),
    timeoutMs: timeoutWithin(context, [...path, 'timeout'], raw.timeout, intervalMs),
  };
}

/** As a URL its host and port are judged by the same list as those of http addresses. */
function checkAddress(context: BuildContext, path: Path, address: string): void {
  if (hasVariable(address)) return;
  const url = /^[^/@?#\s]+:\d+$/.test(address) ? URL.parse(`http://${address}`) : null;
  if (url !== null) return refuseUnless(context, path, context.allow.url?.(`http://${address}`));
  const message = `\`address\` is not a host and a port such as 127.0.0.1:5432: found "${address}"`;
  fault(context, path, 'E-ADDRESS', { message, found: address });
}

function buildUnit(context: BuildContext, path: Path, raw: RawUnitProbe, intervalMs: Millis): UnitProbe {
  return {
    kind: 'unit',
    name: unitAt(context, [...path, 'name'], raw.name),
    is: raw.is ?? 'active',
    timeoutMs: timeoutWithin(context, [...path, 'timeout'], raw.timeout, intervalMs),
  };
}
