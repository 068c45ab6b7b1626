import type { JsonValue } from '../core/model/step.ts';
import { nearestName } from '../core/nearest-name.ts';
import { type Diagnostic, errorAt } from './diagnostic.ts';
import { foundText, quote } from './found.ts';
import { API_VERSION, isKind, KINDS, type Kind, TEST_KIND } from './kinds.ts';
import { originOfKey, originOfValue, type PolicyDocument } from './policy-document.ts';

export type Head =
  | { readonly outcome: 'known'; readonly kind: Kind; readonly diagnostics: readonly Diagnostic[] }
  | { readonly outcome: 'test' }
  | { readonly outcome: 'refused'; readonly diagnostics: readonly Diagnostic[] };

/** Says what a document is. Whatever is wrong with its other parts is only looked at if that is known. */
export function readHead(document: PolicyDocument): Head {
  const { value } = document;
  if (document.spoilt.some((path) => path.length === 0)) return { outcome: 'refused', diagnostics: [] };
  if (!isObject(value)) return { outcome: 'refused', diagnostics: [notAnObject(document)] };
  const kind = value['kind'];
  if (kind === TEST_KIND) return { outcome: 'test' };
  if (value['apiVersion'] === undefined && kind === undefined) {
    const message = `this is not a policy: \`apiVersion: ${API_VERSION}\` and \`kind\` are missing`;
    return { outcome: 'refused', diagnostics: [errorAt(originOfKey(document, []), 'E-DOCUMENT', message)] };
  }
  const foreign = foreignFault(document, value['apiVersion'], kind);
  if (foreign !== undefined) return { outcome: 'refused', diagnostics: [foreign] };
  const version = versionFault(document, value['apiVersion']);
  const diagnostics = version === undefined ? [] : [version];
  if (isKind(kind)) return { outcome: 'known', kind, diagnostics };
  return { outcome: 'refused', diagnostics: [...diagnostics, kindFault(document, kind)] };
}

export function isObject(value: JsonValue | undefined): value is { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The name that a document gives itself, if it gives one at all. */
export function nameOf(document: PolicyDocument): string | undefined {
  const metadata = isObject(document.value) ? document.value['metadata'] : undefined;
  const name = isObject(metadata) ? metadata['name'] : undefined;
  return typeof name === 'string' ? name : undefined;
}

function notAnObject(document: PolicyDocument): Diagnostic {
  const message = `a policy is a mapping with apiVersion, kind, metadata and spec; found ${foundText(document.value)}${
    Array.isArray(document.value) ? '; separate several documents with --- instead of a list' : ''
  }`;
  return errorAt(originOfValue(document, []), 'E-DOCUMENT', message);
}

/** In quotes, as a name; what is no text is told by its type. */
function nameText(value: JsonValue): string {
  return typeof value === 'string' ? quote(value) : foundText(value);
}

/** A manifest of another system: one fault, not one for each thing that is different there. */
function foreignFault(
  document: PolicyDocument,
  version: JsonValue | undefined,
  kind: JsonValue | undefined,
): Diagnostic | undefined {
  if (typeof version !== 'string' || /^revertd/i.test(version) || typeof kind !== 'string' || isKnownWord(kind)) {
    return undefined;
  }
  const message = `this is a ${quote(kind)} of ${quote(version)}, not a policy; policies have apiVersion: ${API_VERSION}`;
  const origin = originOfValue(document, ['apiVersion']);
  return errorAt(origin, 'E-API-VERSION', { message, found: version, expected: API_VERSION });
}

function isKnownWord(kind: string): boolean {
  return nearestName(kind, ALL_KINDS) !== undefined;
}

const ALL_KINDS: readonly string[] = [...KINDS, TEST_KIND];

export function versionFault(document: PolicyDocument, version: JsonValue | undefined): Diagnostic | undefined {
  if (version === API_VERSION) return undefined;
  const expected = `apiVersion: ${API_VERSION}`;
  if (version === undefined) {
    const message = `\`apiVersion\` is missing; write ${expected}`;
    return errorAt(originOfKey(document, []), 'E-API-VERSION', { message, expected });
  }
  const found = nameText(version);
  const message = `unknown apiVersion ${found}; write ${expected}`;
  return errorAt(originOfValue(document, ['apiVersion']), 'E-API-VERSION', { message, found, expected });
}

function kindFault(document: PolicyDocument, kind: JsonValue | undefined): Diagnostic {
  const expected = `one of ${KINDS.join(', ')}`;
  if (kind === undefined) {
    return errorAt(originOfKey(document, []), 'E-KIND', {
      message: `\`kind\` is missing; expected ${expected}`,
      expected,
    });
  }
  const found = nameText(kind);
  const origin = originOfValue(document, ['kind']);
  const meant = typeof kind === 'string' ? nearestName(kind, ALL_KINDS) : undefined;
  if (meant === undefined) {
    return errorAt(origin, 'E-KIND', { message: `unknown kind ${found}; expected ${expected}`, found, expected });
  }
  const message = `unknown kind ${found}; did you mean ${meant}?`;
  return errorAt(origin, 'E-KIND', { message, found, expected, suggestion: meant });
}
