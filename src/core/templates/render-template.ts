import type { Template } from './parse-template.ts';

/** What a template can show: texts, lists of records, and objects of these. */
export type Fields = { readonly [name: string]: FieldValue };
export type FieldValue = string | readonly Fields[] | Fields;

/** No message needs more; a list can be as long as an incident is. */
const LONGEST_CHARACTERS = 100_000;

/**
 * The text with its fields filled in, each passed through `escape` once and never read as a template itself. A field that
 * is not there is empty. Within a section over a list its item's fields go before the outer ones.
 */
export function renderTemplate(template: Template, fields: Fields, escape: (text: string) => string): string {
  const text = renderParts(template, [fields], escape);
  return text.length <= LONGEST_CHARACTERS ? text : `${text.slice(0, LONGEST_CHARACTERS)}…`;
}

function renderParts(template: Template, scopes: readonly Fields[], escape: (text: string) => string): string {
  return template
    .map((part): string => {
      switch (part.kind) {
        case 'text':
          return part.text;
        case 'field': {
          const value = lookUp(scopes, part.name);
          return typeof value === 'string' ? escape(value) : '';
        }
        case 'section': {
          const items = itemsOf(lookUp(scopes, part.name));
          if (part.inverted) return items.length === 0 ? renderParts(part.parts, scopes, escape) : '';
          return items.map((item) => renderParts(part.parts, [item, ...scopes], escape)).join('');
        }
      }
    })
    .join('');
}

const NOTHING: Fields = {};

function itemsOf(value: FieldValue | undefined): readonly Fields[] {
  if (value === undefined || value === '') return [];
  if (typeof value === 'string') return [NOTHING];
  return isList(value) ? value : [value];
}

function lookUp(scopes: readonly Fields[], name: string): FieldValue | undefined {
  const [first = '', ...rest] = name.split('.');
  const scope = scopes.find((fields) => Object.hasOwn(fields, first));
  let value: FieldValue | undefined = scope?.[first];
  for (const part of rest) {
    value = typeof value === 'object' && !isList(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  }
  return value;
}

function isList(value: FieldValue): value is readonly Fields[] {
  return Array.isArray(value);
}
