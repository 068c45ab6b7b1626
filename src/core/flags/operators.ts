import { isList } from '../json/canonical-json.ts';
import type { JsonValue } from '../model/step.ts';
import { compareValues, finite, isTruthy, looselyEqual, numberOf, strictlyEqual, textOf } from './json-logic-values.ts';
import { LONGEST_LIST, LONGEST_TEXT, RuleError } from './rule.ts';
import { compareVersions, parseVersion } from './semantic-version.ts';

/** An operator whose arguments are all evaluated first. Missing ones are null. */
export type Operator = {
  readonly least: number;
  readonly most: number;
  readonly apply: (args: readonly JsonValue[]) => JsonValue;
};

/** JsonLogic's operators, and those that flagd adds. What those that flagd adds cannot judge is null, never false. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  '==': pair((one, other) => looselyEqual(one, other)),
  '===': pair((one, other) => strictlyEqual(one, other)),
  '!=': pair((one, other) => !looselyEqual(one, other)),
  '!==': pair((one, other) => !strictlyEqual(one, other)),
  '!': { least: 1, most: 1, apply: ([value = null]) => !isTruthy(value) },
  '!!': { least: 1, most: 1, apply: ([value = null]) => isTruthy(value) },
  '>': ordered((difference) => difference > 0),
  '>=': ordered((difference) => difference >= 0),
  '<': ordered((difference) => difference < 0),
  '<=': ordered((difference) => difference <= 0),
  '+': { least: 1, most: Infinity, apply: (args) => finite(args.reduce<number>((sum, one) => sum + numberOf(one), 0)) },
  '*': { least: 1, most: Infinity, apply: (args) => finite(args.reduce<number>((sum, one) => sum * numberOf(one), 1)) },
  '-': { least: 1, most: 2, apply: subtract },
  '/': pair((one, other) => finite(numberOf(one) / numberOf(other))),
  '%': pair((one, other) => finite(numberOf(one) % numberOf(other))),
  max: { least: 1, most: Infinity, apply: (args) => finite(Math.max(...args.map(numberOf))) },
  min: { least: 1, most: Infinity, apply: (args) => finite(Math.min(...args.map(numberOf))) },
  cat: { least: 1, most: Infinity, apply: concatenate },
  in: pair(contains),
  substr: { least: 2, most: 3, apply: part },
  merge: { least: 0, most: Infinity, apply: merge },
  log: { least: 1, most: 1, apply: ([value = null]) => value },
  starts_with: texts((text, beginning) => text.startsWith(beginning)),
  ends_with: texts((text, end) => text.endsWith(end)),
  sem_ver: { least: 3, most: 3, apply: compareAsVersions },
};

function pair(judge: (one: JsonValue, other: JsonValue) => JsonValue): Operator {
  return { least: 2, most: 2, apply: ([one = null, other = null]) => judge(one, other) };
}

/** With three arguments: whether the second is between the others. */
function ordered(judge: (difference: number) => boolean): Operator {
  const apply = ([one = null, other = null, third]: readonly JsonValue[]): boolean =>
    judge(compareValues(one, other)) && (third === undefined || judge(compareValues(other, third)));
  return { least: 2, most: 3, apply };
}

function subtract([one = null, other]: readonly JsonValue[]): JsonValue {
  return finite(other === undefined ? -numberOf(one) : numberOf(one) - numberOf(other));
}

function concatenate(args: readonly JsonValue[]): string {
  let text = '';
  for (const value of args) {
    text += textOf(value);
    if (text.length > LONGEST_TEXT) throw new RuleError('tooMuch', `a text of more than ${LONGEST_TEXT} characters`);
  }
  return text;
}

function merge(args: readonly JsonValue[]): readonly JsonValue[] {
  const merged = args.flatMap((one) => (isList(one) ? [...one] : [one]));
  if (merged.length > LONGEST_LIST) throw new RuleError('tooMuch', `a list of more than ${LONGEST_LIST} items`);
  return merged;
}

function contains(item: JsonValue, whole: JsonValue): boolean {
  if (typeof whole === 'string') return whole.includes(textOf(item));
  return isList(whole) && whole.some((one) => strictlyEqual(one, item));
}

/** A negative start counts from the end; a negative length leaves out so many at the end. */
function part([value = null, from = 0, length]: readonly JsonValue[]): string {
  const text = textOf(value);
  const start = numberOf(from) < 0 ? Math.max(0, text.length + numberOf(from)) : numberOf(from);
  const rest = text.slice(start);
  return length === undefined ? rest : rest.slice(0, numberOf(length));
}

function texts(judge: (text: string, part: string) => boolean): Operator {
  const apply = ([text, other, ...more]: readonly JsonValue[]): JsonValue =>
    typeof text === 'string' && typeof other === 'string' && more.length === 0 ? judge(text, other) : null;
  return { least: 2, most: 2, apply };
}

/** By what the sign of a comparison, or the numbers themselves, have to be. */
export const VERSION_OPERATORS: readonly string[] = ['=', '!=', '<', '<=', '>', '>=', '^', '~'];

/** `^`: of the same major version, `~`: also of the same minor one. */
function compareAsVersions(args: readonly JsonValue[]): JsonValue {
  const [left = null, operator, right = null] = args;
  const [one, other] = [versionOf(left), versionOf(right)];
  if (one === undefined || other === undefined || args.length !== 3) return null;
  const difference = compareVersions(one, other);
  switch (operator) {
    case '=':
      return difference === 0;
    case '!=':
      return difference !== 0;
    case '<':
      return difference < 0;
    case '<=':
      return difference <= 0;
    case '>':
      return difference > 0;
    case '>=':
      return difference >= 0;
    case '^':
      return one.numbers[0] === other.numbers[0];
    case '~':
      return one.numbers[0] === other.numbers[0] && one.numbers[1] === other.numbers[1];
    default:
      return null;
  }
}

function versionOf(value: JsonValue) {
  return typeof value === 'string' || typeof value === 'number' ? parseVersion(String(value)) : undefined;
}
