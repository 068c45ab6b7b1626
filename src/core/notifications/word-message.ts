import type { Notifier } from '../model/notifier.ts';
import type { JsonValue } from '../model/step.ts';
import { parseTemplate } from '../templates/parse-template.ts';
import { renderTemplate } from '../templates/render-template.ts';
import { DEFAULT_TEMPLATES } from './default-templates.ts';
import { type MessageSource, messageFields } from './message-fields.ts';

export type Wording = { readonly title: string; readonly text: string };

const asItIs = (text: string): string => text;

/**
 * A message in the words of the notifier's template, or else of the default one. Only what is filled in is escaped: a
 * template is its author's own markup. The title is the first line; `text` is what follows the empty line after it.
 */
export function wordMessage(
  notifier: Pick<Notifier, 'templates'>,
  message: MessageSource,
  escape: (text: string) => string = asItIs,
): Wording {
  const template = notifier.templates?.[message.topic]?.text ?? DEFAULT_TEMPLATES[message.topic];
  const text = renderTemplate(parseTemplate(template).parts, messageFields(message), escape).trim();
  const end = text.indexOf('\n');
  if (end === -1) return { title: text, text: '' };
  return {
    title: text.slice(0, end).trim(),
    text: text
      .slice(end)
      .replaceAll(/\n{3,}/g, '\n\n')
      .trim(),
  };
}

/** The team's own title and text, where the notifier has a template for the topic; else the message as it is. */
export function inOwnWords<M extends MessageSource>(notifier: Pick<Notifier, 'templates'>, message: M): M {
  if (notifier.templates?.[message.topic] === undefined) return message;
  return { ...message, ...wordMessage(notifier, message) };
}

/** A JSON value whose texts are templates. Keys are left as they are. */
export function fillBody(body: JsonValue, message: MessageSource): JsonValue {
  const fields = messageFields(message);
  const fill = (value: JsonValue): JsonValue => {
    if (typeof value === 'string') return renderTemplate(parseTemplate(value).parts, fields, asItIs);
    if (Array.isArray(value)) return value.map(fill);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item)]));
  };
  return fill(body);
}
