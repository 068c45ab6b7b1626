import type { JsonValue } from '../../../core/model/step.ts';
import type { PlaceChange } from '../place-driver.ts';
import { FormatError, lineEnding, type TextFormat } from '../text-format.ts';
import { type Assignment, parseEnvFile } from './parse.ts';

export const envFormat = {
  empty: '',
  read: (text, entries) => {
    const assignments = parseEnvFile(text);
    return new Map(entries.map((entry) => [entry, effective(assignments, entry)?.value]));
  },
  edit: (text, changes) => changes.reduce(setEntry, text),
  remove: (text, entries) => entries.reduce(removeEntry, text),
  matches: (observed, desired) => observed === formatEnv(desired),
} satisfies TextFormat;

/** The text that an environment variable gets for a value: texts as they are, everything else as JSON. */
export function formatEnv(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The last assignment counts, as in systemd. */
function effective(assignments: readonly Assignment[], entry: string): Assignment | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(entry)) {
    throw new FormatError('badEntry', `${JSON.stringify(entry)} is not the name of an environment variable`);
  }
  const all = assignments.filter((assignment) => assignment.name === entry);
  const other = all.find((assignment) => assignment.exported !== all[0]?.exported);
  if (other === undefined) return all.at(-1);
  const why = 'systemd passes over lines with export, a shell does not: remove one';
  throw new FormatError('ambiguousEntry', `${entry} is set both with and without export; ${why}`, other.nameAt);
}

function setEntry(text: string, { entry, value }: PlaceChange): string {
  const assignments = parseEnvFile(text);
  const wanted = formatEnv(value);
  if (wanted.includes('\0')) throw new FormatError('badValue', `the value for ${entry} holds a NUL character`);
  const present = effective(assignments, entry);
  if (present?.value === wanted) return text;
  if (present === undefined) return append(text, entry, wanted, assignments);
  const old = text.slice(present.valueAt, present.valueEnd);
  return text.slice(0, present.valueAt) + written(wanted, old) + text.slice(present.valueEnd);
}

/** Every line of the variable goes, or an earlier one would count. */
function removeEntry(text: string, entry: string): string {
  const assignments = parseEnvFile(text);
  effective(assignments, entry);
  return assignments
    .filter(({ name }) => name === entry)
    .reduceRight<string>((rest, { nameAt, valueEnd }) => {
      const start = Math.max(rest.lastIndexOf('\n', nameAt - 1), rest.lastIndexOf('\r', nameAt - 1)) + 1;
      const tail = /^[^\n\r]*(?:\r\n|\n|\r|$)/.exec(rest.slice(valueEnd))?.[0] ?? '';
      return rest.slice(0, start) + rest.slice(valueEnd + tail.length);
    }, text);
}

/** A last line without a newline stays without one. A backslash at the end would swallow the new line: it gets an empty one. */
function append(text: string, entry: string, value: string, assignments: readonly Assignment[]): string {
  const eol = lineEnding(text);
  const exports = assignments.length > 0 && assignments.every((assignment) => assignment.exported);
  const line = `${exports ? 'export ' : ''}${entry}=${written(value, '')}`;
  const safe = /(?:^|[^\\])(?:\\\\)*\\(?:\r\n|\n|\r)?$/.test(text) ? text + eol : text;
  return text === '' || /[\n\r]$/.test(text) ? `${safe}${line}${eol}` : `${safe}${eol}${line}`;
}

/** Quoted as the old value was; unquoted if it was not and need not be. */
function written(value: string, old: string): string {
  if (old.startsWith("'") && !value.includes("'")) return `'${value}'`;
  if (!old.startsWith('"') && /^[A-Za-z0-9_.,:/@%+=-]*$/.test(value)) return value;
  return `"${value.replaceAll(/["\\`$]/g, '\\$&')}"`;
}
