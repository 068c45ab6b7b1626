import type { Notification } from '../model/notification.ts';
import type { Shape } from '../templates/check-template.ts';
import type { Fields } from '../templates/render-template.ts';
import { formatInstant } from '../units.ts';

/** What a template of a message can show. Fields of an incident, and of a drill, are empty in messages of other topics. */
export const MESSAGE_SHAPE = {
  id: 'text',
  topic: 'text',
  severity: 'text',
  title: 'text',
  text: 'text',
  at: 'text',
  policy: 'text',
  revision: 'text',
  host: { name: 'text' },
  incident: {
    id: 'text',
    policy: 'text',
    severity: 'text',
    status: 'text',
    rung: 'text',
    reason: 'text',
    outcome: 'text',
    startedAt: 'text',
    endedAt: 'text',
    duration: 'text',
    breachedFor: 'text',
    rto: 'text',
    level: 'text',
    command: 'text',
    report: 'text',
    triggers: { trigger: 'text', value: 'text', threshold: 'text', labels: 'text', since: 'text' },
    walked: { rung: 'text', outcome: 'text', reason: 'text' },
  },
  drill: {
    name: 'text',
    policy: 'text',
    mode: 'text',
    outcome: 'text',
    reason: 'text',
    startedAt: 'text',
    duration: 'text',
    rto: 'text',
    before: 'text',
    rungs: { rung: 'text', outcome: 'text', duration: 'text' },
  },
} as const satisfies Shape;

/** `report` is the Markdown of a report that is written, in messages of that topic. */
export type MessageSource = Notification & { readonly host: string; readonly report?: { readonly markdown: string } };

export function messageFields(message: MessageSource): Fields {
  const { id, topic, severity, title, text, at, policy = '', revision = '', host, about, report } = message;
  const drill: Fields = message.drill === undefined ? {} : { ...message.drill };
  const incident: Fields = about === undefined ? {} : { ...about, report: report?.markdown ?? '' };
  return {
    id,
    topic,
    severity,
    title,
    text,
    at: formatInstant(at),
    policy,
    revision,
    host: { name: host },
    incident,
    drill,
  };
}
