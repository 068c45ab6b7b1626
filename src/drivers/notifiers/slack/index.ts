import { wordMessage } from '../../../core/notifications/word-message.ts';
import { formatInstant } from '../../../core/units.ts';
import type { AllowList } from '../../allow-list.ts';
import type { Message, NotifierDriver, NotifierOf } from '../notifier-driver.ts';
import { post } from '../post.ts';

/** Block Kit's limits, in characters. */
const LONGEST_HEADER = 150;
const LONGEST_SECTION = 3_000;
/** A message has at most 50 blocks; what does not fit in some sections is in the report. */
const MOST_SECTIONS = 5;

/**
 * POSTs to an incoming webhook of Slack: a header, the text as mrkdwn, and whose it is. `text` is what notifications of
 * the desktop show. A message has no identity there, so one that was delivered and not acknowledged appears twice.
 */
export function slackNotifier(host: { readonly allow: AllowList }): NotifierDriver<'slack'> {
  return {
    send: (notifier, message, context) => {
      const { type, timeoutMs } = notifier;
      return post(
        host.allow,
        { url: type.url, headers: {}, body: JSON.stringify(payload(notifier, message)), timeoutMs },
        context,
      );
    },
  };
}

function payload(notifier: Pick<NotifierOf<'slack'>, 'templates'>, message: Message) {
  const { title, text } = wordMessage(notifier, message, escapeMrkdwn);
  const foot = [message.host, message.severity, formatInstant(message.at), message.incident ?? message.policy ?? ''];
  return {
    text: cut(title, LONGEST_SECTION),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: cut(unescape(title), LONGEST_HEADER), emoji: false } },
      ...sections(text).map((part) => ({ type: 'section', text: { type: 'mrkdwn', text: part } })),
      {
        type: 'context',
        elements: [{ type: 'mrkdwn', text: escapeMrkdwn(foot.filter((part) => part !== '').join(' · ')) }],
      },
    ],
  };
}

/** The three characters that mrkdwn gives a meaning to; without them nothing that is filled in mentions or links. */
export function escapeMrkdwn(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** A header is plain text, in which entities would show. */
function unescape(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

/** Whole lines as long as they fit. A section must not be empty. */
function sections(text: string): string[] {
  const parts: string[] = [];
  for (const line of text.split('\n')) {
    const last = parts.at(-1);
    const together = last === undefined ? line : `${last}\n${line}`;
    if (last !== undefined && together.length <= LONGEST_SECTION) parts[parts.length - 1] = together;
    else parts.push(cut(line, LONGEST_SECTION));
  }
  return parts.filter((part) => part.trim() !== '').slice(0, MOST_SECTIONS);
}

function cut(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1).toWellFormed()}…`;
}
