import type { Invariant } from './invariant.ts';

/** There is no rung yet that can lose data, and no approval: so no action may say that it does. */
export const CONSENT_TO_DATA_LOSS: Invariant = {
  name: 'consent-to-data-loss',
  statement: 'No rung that loses data without its approval.',
  per: 'transition',
  violation: ({ plan }) => {
    const lossy = plan.actions.find(({ losesData }) => losesData);
    return lossy === undefined ? null : `${lossy.key} loses data, and nobody approved it`;
  },
};
