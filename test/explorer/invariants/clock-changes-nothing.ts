import { canonicalForm } from '../canonical/canonical-form.ts';
import type { Invariant } from './invariant.ts';

/** Every other invariant is judged by the time that really passed, also after the clock was set. */
export const CLOCK_CHANGES_NOTHING: Invariant = {
  name: 'clock-changes-nothing',
  statement: 'A clock running backwards changes none of this.',
  per: 'transition',
  violation: ({ world, move, before, after, plan }) => {
    if (move.kind !== 'setBack') return null;
    if (plan.actions.length > 0) return `${plan.actions[0]?.key} begins because the clock was set`;
    const event = plan.events.find(({ type }) => type !== 'policy.braked' && type !== 'policy.unbraked');
    if (event !== undefined) return `${event.type} because the clock was set`;
    const recordedAt = before.recordedAt + after.host.now - before.host.now;
    const [was, is] = [canonicalForm(world, before), canonicalForm(world, { ...after, recordedAt })];
    return was === is ? null : `what revertd knows is another than before: ${firstDifference(was, is)}`;
  },
};

function firstDifference(was: string, is: string): string {
  const parts = is.split('|');
  const index = was.split('|').findIndex((part, at) => part !== parts[at]);
  return `${was.split('|')[index]} became ${parts[index]}`;
}
