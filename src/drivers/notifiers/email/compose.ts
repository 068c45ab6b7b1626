import { wordMessage } from '../../../core/notifications/word-message.ts';
import { escapeHtml } from '../../../core/templates/escape-html.ts';
import type { Message, NotifierOf } from '../notifier-driver.ts';

/** A mail as bytes: plain text, the same as HTML, and the report of a closed incident as a file. */
export async function composeMail(
  { type, templates }: Pick<NotifierOf<'email'>, 'type' | 'templates'>,
  message: Message,
): Promise<Buffer> {
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer');
  const { title, text } = wordMessage(templates === undefined ? {} : { templates }, message);
  const composer = new MailComposer({
    from: type.from,
    to: [...type.to],
    subject: title,
    text: `${text}\n`,
    html: htmlOf(title, text),
    date: new Date(message.at),
    messageId: `<${idOf(message.id, message.host)}>`,
    // All mails of an incident are one thread.
    ...(message.incident === undefined
      ? {}
      : { references: `<${idOf(`${message.incident}/${message.about?.startedAt ?? ''}`, message.host)}>` }),
    headers: {
      'Auto-Submitted': 'auto-generated',
      'X-Revertd-Topic': message.topic,
      ...(message.severity === 'critical' ? { Importance: 'high' } : {}),
    },
    disableFileAccess: true,
    disableUrlAccess: true,
    attachments:
      message.report === undefined
        ? []
        : [
            {
              filename: `${message.incident ?? 'report'}.html`,
              content: message.report.html,
              contentType: 'text/html',
            },
          ],
  });
  return await composer.compile().build();
}

/** The same for every attempt, and no two messages have the same. */
function idOf(id: string, host: string): string {
  const domain = host.replaceAll(/[^A-Za-z0-9.-]/g, '-');
  return `${Buffer.from(id).toString('base64url')}@${domain === '' ? 'localhost' : domain}.revertd`;
}

/** Mail clients know little of HTML, so it is the text with its lines kept. */
function htmlOf(title: string, text: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>${escapeHtml(title)}</title></head>
<body><h2 style="font-family:sans-serif">${escapeHtml(title)}</h2>
<div style="font-family:sans-serif;line-height:1.5;white-space:pre-wrap">${escapeHtml(text)}</div></body></html>
`;
}
