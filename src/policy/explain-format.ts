import type { Wording } from './diagnostic.ts';
import { explainDuration } from './duration-text.ts';
import { quote, withArticle } from './found.ts';

export type Explained = Wording & { readonly code: string };

/** What is wrong with a text that has the right type but not the form that the schema's definition asks for. */
export function explainFormat(title: string, key: string, text: string, expected: string): Explained {
  const found = quote(text);
  const plain = `\`${key}\` is not right: found ${found}, expected ${expected}`;
  switch (title) {
    case 'duration with a unit':
      return { code: 'E-UNIT', ...explainDuration(key, text) };
    case 'size with a unit':
      return { code: 'E-UNIT', found, expected, message: plain };
    case 'name':
    case 'variant name':
      return { code: 'E-NAME', found, expected, ...explainName(key, text) };
    case 'environment variable name':
    case 'header name':
      return {
        code: 'E-NAME',
        found,
        expected,
        message: `${found} is not ${withArticle(title)}; expected ${expected}`,
      };
    case 'label name':
      return { code: 'E-NAME', found, expected, ...explainLabel(text, expected) };
    case 'absolute path':
      return { code: 'E-PATH', found, expected, message: `\`${key}\` is not an absolute path: found ${found}` };
    case 'http or https address':
      return { code: 'E-URL', found, expected, ...explainUrl(key, text) };
    case 'systemd unit name with its suffix':
      return { code: 'E-UNIT-NAME', found, expected, ...explainUnitName(key, text) };
    case 'JSON pointer':
      return { code: 'E-POINTER', found, expected, ...explainPointer(key, text) };
    default:
      return { code: 'E-FORMAT', found, expected, message: plain };
  }
}

const NAME_RULE = 'up to 63 letters, digits, ".", "_" and "-", beginning and ending with a letter or digit';

function explainName(key: string, text: string): Wording {
  const hint = hintForName(text);
  const message = `${quote(text)} cannot be a name${key === '' ? '' : ` (\`${key}\`)`}: names are ${NAME_RULE}${hint}`;
  const slug = text
    .trim()
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replaceAll(/^[._-]+|[._-]+$/g, '')
    .slice(0, 63);
  return hint === '' && slug !== '' && slug !== text ? { message, suggestion: slug } : { message };
}

function hintForName(text: string): string {
  if (/\{\{|\{%/.test(text)) return '; is this a template that was not rendered?';
  return /[\u2018-\u201f\u00ab\u00bb]/.test(text) ? '; typographic quotes are no quotes to YAML: type " instead' : '';
}

function explainLabel(text: string, expected: string): Wording {
  if (/^(job|instance|__.*)$/.test(text)) {
    return {
      message: `the label ${text} is set by revertd: job is the source's name, instance the target; choose another`,
    };
  }
  return { message: `${quote(text)} is not a label name; expected ${expected}` };
}

function explainUrl(key: string, text: string): Wording {
  const message = `\`${key}\` is not an http or https address: found ${quote(text)}`;
  return /^[\w.-]+(:\d+)?(\/|$)/.test(text) ? { message, suggestion: `http://${text}` } : { message };
}

function explainUnitName(key: string, text: string): Wording {
  const message = `\`${key}\` is not a systemd unit with its suffix: found ${quote(text)}`;
  return /^[A-Za-z0-9:_.\\@-]+$/.test(text) ? { message, suggestion: `${text}.service` } : { message };
}

function explainPointer(key: string, text: string): Wording {
  const message = `\`${key}\` is not a JSON pointer: found ${quote(text)}; it begins with / and has / between its parts`;
  return /^[\w-]+([./][\w-]+)*$/.test(text) ? { message, suggestion: `/${text.replaceAll('.', '/')}` } : { message };
}
