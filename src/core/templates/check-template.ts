import { nearestName } from '../nearest-name.ts';
import type { Template, TemplateFault } from './parse-template.ts';

/** The fields that there are: a text, or what an object or each item of a list holds. */
export type Shape = { readonly [name: string]: Shape | 'text' };

/** Fields that do not exist, each with the nearest one that does. */
export function checkTemplate(template: Template, shape: Shape): TemplateFault[] {
  return checkParts(template, [shape]);
}

function checkParts(template: Template, scopes: readonly Shape[]): TemplateFault[] {
  return template.flatMap((part): TemplateFault[] => {
    if (part.kind === 'text') return [];
    const found = find(scopes, part.name);
    if (found === undefined) return [unknown(part.name, part.offset, scopes), ...inside(part, scopes)];
    if (part.kind === 'section') return inside(part, found === 'text' ? scopes : [found, ...scopes]);
    if (found === 'text') return [];
    const names = Object.keys(found).map((name) => `${part.name}.${name}`);
    const message = `\${${part.name}} is no text but holds ${names.slice(0, 6).join(', ')}${names.length > 6 ? ' …' : ''}`;
    return [{ offset: part.offset, message, found: part.name }];
  });
}

function inside(part: Template[number], scopes: readonly Shape[]): TemplateFault[] {
  return part.kind === 'section' ? checkParts(part.parts, scopes) : [];
}

function find(scopes: readonly Shape[], name: string): Shape | 'text' | undefined {
  const [first = '', ...rest] = name.split('.');
  const scope = scopes.find((shape) => Object.hasOwn(shape, first));
  let found = scope?.[first];
  for (const part of rest) {
    found = typeof found === 'object' && Object.hasOwn(found, part) ? found[part] : undefined;
  }
  return found;
}

function unknown(name: string, offset: number, scopes: readonly Shape[]): TemplateFault {
  const names = scopes.flatMap((shape) => namesOf(shape, ''));
  const meant = nearestName(name, names);
  const hint = meant === undefined ? `; there are ${names.slice(0, 8).join(', ')} …` : `; did you mean \${${meant}}?`;
  return { offset, found: name, message: `there is no field \${${name}}${hint}` };
}

function namesOf(shape: Shape, prefix: string): string[] {
  return Object.entries(shape).flatMap(([name, inner]) =>
    inner === 'text' ? [prefix + name] : [prefix + name, ...namesOf(inner, `${prefix}${name}.`)],
  );
}
