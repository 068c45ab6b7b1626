import { type CheckSpec, type CheckThreshold, describeContainerCheck } from './check.ts';
import { describeFileCheck } from './file-check.ts';
import { describeExpectation, nameDatabase, shorten } from './sql-step.ts';
import { describeTargetCheck } from './target-check.ts';
import { type BaselineThreshold, formatThreshold } from './trigger.ts';

/** A few words for plans, reports and people. */
export function describeCheck(check: CheckSpec): string {
  switch (check.kind) {
    case 'http':
      return `${check.method} ${check.url}`;
    case 'query':
      return `${check.expr}${check.source === undefined ? '' : ` of ${check.source}`} ${formatCheckThreshold(check.threshold)}`;
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
    case 'target':
      return describeTargetCheck(check);
  }
}

/** Of a check, which may also ask for one value exactly. */
export function formatCheckThreshold(threshold: CheckThreshold | BaselineThreshold): string {
  return threshold.kind === 'equals' ? `= ${threshold.value}` : formatThreshold(threshold);
}
