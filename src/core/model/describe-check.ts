import { type CheckSpec, describeContainerCheck } from './check.ts';
import { describeFileCheck } from './file-check.ts';
import { describeExpectation, nameDatabase, shorten } from './sql-step.ts';
import { formatThreshold } from './trigger.ts';

/** A few words for plans, reports and people. */
export function describeCheck(check: CheckSpec): string {
  switch (check.kind) {
    case 'http':
      return `${check.method} ${check.url}`;
    case 'query':
      return `${check.expr} ${check.threshold.kind === 'equals' ? `= ${check.threshold.value}` : formatThreshold(check.threshold)}`;
    case 'unit':
      return `${check.unit} is ${check.is}`;
    case 'container':
      return describeContainerCheck(check);
    case 'run':
      return `run ${check.argv.join(' ')}`;
    case 'sql':
      return `${shorten(check.query)} on ${nameDatabase(check.database)} ${describeExpectation(check.expect)}`;
    case 'sqlite':
      return `${check.path} is ${check.is}`;
    case 'file':
      return describeFileCheck(check);
  }
}
