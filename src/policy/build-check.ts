import type { Check, CheckSpec } from '../core/model/check.ts';
import { buildContainerCheck } from './build-container.ts';
import {
  argvAt,
  type BuildContext,
  durationAt,
  pathAt,
  SHORTEST_TIMEOUT,
  unitAt,
  urlAt,
  valueOrigin,
} from './build-context.ts';
import { buildHeaders, buildStatus, buildThreshold } from './build-parts.ts';
import { checkQueryAt } from './check-query.ts';
import { digestOf } from './digest.ts';
import type { Path } from './path.ts';
import type { RawCheck, RawHttpCheck, RawRunCheck } from './raw-documents.ts';

const DEFAULT_TIMEOUT_MS = 5_000;
const DEFAULT_RUN_TIMEOUT_MS = 10_000;

export function buildChecks(context: BuildContext, path: Path, raw: readonly RawCheck[] | undefined): readonly Check[] {
  return (raw ?? []).map((check, index) => buildCheck(context, [...path, index], check));
}

function buildCheck(context: BuildContext, path: Path, raw: RawCheck): Check {
  const spec = buildSpec(context, path, raw);
  return { key: digestOf(spec), origin: valueOrigin(context, path), ...spec };
}

function buildSpec(context: BuildContext, path: Path, raw: RawCheck): CheckSpec {
  if (raw.http !== undefined) return buildHttp(context, [...path, 'http'], raw.http);
  if (raw.container !== undefined) return buildContainerCheck(context, [...path, 'container'], raw.container);
  if (raw.run !== undefined) return buildRun(context, [...path, 'run'], raw.run);
  if (raw.unit !== undefined) {
    const at = [...path, 'unit'];
    return {
      kind: 'unit',
      unit: unitAt(context, [...at, 'name'], raw.unit.name),
      is: raw.unit.is,
      timeoutMs: durationAt(context, [...at, 'timeout'], raw.unit.timeout, DEFAULT_TIMEOUT_MS, SHORTEST_TIMEOUT),
    };
  }
  const at = [...path, 'query'];
  const query = raw.query ?? { expr: '' };
  const { text } = checkQueryAt(context, [...at, 'expr'], query.expr);
  return { kind: 'query', expr: text, threshold: buildThreshold(context, at, query) };
}

function buildHttp(context: BuildContext, path: Path, raw: RawHttpCheck): CheckSpec {
  return {
    kind: 'http',
    method: raw.method ?? 'GET',
    url: urlAt(context, [...path, 'url'], raw.url),
    headers: buildHeaders(context, [...path, 'headers'], raw.headers),
    status: buildStatus(raw.status),
    ...(raw.bodyContains === undefined ? {} : { bodyContains: raw.bodyContains }),
    timeoutMs: durationAt(context, [...path, 'timeout'], raw.timeout, DEFAULT_TIMEOUT_MS, SHORTEST_TIMEOUT),
  };
}

function buildRun(context: BuildContext, path: Path, raw: RawRunCheck): CheckSpec {
  return {
    kind: 'run',
    argv: argvAt(context, [...path, 'argv'], raw.argv),
    ...(raw.cwd === undefined ? {} : { cwd: pathAt(context, [...path, 'cwd'], raw.cwd, 'read') }),
    env: { ...raw.env },
    timeoutMs: durationAt(context, [...path, 'timeout'], raw.timeout, DEFAULT_RUN_TIMEOUT_MS, SHORTEST_TIMEOUT),
  };
}
