import type { Millis } from '../units.ts';
import type { TlsFiles } from './metric-source.ts';
import type { Origin } from './origin.ts';
import type { SecretRef } from './secret-ref.ts';
import type { JsonValue } from './step.ts';

/** What a notifier can be told about; `resolved`, `exhausted` and `aborted` end an incident. */
export const NOTIFICATION_TOPICS = [
  'opened',
  'rung',
  'approval',
  'update',
  'escalated',
  'asking',
  'resolved',
  'exhausted',
  'aborted',
  'braked',
  'warning',
  'refused',
  'drift',
  'report',
  'points',
  'drill',
] as const;
/** `message`: what a `notify` step says. It names its notifiers itself, so that nobody asks for the topic. */
export type NotificationTopic = (typeof NOTIFICATION_TOPICS)[number] | 'message';

export type Notifier = {
  readonly name: string;
  readonly origin: Origin;
  readonly suspend: boolean;
  readonly on: readonly NotificationTopic[];
  readonly timeoutMs: Millis;
  readonly type: NotifierType;
  /** The team's own words for some topics. */
  readonly templates?: Readonly<Partial<Record<NotificationTopic, Template>>>;
};

/** A text of the policy folder with fields in it; its first line is the title. Checked when it was loaded. */
export type Template = { readonly file: string; readonly text: string };

export type NotifierType = WebhookType | SlackType | EmailType | AlertmanagerType | CommandType;

export type WebhookType = {
  readonly kind: 'webhook';
  readonly url: string | SecretRef;
  readonly headers: Readonly<Record<string, string | SecretRef>>;
  /** Signs the body: `X-Revertd-Signature: sha256=HMAC`. */
  readonly secret?: SecretRef;
  /** What is sent instead of the notification; its texts are templates. */
  readonly body?: JsonValue;
};

/** An incoming webhook of Slack, or of what speaks like it. Its address is a secret. */
export type SlackType = { readonly kind: 'slack'; readonly url: string | SecretRef };

export type EmailType = {
  readonly kind: 'email';
  readonly to: readonly string[];
  readonly from: string;
  readonly server: MailServer;
  readonly auth?: { readonly username: string; readonly password: SecretRef };
};

/**
 * `implicit`: TLS from the first byte (`smtps:`). `starttls`: nothing is said before the connection was secured.
 * `none`: in the clear, for a server on this host.
 */
export type MailServer = {
  readonly host: string;
  readonly port: number;
  readonly security: 'implicit' | 'starttls' | 'none';
  readonly tls?: TlsFiles;
};

/** An Alertmanager, by the address that its own pages have. */
export type AlertmanagerType = {
  readonly kind: 'alertmanager';
  readonly url: string;
  readonly headers: Readonly<Record<string, string | SecretRef>>;
  readonly labels: Readonly<Record<string, string>>;
};

/** Gets the notification as JSON on its standard input. */
export type CommandType = { readonly kind: 'command'; readonly argv: readonly string[] };
