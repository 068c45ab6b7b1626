import type { Action } from '../core/model/action.ts';
import { type Check, type CheckResult, describeContainerCheck } from '../core/model/check.ts';
import { describeCheck } from '../core/model/describe-check.ts';
import { documentPath } from '../core/model/flag.ts';
import type { Operation } from '../core/model/operation.ts';
import { describeStep, type Step } from '../core/model/step.ts';

/** What tests name actions by. */
export function actionText(action: Action): string {
  switch (action.kind) {
    case 'deliver':
      return `write ${documentPath(action.document)}`;
    case 'takeUp':
    case 'activate':
    case 'step':
      return describeStep(action.step);
    case 'restore':
      return `move ${action.target.name} to ${action.to}`;
    case 'keep':
      return `keep ${action.target.name}`;
    case 'rehearse':
      return `drill ${action.drill}`;
    case 'capture':
    case 'validate':
      return `${action.kind} ${action.point}`;
    case 'copy':
      return `copy ${action.point.id} ${action.copy.name}`;
    case 'collect':
      return 'collect';
    case 'notify':
      return `notify ${action.notifier}`;
    case 'report':
      return `report ${action.incident}`;
  }
}

/** What tests name checks by; a query needs no name, it is evaluated. */
export function checkText(check: Check): string {
  switch (check.kind) {
    case 'http':
      return `${check.method} ${check.url}`;
    case 'query':
      return check.expr;
    case 'unit':
      return `unit ${check.unit} is ${check.is}`;
    case 'container':
      return describeContainerCheck(check);
    case 'run':
      return `run ${check.argv.join(' ')}`;
    case 'sql':
    case 'sqlite':
    case 'file':
    case 'target':
      return describeCheck(check);
  }
}

/** The answer to a check that is no query, where the test says one. */
export type Answer = (check: Check) => CheckResult['outcome'] | undefined;

/** What the `unless` of a step says; false where the test says nothing, since a step is there to be done. */
export function unlessOutcome(step: Step, answer: Answer): CheckResult['outcome'] {
  const unless = unlessOf(step);
  if (unless.length === 0) return 'false';
  const answers = new Set(unless.map((check) => answer(check) ?? 'false'));
  return answers.has('false') ? 'false' : answers.has('unknown') ? 'unknown' : 'true';
}

export function unlessOf(step: Step): readonly Check[] {
  return step.kind === 'http' || step.kind === 'run' || step.kind === 'container' || step.kind === 'sql'
    ? step.unless
    : [];
}

/** RFC 9110, 9.2.2. */
const IDEMPOTENT = ['GET', 'HEAD', 'PUT', 'DELETE'];

/** What is found out after a restart about a step that had its effect before the kill; as the drivers answer. */
export function observedStep(operation: Operation, step: Step, answer: Answer): 'done' | 'notDone' | 'unknown' {
  if (operation.state === 'planned') return 'notDone';
  switch (step.kind) {
    case 'setFlag':
    case 'restore':
    case 'createPoint':
      return 'notDone';
    case 'service':
      return step.do.kind === 'reload' || step.do.kind === 'signal' ? 'notDone' : 'done';
    case 'container':
      return observedContainer(step, answer);
    case 'http':
      return IDEMPOTENT.includes(step.method) ? 'notDone' : observedRepetition(step, answer);
    case 'run':
      return observedRepetition(step, answer);
    case 'sql':
      // PostgreSQL tells whether a transaction was committed.
      return step.transaction && step.database.kind === 'postgres' ? 'done' : observedRepetition(step, answer);
    case 'editFile':
    case 'gitCommit':
      return 'done';
    case 'notify':
    case 'waitFor':
      return 'notDone';
  }
}

/** Whether `up` took the file as it is now cannot be seen; it may be repeated. */
function observedContainer(step: Extract<Step, { kind: 'container' }>, answer: Answer): 'done' | 'notDone' | 'unknown' {
  switch (step.do.kind) {
    case 'exec':
      return observedRepetition(step, answer);
    case 'signal':
      return step.do.signal === 'SIGHUP' ? 'notDone' : 'unknown';
    case 'up':
      return 'notDone';
    default:
      return 'done';
  }
}

function observedRepetition(
  step: Extract<Step, { kind: 'http' | 'run' | 'container' | 'sql' }>,
  answer: Answer,
): 'done' | 'notDone' | 'unknown' {
  if (step.unless.length === 0) return step.repeatable ? 'notDone' : 'unknown';
  const outcome = unlessOutcome(step, answer);
  if (outcome === 'true') return 'done';
  return outcome === 'false' || step.repeatable ? 'notDone' : 'unknown';
}
