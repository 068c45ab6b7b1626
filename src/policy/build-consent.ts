import type { ApprovalRule } from '../core/model/approval.ts';
import type { DataLoss, Measure, MeasureSpec } from '../core/model/measure.ts';
import type { Rung } from '../core/model/policy.ts';
import { bindParams } from '../core/sql/bind-params.ts';
import { buildChecks } from './build-check.ts';
import {
  type BuildContext,
  doubt,
  durationAt,
  fault,
  faultAtKey,
  type Reference,
  SHORTEST_TIMEOUT,
  valueOrigin,
} from './build-context.ts';
import { buildSqlDatabase, checkReads } from './build-sql-parts.ts';
import { checkQueryAt } from './check-query.ts';
import { digestOf } from './digest.ts';
import type { Path } from './path.ts';
import type { RawApproval, RawDataLoss, RawMeasure, RawRung } from './raw-documents.ts';

const DEFAULT_WITHIN_MS = 15 * 60_000;
/** People wait for it. */
const DEFAULT_COUNT_MS = 10_000;
/** People have to read what they are asked. */
const SHORTEST_WITHIN = { ms: 10_000, text: '10s' };

/** What a rung loses, and who must agree to it. */
export function buildConsent(context: BuildContext, path: Path, raw: RawRung): Pick<Rung, 'dataLoss' | 'approval'> {
  const { dataLoss, approval } = raw;
  if (dataLoss !== undefined && approval === undefined) {
    const message = `the rung "${raw.rung}" loses data, so somebody must agree to it: add \`approval\``;
    faultAtKey(context, [...path, 'dataLoss'], 'E-NO-APPROVAL', { message, expected: 'approval: {roles: {ROLE: 1}}' });
  }
  return {
    ...(dataLoss === undefined ? {} : { dataLoss: buildLoss(context, [...path, 'dataLoss'], dataLoss) }),
    ...(approval === undefined ? {} : { approval: buildApproval(context, [...path, 'approval'], approval) }),
  };
}

/** What a single count is called. */
const ONLY_LABEL = 'rows';

function buildLoss(context: BuildContext, path: Path, { target, text, count = {} }: RawDataLoss): DataLoss {
  if (target !== undefined) refer(context, [...path, 'target'], target);
  const counts =
    typeof count === 'string'
      ? [{ label: ONLY_LABEL, measure: buildMeasure(context, [...path, 'count'], count, target) }]
      : Object.entries(count).map(([label, raw]) => ({
          label,
          measure: buildMeasure(context, [...path, 'count', label], raw, target),
        }));
  return { ...(target === undefined ? {} : { target }), ...(text === undefined ? {} : { text }), counts };
}

function buildMeasure(
  context: BuildContext,
  path: Path,
  raw: string | RawMeasure,
  target: string | undefined,
): Measure {
  const spec = measureSpec(context, path, raw, target);
  return { key: digestOf(spec), origin: valueOrigin(context, path), ...spec };
}

function measureSpec(
  context: BuildContext,
  path: Path,
  raw: string | RawMeasure,
  target: string | undefined,
): MeasureSpec {
  if (typeof raw === 'string') return countInTarget(context, path, raw, target);
  if (raw.query !== undefined) {
    return { kind: 'query', expr: checkQueryAt(context, [...path, 'query'], raw.query).text };
  }
  const at = [...path, 'sql'];
  const database = buildSqlDatabase(context, at, raw.sql, 'read');
  checkReads(context, [...at, 'query'], raw.sql.query, database.kind);
  return {
    kind: 'sql',
    on: { kind: 'database', database },
    query: raw.sql.query,
    ...pointOf(context, [...at, 'query'], raw.sql.query, target),
    timeoutMs: durationAt(context, [...at, 'timeout'], raw.sql.timeout, DEFAULT_COUNT_MS, SHORTEST_TIMEOUT),
  };
}

/** A bare SELECT is counted in the target's own database. */
function countInTarget(context: BuildContext, path: Path, query: string, target: string | undefined): MeasureSpec {
  if (target === undefined) {
    const message =
      'it is not said which database counts; name the `target` that is put back, or {sql: {sqlite: PATH, query: SELECT}}';
    fault(context, path, 'E-NO-DATABASE', { message, expected: 'target: NAME' });
    return { kind: 'sql', on: { kind: 'target', target: '' }, query, timeoutMs: DEFAULT_COUNT_MS };
  }
  refer(context, path, target, 'database');
  checkReads(context, path, query, 'postgres');
  const on = { kind: 'target', target } as const;
  return { kind: 'sql', on, query, ...pointOf(context, path, query, target), timeoutMs: DEFAULT_COUNT_MS };
}

/** `:point` is the end of what was captured of a target, so there has to be one. */
function pointOf(
  context: BuildContext,
  path: Path,
  query: string,
  target: string | undefined,
): { readonly point?: string } {
  if (bindParams(query, ['point'], 'postgres').names.length === 0) return {};
  if (target === undefined) {
    const message = '`:point` is the end of the restore point that is gone back to; name its `target` under `dataLoss`';
    fault(context, path, 'E-NO-POINT', { message, expected: 'target: NAME' });
    return {};
  }
  refer(context, path, target);
  return { point: target };
}

function refer(context: BuildContext, path: Path, name: string, needs?: Reference['needs']): void {
  const origin = valueOrigin(context, path);
  context.references.push({ kind: 'Target', name, origin, ...(needs === undefined ? {} : { needs }) });
}

function buildApproval(context: BuildContext, path: Path, raw: RawApproval): ApprovalRule {
  const { roles, override } = raw;
  for (const role of Object.keys(roles)) doubtRole(context, [...path, 'roles', role], role);
  if (override !== undefined) doubtRole(context, [...path, 'override', 'role'], override.role);
  for (const [index, name] of (override?.notify ?? []).entries()) {
    const origin = valueOrigin(context, [...path, 'override', 'notify', index]);
    context.references.push({ kind: 'Notifier', name, origin });
  }
  return {
    roles,
    withinMs: durationAt(context, [...path, 'within'], raw.within, DEFAULT_WITHIN_MS, SHORTEST_WITHIN),
    onTimeout: raw.onTimeout ?? 'escalate',
    ...(override === undefined
      ? {}
      : {
          override: {
            role: override.role,
            when: buildChecks(context, [...path, 'override', 'when'], override.when),
            notify: override.notify ?? [],
          },
        }),
  };
}

/** Roles are the host's; where no host is known nothing can be said. */
function doubtRole(context: BuildContext, path: Path, role: string): void {
  if (context.roles === undefined || context.roles.includes(role)) return;
  const message = `nobody on this host has the role "${role}" (\`roles\` of its configuration), so nobody can fill it`;
  doubt(context, path, 'W-NO-ROLE', message);
}
