import { formatDuration } from '../../../core/units.ts';
import type { AllowList } from '../../allow-list.ts';
import { startDeadline } from '../../deadline.ts';
import { SecretError } from '../../secrets.ts';
import type { Delivery, Message, NotifierDriver, NotifierOf, SendContext } from '../notifier-driver.ts';
import { composeMail } from './compose.ts';
import { MailFault, submitMail } from './smtp.ts';

/** Gives each message as a mail to an SMTP server; it is delivered when the server has accepted it. */
export function emailNotifier(host: { readonly allow: AllowList }): NotifierDriver<'email'> {
  return {
    send: async (notifier, message, context) => {
      const { server } = notifier.type;
      const refused = host.allow.mayConnect(server.host, server.port);
      if (refused !== undefined) return { outcome: 'failed', retry: false, detail: refused };
      try {
        return await submit(notifier, message, context);
      } catch (error) {
        return blame(error, notifier, context);
      }
    },
  };
}

async function submit(
  notifier: NotifierOf<'email'>,
  message: Message,
  { signal, secrets }: SendContext,
): Promise<Delivery> {
  const { server, auth, from, to } = notifier.type;
  const login =
    auth === undefined ? undefined : { username: auth.username, password: await secrets.resolve(auth.password) };
  const envelope = { from: addressOf(from), to: to.map(addressOf) };
  const mail = await composeMail(notifier, message);
  const deadline = startDeadline(signal, notifier.timeoutMs);
  const answer = await submitMail(server, login, envelope, mail, deadline.signal);
  return { outcome: 'delivered', detail: secrets.redact(`the mail server accepted it: ${answer}`) };
}

/** `Name <a@b>` is for the mail's head; the server wants the address alone. */
function addressOf(text: string): string {
  return /<([^<>]+)>\s*$/.exec(text)?.[1] ?? text;
}

function blame(error: unknown, { timeoutMs }: NotifierOf<'email'>, { secrets }: SendContext): Delivery {
  if (error instanceof SecretError) return { outcome: 'failed', retry: true, detail: error.message };
  if (!(error instanceof MailFault)) throw error;
  const detail = secrets.redact(`${error.message} (it has at most ${formatDuration(timeoutMs)})`);
  return { outcome: 'failed', retry: error.code === 'failed', detail };
}
