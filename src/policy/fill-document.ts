import type { JsonValue } from '../core/model/step.ts';
import { type Diagnostic, errorAt } from './diagnostic.ts';
import { fillVariables, type Lookup } from './host-variables.ts';
import type { Path } from './path.ts';
import { originInText, type PolicyDocument } from './policy-document.ts';

export type Filling = {
  readonly lookup: Lookup;
  /** The names that there are, for suggestions. */
  readonly names: readonly string[];
  /** Parts that are not for this host: their variables need not exist. */
  readonly isElsewhere: (path: Path) => boolean;
  /** Texts with fields of their own, which are filled in elsewhere. */
  readonly isTemplate?: (path: Path) => boolean;
  /** Names that are known only when the text is used. */
  readonly later?: (path: Path) => readonly string[];
};

/** One text with more faults than that is faulty as a whole. */
const MOST_FAULTS_OF_A_TEXT = 10;

/** Takes `${host.NAME}` as given: the text stays, as when no host is known. A default stands for what hosts may say instead. */
export const asGiven: Lookup = (name, fallback) => fallback ?? `\${host.${name}}`;

/** The document's raw form with the variables of every text value filled in; keys have none. */
export function fillDocument<Raw extends object>(
  document: PolicyDocument,
  raw: Raw,
  filling: Filling,
  diagnostics: Diagnostic[],
): Raw {
  const fill = (value: JsonValue, path: Path): JsonValue => {
    if (typeof value === 'string') return fillText(document, value, path, filling, diagnostics);
    if (Array.isArray(value)) return value.map((item, index) => fill(item, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, [...path, key])]));
  };
  return fill(raw as JsonValue, []) as Raw;
}

function fillText(
  document: PolicyDocument,
  text: string,
  path: Path,
  { lookup, names, isElsewhere, isTemplate, later }: Filling,
  diagnostics: Diagnostic[],
): string {
  if (path[0] !== 'spec' || !text.includes('${') || isTemplate?.(path) === true) return text;
  const filled = fillVariables(text, isElsewhere(path) ? asGiven : lookup, names, later?.(path));
  for (const { offset, ...wording } of filled.faults.slice(0, MOST_FAULTS_OF_A_TEXT)) {
    diagnostics.push(errorAt(originInText(document, path, offset), 'E-VARIABLE', wording));
  }
  return filled.text;
}
