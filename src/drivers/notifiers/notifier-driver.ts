import type { Notification } from '../../core/model/notification.ts';
import type { Notifier } from '../../core/model/notifier.ts';
import type { Millis } from '../../core/units.ts';
import type { SecretResolver } from '../secrets.ts';

export type NotifierKind = Notifier['type']['kind'];

export type NotifierOf<K extends NotifierKind> = Notifier & { readonly type: Extract<Notifier['type'], { kind: K }> };

/** The notification as it leaves the host: with the host's name, and without secrets. */
export type Message = Notification & { readonly host: string };

export type SendContext = {
  readonly signal: AbortSignal;
  readonly secrets: SecretResolver;
  readonly now: () => Millis;
};

/** `retry` tells whether the same message may get through later. */
export type Delivery =
  | { readonly outcome: 'delivered'; readonly detail: string }
  | { readonly outcome: 'failed'; readonly retry: boolean; readonly detail: string };

export type NotifierDriver<K extends NotifierKind> = {
  /** One attempt, within the notifier's deadline. Never rejects. */
  readonly send: (notifier: NotifierOf<K>, message: Message, context: SendContext) => Promise<Delivery>;
};
