import type { Notification } from '../../core/model/notification.ts';
import type { Notifier } from '../../core/model/notifier.ts';
import type { Millis } from '../../core/units.ts';
import type { SecretResolver } from '../secrets.ts';

export type NotifierKind = Notifier['type']['kind'];

export type NotifierOf<K extends NotifierKind> = Notifier & { readonly type: Extract<Notifier['type'], { kind: K }> };

/** The notification as it leaves the host: with the host's name, and without secrets. */
export type Message = Notification & {
  readonly host: string;
  /** The report that the message is about, in messages of that topic. */
  readonly report?: WrittenReport;
};

export type WrittenReport = { readonly markdown: string; readonly html: string };

export type SendContext = {
  readonly signal: AbortSignal;
  readonly secrets: SecretResolver;
  readonly now: () => Millis;
};

/** `retry` tells whether the same message may get through later; `retryAfterMs` how long the receiver asks to be left alone. */
export type Delivery =
  | { readonly outcome: 'delivered'; readonly detail: string }
  | {
      readonly outcome: 'failed';
      readonly retry: boolean;
      readonly detail: string;
      readonly retryAfterMs?: Millis;
    };

export type NotifierDriver<K extends NotifierKind> = {
  /** One attempt, within the notifier's deadline. Never rejects. */
  readonly send: (notifier: NotifierOf<K>, message: Message, context: SendContext) => Promise<Delivery>;
};

/** For receivers of JSON the report's text is enough. */
export function withoutHtml({ report, ...message }: Message): Omit<Message, 'report'> & {
  readonly report?: { readonly markdown: string };
} {
  return report === undefined ? message : { ...message, report: { markdown: report.markdown } };
}
