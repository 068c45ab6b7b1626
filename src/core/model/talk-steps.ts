import type { Millis } from '../units.ts';
import type { Check } from './check.ts';
import type { Notification } from './notification.ts';

/** Queues a message for notifiers, also for those that ask for no topic of it. It waits for nobody. */
export type NotifyStep = {
  readonly kind: 'notify';
  readonly to: readonly string[];
  readonly text: string;
  readonly severity: Notification['severity'];
};

/** Done when all checks have been true for so long, unbroken. */
export type WaitForStep = { readonly kind: 'waitFor'; readonly checks: readonly Check[]; readonly forMs: Millis };
