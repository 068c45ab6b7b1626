import { REALERT_EVERY_MS } from '../../../core/notifications/tell-by-time.ts';
import { inOwnWords } from '../../../core/notifications/word-message.ts';
import { formatInstant, type Millis } from '../../../core/units.ts';
import type { AllowList } from '../../allow-list.ts';
import { resolveTexts } from '../../secrets.ts';
import { type Message, type NotifierDriver, type NotifierOf, withoutHtml } from '../notifier-driver.ts';
import { post } from '../post.ts';

/** An alert that nobody repeats ends by itself; three repetitions may be missed. */
const LASTS_MS: Millis = 4 * REALERT_EVERY_MS;
/** revertd can do no more, and will not say when it is over: the alert stays until a person silences it, or for a day. */
const EXHAUSTED_LASTS_MS: Millis = 86_400_000;

/**
 * POSTs to `/api/v2/alerts` of an Alertmanager. Of an incident all messages are one alert, for they have the same
 * labels: `startsAt` is its opening, `endsAt` its end or, while it is open, some minutes ahead. Other messages are
 * alerts of their own, which end some minutes later.
 */
export function alertmanagerNotifier(host: { readonly allow: AllowList }): NotifierDriver<'alertmanager'> {
  return {
    send: (notifier, message, context) =>
      post(
        host.allow,
        async () => ({
          url: notifier.type.url,
          below: '/api/v2/alerts',
          headers: await resolveTexts(notifier.type.headers, context.secrets),
          body: JSON.stringify([alertOf(notifier, inOwnWords(notifier, withoutHtml(message)), context.now())]),
          timeoutMs: notifier.timeoutMs,
        }),
        context,
      ),
  };
}

function alertOf({ type }: NotifierOf<'alertmanager'>, message: Omit<Message, 'report'>, now: Millis) {
  const { id, topic, severity, title, text, at, host, policy, incident, about } = message;
  const labels = {
    ...type.labels,
    alertname: `Revertd${capitalised(incident === undefined ? topic : 'incident')}`,
    severity: incident === undefined ? severity : (about?.severity ?? severity),
    host,
    ...(policy === undefined ? {} : { policy }),
    // What is no incident's is told from others of its kind by the id alone.
    ...(incident === undefined ? { message: id } : { incident }),
  };
  return {
    labels,
    annotations: {
      summary: title,
      ...(text === '' ? {} : { description: text }),
      ...(about === undefined ? {} : { status: about.status, reason: about.reason, command: about.command }),
    },
    startsAt: about?.startedAt ?? formatInstant(at),
    endsAt: endOf(message, now),
  };
}

/** As alerts are named by those who write them. */
function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function endOf({ about }: Omit<Message, 'report'>, now: Millis): string {
  if (about === undefined || about.endedAt === '') return formatInstant(now + LASTS_MS);
  return about.status === 'exhausted' ? formatInstant(Date.parse(about.endedAt) + EXHAUSTED_LASTS_MS) : about.endedAt;
}
