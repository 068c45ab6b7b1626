import type { Millis } from '../units.ts';
import type { Origin } from './origin.ts';
import type { SecretRef } from './secret-ref.ts';

/** What a notifier can be told about; `resolved` and `exhausted` end an incident. */
export const NOTIFICATION_TOPICS = [
  'opened',
  'rung',
  'approval',
  'asking',
  'resolved',
  'exhausted',
  'aborted',
  'braked',
  'warning',
  'refused',
  'drift',
] as const;
export type NotificationTopic = (typeof NOTIFICATION_TOPICS)[number];

export type Notifier = {
  readonly name: string;
  readonly origin: Origin;
  readonly suspend: boolean;
  readonly on: readonly NotificationTopic[];
  readonly timeoutMs: Millis;
  readonly type: WebhookType | CommandType;
};

export type WebhookType = {
  readonly kind: 'webhook';
  readonly url: string | SecretRef;
  readonly headers: Readonly<Record<string, string | SecretRef>>;
  /** Signs the body: `X-Revertd-Signature: sha256=HMAC`. */
  readonly secret?: SecretRef;
};

/** Gets the notification as JSON on its standard input. */
export type CommandType = { readonly kind: 'command'; readonly argv: readonly string[] };
