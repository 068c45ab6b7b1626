import type { Millis } from '../../../src/core/units.ts';
import type { Invariant } from './invariant.ts';
import { decided } from './story.ts';

/** After the first failure; twice as long after each further one. */
const FIRST_WAIT_MS: Millis = 300_000;
const MOST_TRIES = 6;

export const CAPTURE_RETRIES_END: Invariant = {
  name: 'capture-retries-end',
  statement: 'A capture that a schedule asked for and that failed is tried again, less and less often, five times.',
  per: 'transition',
  violation: (transition) => {
    const { elapsedMs } = transition.after.host;
    const { events } = transition.plan;
    for (const { event, known } of decided(transition, 'point.begun')) {
      const { id, cause, policy } = event.point;
      if (cause.kind !== 'schedule' || policy === null) continue;
      const tries = known.stock.tries[policy];
      const next = events[events.indexOf(event) + 1];
      if (next?.type === 'schedule.served' && next.dueAt !== tries?.dueAt) continue;
      if (tries === undefined) return `${id} begins, and no schedule asked for it`;
      if (tries.count >= MOST_TRIES) return `${id} is try ${tries.count + 1} of the same capture`;
      const waitMs = FIRST_WAIT_MS * 2 ** (tries.count - 1);
      if (elapsedMs - tries.lastMs < waitMs) return `${id} is tried again after ${elapsedMs - tries.lastMs} ms`;
    }
    return null;
  },
};
