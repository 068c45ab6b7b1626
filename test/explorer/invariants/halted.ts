import type { EventType } from '../../../src/core/event.ts';
import type { Invariant } from './invariant.ts';

const STEPS = new Set<EventType>([
  'rung.entered',
  'rung.skipped',
  'rung.failed',
  'step.started',
  'step.finished',
  'verification.started',
  'verification.ended',
]);

export const HALTED: Invariant = {
  name: 'halted',
  statement: 'Halted: no new step.',
  per: 'transition',
  violation: ({ after, plan }) => {
    if (!after.host.halted) return null;
    const action = plan.actions.find(({ kind }) => kind !== 'notify' && kind !== 'report');
    if (action !== undefined) return `${action.key} begins while everything is halted`;
    const moving = plan.events.find(
      (event) => STEPS.has(event.type) || (event.type === 'hold.lifted' && !event.id.startsWith('adoption:')),
    );
    return moving === undefined ? null : `${moving.type} while everything is halted`;
  },
};
