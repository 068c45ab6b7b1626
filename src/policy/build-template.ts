import { dirname, join } from 'node:path/posix';
import type { NotificationTopic, Template } from '../core/model/notifier.ts';
import type { Origin } from '../core/model/origin.ts';
import type { JsonValue } from '../core/model/step.ts';
import { MESSAGE_SHAPE } from '../core/notifications/message-fields.ts';
import { checkTemplate, type Shape } from '../core/templates/check-template.ts';
import { parseTemplate, type TemplateFault } from '../core/templates/parse-template.ts';
import type { BuildContext } from './build-context.ts';
import { fault } from './build-context.ts';
import { errorAt } from './diagnostic.ts';
import { indexLines, placeOf } from './line-index.ts';
import type { Path } from './path.ts';
import { originInText } from './policy-document.ts';
import { isTemplatePath } from './policy-paths.ts';

/** One text with more faults than that is faulty as a whole. */
const MOST_FAULTS_OF_A_TEXT = 10;
const HOST_FIELD = /(\$?)\$\{host\.([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** The templates that a notifier names, read from the policy folder, held against the fields that there are. */
export function buildTemplates(
  context: BuildContext,
  path: Path,
  raw: Readonly<Partial<Record<NotificationTopic, string>>>,
): Readonly<Partial<Record<NotificationTopic, Template>>> {
  const entries = Object.entries(raw).map(([topic, named]) => [topic, readTemplate(context, [...path, topic], named)]);
  return Object.fromEntries(entries.filter(([, template]) => template !== undefined));
}

function readTemplate(context: BuildContext, path: Path, named: string): Template | undefined {
  const file = join(dirname(context.document.file), named);
  const found = context.templates.get(file);
  if (found === undefined) {
    fault(context, path, 'E-TEMPLATE-FILE', { message: missingText(named, file), found: named });
    return undefined;
  }
  if (!found.ok) {
    context.diagnostics.push(found.diagnostic);
    return undefined;
  }
  const lines = indexLines(found.text);
  return { file, text: checked(context, found.text, (offset) => ({ file, ...placeOf(lines, offset) })) };
}

function missingText(named: string, file: string): string {
  if (file.startsWith('../') || named.startsWith('/'))
    return `a template is a file of the policy folder: found ${named}`;
  if (isTemplatePath(file)) return `there is no file ${file} in the policy folder`;
  return `a template is a file \`.md\` or \`.txt\` in a folder \`templates\`: found ${named}`;
}

/** A JSON value whose texts are templates, standing in the document itself. */
export function buildBody(context: BuildContext, path: Path, raw: JsonValue): JsonValue {
  if (typeof raw === 'string') {
    return checked(context, raw, (offset) => originInText(context.document, path, offset));
  }
  if (Array.isArray(raw)) return raw.map((item, index) => buildBody(context, [...path, index], item));
  if (typeof raw !== 'object' || raw === null) return raw;
  return Object.fromEntries(Object.entries(raw).map(([key, item]) => [key, buildBody(context, [...path, key], item)]));
}

/** The text with the host's variables filled in; what is wrong with it is among the diagnostics. */
function checked(context: BuildContext, text: string, originOf: (offset: number) => Origin): string {
  const { parts, faults } = parseTemplate(text);
  const all: TemplateFault[] = [...faults, ...checkTemplate(parts, shapeFor(context, text))];
  for (const { offset, ...wording } of all.slice(0, MOST_FAULTS_OF_A_TEXT)) {
    context.diagnostics.push(errorAt(originOf(offset), 'E-TEMPLATE', wording));
  }
  const { host } = context;
  if (host === undefined) return text;
  return text.replaceAll(HOST_FIELD, (mark, escape: string, name: string) => {
    const value = escape === '' ? host.lookup(name) : undefined;
    return value === undefined ? mark : value.replaceAll('${', () => '$${');
  });
}

/** Where no host is known, any of its variables may be there. `host.name` is the host's name, unless it has such a variable. */
function shapeFor({ host }: BuildContext, text: string): Shape {
  const names = host?.names ?? [...text.matchAll(HOST_FIELD)].map(([, , name = '']) => name);
  return {
    ...MESSAGE_SHAPE,
    host: { ...MESSAGE_SHAPE.host, ...Object.fromEntries(names.map((name) => [name, 'text'])) },
  };
}
