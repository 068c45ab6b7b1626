import type { Step } from '../../core/model/step.ts';
import type { HostStep } from '../../drivers/steps/step-driver.ts';

/** Whether a driver carries the step out; the others are decisions. */
export function isHostStep(step: Step): step is HostStep {
  return step.kind !== 'setFlag' && step.kind !== 'restore' && step.kind !== 'notify';
}
