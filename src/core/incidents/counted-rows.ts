import type { Incident } from '../model/incident.ts';
import type { SqlStatement, SqlStep } from '../model/sql-step.ts';
import type { Step } from '../model/step.ts';

/** The step with the numbers that people agreed to as bounds; a step that names none is the same one. */
export function withAgreedRows(step: Step, incident: Pick<Incident, 'agreed'>): Step {
  if (step.kind !== 'sql' || step.script.kind !== 'statements' || !step.script.statements.some(isBound)) return step;
  const statements = step.script.statements.map((statement) => {
    const { atMostCounted: _bound, ...rest } = statement;
    const atMost = agreedFor(statement, incident);
    return atMost === null ? statement : { ...rest, rows: { ...rest.rows, atMost } };
  });
  return { ...step, script: { kind: 'statements', statements } };
}

/** Why the step must not be begun: it is bound by a count that nobody knows; null if it may. */
export function countObstacle(step: Step, incident: Pick<Incident, 'agreed'>): string | null {
  const missing = boundStatements(step).find((statement) => agreedFor(statement, incident) === null);
  if (missing === undefined) return null;
  const label = missing.atMostCounted === true ? 'what would be lost' : `"${missing.atMostCounted}"`;
  return `nothing is done, for ${label} was not counted when people agreed, and no number of rows bounds the statement`;
}

/** The statements of the step that are bound by a count. */
export function boundStatements(step: SqlStep | Step): readonly SqlStatement[] {
  return step.kind === 'sql' && step.script.kind === 'statements' ? step.script.statements.filter(isBound) : [];
}

function isBound({ atMostCounted }: SqlStatement): boolean {
  return atMostCounted !== undefined;
}

/** Null where the statement is bound by a count that is not known. */
function agreedFor({ atMostCounted }: SqlStatement, { agreed = {} }: Pick<Incident, 'agreed'>): number | null {
  if (atMostCounted === undefined) return null;
  const label = atMostCounted === true ? Object.keys(agreed)[0] : atMostCounted;
  return label === undefined || !Object.hasOwn(agreed, label) ? null : (agreed[label] ?? null);
}
