import type { Step, StepKind } from '../../core/model/step.ts';
import type { HostStep, HostStepKind } from '../../drivers/steps/step-driver.ts';

/** What a decision does itself, or has done by an operation of another kind. The compiler asks for each kind. */
const IS_DECISION: { readonly [K in Exclude<StepKind, HostStepKind>]: true } = {
  setFlag: true,
  restore: true,
  createPoint: true,
  notify: true,
};

/** Whether a driver carries the step out; the others are decisions. */
export function isHostStep(step: Step): step is HostStep {
  return !Object.hasOwn(IS_DECISION, step.kind);
}
