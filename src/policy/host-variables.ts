import { nearestName } from '../core/nearest-name.ts';
import { quote } from './found.ts';

/**
 * What a variable stands for: its value, or that there is none. Then the `fallback` that is written beside it counts, which a
 * lookup without a host is told so that it need not stand in itself.
 */
export type Lookup = (name: string, fallback?: string) => string | undefined;

/** A stretch of the filled text, and the stretch of the original that it came from. */
type Stretch = { readonly at: number; readonly from: number; readonly length: number; readonly literal: boolean };

export type Filled = {
  readonly text: string;
  readonly faults: readonly VariableFault[];
  /** The original offset of a character of the filled text; of a variable's value, where the variable stands. */
  readonly offsetInOriginal: (offset: number) => number;
};

export type VariableFault = {
  readonly offset: number;
  readonly message: string;
  readonly found: string;
  readonly suggestion?: string;
};

export function lookupIn(host: Readonly<Record<string, string>>): Lookup {
  return (name) => (Object.hasOwn(host, name) ? host[name] : undefined);
}

/** `$${` for the text `${` itself; `${…}` up to the next brace; `${` that nobody closed. */
const MARK = /\$\$\{|\$\{([^{}]*)\}|\$\{/g;
/** `:-` as the shell has it: the text after it counts where there is no such variable, or an empty one. */
const VARIABLE = /^host\.([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/**
 * Fills in `${host.NAME}` and `${host.NAME:-DEFAULT}`. Names in `later` stay for whoever knows them then. Every other `${…}`
 * is a fault: it would silently stay in a path or a command.
 */
export function fillVariables(
  text: string,
  lookup: Lookup,
  known: readonly string[],
  later: readonly string[] = [],
): Filled {
  const stretches: Stretch[] = [];
  const faults: VariableFault[] = [];
  let filled = '';
  let done = 0;
  const append = (part: string, from: number, literal: boolean): void => {
    stretches.push({ at: filled.length, from, length: part.length, literal });
    filled += part;
  };
  for (const match of text.matchAll(MARK)) {
    append(text.slice(done, match.index), done, true);
    const [mark, inner] = match;
    const value = mark === '$${' ? '${' : valueOf(inner, lookup);
    const isKnown = value !== undefined || later.includes(inner ?? '');
    if (!isKnown) faults.push({ offset: match.index, ...explainVariable(mark, inner, known, later) });
    append(value ?? mark, match.index, false);
    done = match.index + mark.length;
  }
  append(text.slice(done), done, true);
  return { text: filled, faults, offsetInOriginal: (offset) => originalOffset(stretches, offset) };
}

function valueOf(inner: string | undefined, lookup: Lookup): string | undefined {
  const [, name, fallback] = VARIABLE.exec(inner ?? '') ?? [];
  if (name === undefined) return undefined;
  const value = lookup(name, fallback);
  return value === undefined || value === '' ? (fallback ?? value) : value;
}

function originalOffset(stretches: readonly Stretch[], offset: number): number {
  const stretch = stretches.findLast(({ at }) => at <= offset);
  if (stretch === undefined) return offset;
  return stretch.literal ? stretch.from + (offset - stretch.at) : stretch.from;
}

function explainVariable(
  mark: string,
  inner: string | undefined,
  known: readonly string[],
  later: readonly string[],
): Omit<VariableFault, 'offset'> {
  const advice = 'write $${ for the text ${ itself';
  if (inner === undefined) return { found: mark, message: `found \${ without its closing brace; ${advice}` };
  const name = VARIABLE.exec(inner)?.[1];
  if (name !== undefined) return explainUndefined(name, known);
  const word = inner.replace(/^[^.]*\./, '');
  if (/^(hosts?|node|vars?)\.[A-Za-z_]\w*$/i.test(inner)) {
    const suggestion = `\${host.${word}}`;
    return { found: mark, suggestion, message: `unknown variable ${mark}; did you mean ${suggestion}?` };
  }
  return {
    found: mark,
    message: `unknown variable ${quote(mark)}: only ${filledNames(later)} filled in; ${advice}`,
  };
}

function filledNames(later: readonly string[]): string {
  const names = [...later, 'host.NAME'].map((name) => `\${${name}}`);
  return `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'}`;
}

function explainUndefined(name: string, known: readonly string[]): Omit<VariableFault, 'offset'> {
  const meant = nearestName(name, known);
  const found = `\${host.${name}}`;
  const base = `the host has no variable ${name} (its variables stand in its own configuration)`;
  if (meant === undefined) return { found, message: base };
  return { found, suggestion: `\${host.${meant}}`, message: `${base}; did you mean \${host.${meant}}?` };
}

/** True for text that could not be filled in, offline or because of a fault in it; its form is not judged then. */
export function hasVariable(text: string): boolean {
  return text.includes('${');
}
