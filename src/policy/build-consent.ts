import type { ApprovalRule } from '../core/model/approval.ts';
import type { DataLoss, Measure } from '../core/model/measure.ts';
import type { Rung } from '../core/model/policy.ts';
import { buildChecks } from './build-check.ts';
import { type BuildContext, doubt, durationAt, faultAtKey, valueOrigin } from './build-context.ts';
import { checkQueryAt } from './check-query.ts';
import { digestOf } from './digest.ts';
import type { Path } from './path.ts';
import type { RawApproval, RawDataLoss, RawRung } from './raw-documents.ts';

const DEFAULT_WITHIN_MS = 15 * 60_000;
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

function buildLoss(context: BuildContext, path: Path, { text, count = {} }: RawDataLoss): DataLoss {
  const counts = Object.entries(count).map(([label, { query }]) => {
    const at = [...path, 'count', label, 'query'];
    const spec = { kind: 'query', expr: checkQueryAt(context, at, query).text } as const;
    const measure: Measure = { key: digestOf(spec), origin: valueOrigin(context, at), ...spec };
    return { label, measure };
  });
  return { ...(text === undefined ? {} : { text }), counts };
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
