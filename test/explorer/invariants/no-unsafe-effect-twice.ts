import { unrepeatableStep } from '../model/witness.ts';
import type { Invariant } from './invariant.ts';

export const NO_UNSAFE_EFFECT_TWICE: Invariant = {
  name: 'no-unsafe-effect-twice',
  statement: 'No unsafe effect twice.',
  per: 'transition',
  violation: ({ plan, before, known }) => {
    for (const operation of plan.operations) {
      const { key } = operation.action;
      const isUnderWay = before.host.running.some(
        ({ id, action }) => action.key === key && isStillThere(plan.memory, id),
      );
      if (isUnderWay) return `${key} begins while it is under way`;
      const step = unrepeatableStep(operation);
      if (step !== null && known.done.some((one) => one.step === step.step)) {
        return `${key} begins again, although it was done or may have been, and nobody asked for it`;
      }
    }
    return null;
  },
};

function isStillThere(memory: { readonly operations: Readonly<Record<string, unknown>> }, id: string): boolean {
  return Object.hasOwn(memory.operations, id);
}
