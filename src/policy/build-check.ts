import type { Check, CheckSpec, CheckThreshold } from '../core/model/check.ts';
import { buildContainerCheck } from './build-container.ts';
import {
  argvAt,
  type BuildContext,
  durationAt,
  fault,
  faultAtKey,
  pathAt,
  SHORTEST_TIMEOUT,
  unitAt,
  urlAt,
  valueOrigin,
} from './build-context.ts';
import { buildHttpExpectation } from './build-http-expectation.ts';
import { buildHeaders, buildThreshold, noteServer } from './build-parts.ts';
import { buildAuth } from './build-source-parts.ts';
import { buildSqlDatabase, buildSqlExpectation, checkReads, exactlyOne } from './build-sql-parts.ts';
import { checkQueryAt } from './check-query.ts';
import { digestOf } from './digest.ts';
import type { Path } from './path.ts';
import type { RawCheck, RawFileCheck, RawHttpCheck, RawRunCheck, RawTargetCheck } from './raw-documents.ts';

const DEFAULT_TIMEOUT_MS = 5_000;
const DEFAULT_JOURNAL_LINES = 20;
const DEFAULT_RUN_TIMEOUT_MS = 10_000;
/** The whole file is read. */
const DEFAULT_INTEGRITY_TIMEOUT_MS = 60_000;
const LEAST_CHANGE = { ms: 1_000, text: '1s' } as const;

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
  if (raw.sql !== undefined) return buildSqlCheck(context, [...path, 'sql'], raw.sql);
  if (raw.sqlite !== undefined) return buildSqliteCheck(context, [...path, 'sqlite'], raw.sqlite);
  if (raw.file !== undefined) return buildFileCheck(context, [...path, 'file'], raw.file);
  if (raw.target !== undefined) return buildTargetCheck(context, [...path, 'target'], raw.target);
  if (raw.unit !== undefined) {
    const at = [...path, 'unit'];
    return {
      kind: 'unit',
      unit: unitAt(context, [...at, 'name'], raw.unit.name),
      is: raw.unit.is,
      ...(raw.unit.journal === undefined ? {} : { journalLines: raw.unit.journal.lines ?? DEFAULT_JOURNAL_LINES }),
      timeoutMs: durationAt(context, [...at, 'timeout'], raw.unit.timeout, DEFAULT_TIMEOUT_MS, SHORTEST_TIMEOUT),
    };
  }
  const at = [...path, 'query'];
  const query = raw.query ?? { expr: '' };
  return buildQuery(context, at, query);
}

/** What makes a target intact must be seen on the host: asked of a target again it could go in a circle. */
function buildTargetCheck(context: BuildContext, path: Path, raw: RawTargetCheck): CheckSpec {
  const { name, is } = raw;
  const isIntact = is === 'intact';
  if (path[1] === 'check') {
    const message = 'what makes a target intact must be seen on the host; `target` would ask revertd itself';
    faultAtKey(context, path, 'E-CHECK', message);
  } else {
    const origin = valueOrigin(context, [...path, 'name']);
    context.references.push({ kind: 'Target', name, origin, ...(isIntact ? { needs: 'check' as const } : {}) });
  }
  return {
    kind: 'target',
    target: name,
    is: isIntact
      ? { kind: 'intact' }
      : {
          kind: 'changedSince',
          spanMs: durationAt(context, [...path, 'is', 'changedSince'], is.changedSince, 0, LEAST_CHANGE),
        },
    timeoutMs: durationAt(context, [...path, 'timeout'], raw.timeout, DEFAULT_INTEGRITY_TIMEOUT_MS, SHORTEST_TIMEOUT),
  };
}

function buildQuery(context: BuildContext, path: Path, raw: NonNullable<RawCheck['query']>): CheckSpec {
  const { source } = raw;
  const { text } = checkQueryAt(context, [...path, 'expr'], raw.expr, { lenient: source !== undefined });
  noteServer(context, [...path, 'source'], source);
  return {
    kind: 'query',
    expr: text,
    ...(source === undefined ? {} : { source }),
    threshold: buildCheckThreshold(context, path, raw),
  };
}

function buildHttp(context: BuildContext, path: Path, raw: RawHttpCheck): CheckSpec {
  return {
    kind: 'http',
    method: raw.method ?? 'GET',
    url: urlAt(context, [...path, 'url'], raw.url),
    headers: buildHeaders(context, [...path, 'headers'], raw.headers),
    ...buildAuth(context, [...path, 'auth'], raw.auth),
    ...(raw.body === undefined ? {} : { body: raw.body }),
    ...buildHttpExpectation(context, path, raw),
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

function buildCheckThreshold(context: BuildContext, path: Path, raw: NonNullable<RawCheck['query']>): CheckThreshold {
  return raw.equals === undefined ? buildThreshold(context, path, raw) : { kind: 'equals', value: raw.equals };
}

function buildSqlCheck(context: BuildContext, path: Path, raw: NonNullable<RawCheck['sql']>): CheckSpec {
  const database = buildSqlDatabase(context, path, raw, 'read');
  exactlyOne(context, path, raw, ['equals', 'above', 'below', 'outside', 'rows']);
  checkReads(context, [...path, 'query'], raw.query, database.kind);
  return {
    kind: 'sql',
    database,
    query: raw.query,
    expect: buildSqlExpectation(context, path, raw),
    timeoutMs: durationAt(context, [...path, 'timeout'], raw.timeout, DEFAULT_TIMEOUT_MS, SHORTEST_TIMEOUT),
  };
}

function buildSqliteCheck(context: BuildContext, path: Path, raw: NonNullable<RawCheck['sqlite']>): CheckSpec {
  return {
    kind: 'sqlite',
    path: pathAt(context, [...path, 'path'], raw.path, 'read'),
    is: raw.is,
    timeoutMs: durationAt(context, [...path, 'timeout'], raw.timeout, DEFAULT_INTEGRITY_TIMEOUT_MS, SHORTEST_TIMEOUT),
  };
}

function buildFileCheck(context: BuildContext, path: Path, raw: RawFileCheck): CheckSpec {
  const { contains, sha256, newerThan } = raw;
  const named = (['contains', 'sha256', 'newerThan'] as const).find((key) => raw[key] !== undefined);
  if (raw.is === 'absent' && named !== undefined) {
    fault(context, [...path, 'is'], 'E-FILE', `a file that is absent has nothing that \`${named}\` could ask for`);
  }
  return {
    kind: 'file',
    path: pathAt(context, [...path, 'path'], raw.path, 'read'),
    is: raw.is ?? 'present',
    ...(contains === undefined ? {} : { contains }),
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(newerThan === undefined ? {} : { newerThanMs: durationAt(context, [...path, 'newerThan'], newerThan, 0) }),
    timeoutMs: durationAt(context, [...path, 'timeout'], raw.timeout, DEFAULT_TIMEOUT_MS, SHORTEST_TIMEOUT),
  };
}
