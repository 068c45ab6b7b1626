import type { Notifier } from '../../core/model/notifier.ts';
import type { AllowList } from '../allow-list.ts';
import { alertmanagerNotifier } from './alertmanager/index.ts';
import { commandNotifier } from './command/index.ts';
import { emailNotifier } from './email/index.ts';
import type { Delivery, Message, NotifierDriver, NotifierKind, SendContext } from './notifier-driver.ts';
import { slackNotifier } from './slack/index.ts';
import { webhookNotifier } from './webhook/index.ts';

/** One driver per type; the keys are the names of the folders beside this file. */
export const NOTIFIER_DRIVERS = {
  webhook: webhookNotifier,
  slack: slackNotifier,
  email: emailNotifier,
  alertmanager: alertmanagerNotifier,
  command: commandNotifier,
} satisfies { readonly [K in NotifierKind]: (host: { readonly allow: AllowList }) => NotifierDriver<K> };

export type Send = (notifier: Notifier, message: Message, context: SendContext) => Promise<Delivery>;

/** Sends through the driver of the notifier's type. */
export function createSend(host: { readonly allow: AllowList }): Send {
  const webhook = NOTIFIER_DRIVERS.webhook(host);
  const slack = NOTIFIER_DRIVERS.slack(host);
  const email = NOTIFIER_DRIVERS.email(host);
  const alertmanager = NOTIFIER_DRIVERS.alertmanager(host);
  const command = NOTIFIER_DRIVERS.command(host);
  return async (notifier, message, context) => {
    const { type } = notifier;
    switch (type.kind) {
      case 'webhook':
        return await webhook.send({ ...notifier, type }, message, context);
      case 'slack':
        return await slack.send({ ...notifier, type }, message, context);
      case 'email':
        return await email.send({ ...notifier, type }, message, context);
      case 'alertmanager':
        return await alertmanager.send({ ...notifier, type }, message, context);
      case 'command':
        return await command.send({ ...notifier, type }, message, context);
    }
  };
}
