import { isList, isObject } from '../json/canonical-json.ts';
import type { JsonValue } from '../model/step.ts';
import type { Evaluators } from './compile-rule.ts';
import type { RulePath } from './rule.ts';

/** A result that a rule can have, as far as it is written in it, and where. Null is left out: it stands for the default. */
export type Outcome = { readonly value: JsonValue; readonly path: RulePath };

/** Only the outcomes of so many operations are looked for: rules that refer to each other can have far more. */
const MOST_VISITS = 10_000;

/**
 * The results that stand in a rule that compiled: what its branches and buckets name. What is calculated or comes from the
 * context is not known beforehand.
 */
export function outcomesOf(rule: JsonValue, evaluators: Evaluators, path: RulePath): readonly Outcome[] {
  const found: Outcome[] = [];
  let visits = 0;
  const visit = (value: JsonValue, at: RulePath): void => {
    visits += 1;
    if (visits > MOST_VISITS || value === null) return;
    if (!isObject(value)) {
      found.push({ value, path: at });
      return;
    }
    const [[name, written] = ['', null]] = Object.entries(value);
    const args = argumentsOf(written);
    const pathOf = (index: number): RulePath => (written === args ? [...at, name, index] : [...at, name]);
    switch (name) {
      case 'if':
      case '?:':
        for (const [index, arg] of args.entries()) if (isResult(index, args.length)) visit(arg, pathOf(index));
        return;
      case 'and':
      case 'or':
        // What ends it early is its result: `and` then is false, which is the name of a variant too, and `or` true.
        for (const [index, arg] of args.entries()) {
          if (index === args.length - 1) visit(arg, pathOf(index));
          else if (isJudgement(arg)) found.push({ value: name === 'or', path: pathOf(index) });
          else if (name === 'or') visit(arg, pathOf(index));
        }
        return;
      case 'fractional':
        for (const [index, arg] of args.entries()) if (isList(arg)) visit(arg[0] ?? null, [...pathOf(index), 0]);
        return;
      case '$ref':
        if (typeof written === 'string' && Object.hasOwn(evaluators, written)) {
          visit(evaluators[written] ?? null, ['evaluators', written]);
        }
        return;
      default:
        if (isJudgement(value)) for (const truth of [true, false]) found.push({ value: truth, path: at });
    }
  };
  visit(rule, path);
  return found;
}

const JUDGEMENTS = '== === != !== ! !! < <= > >= in all some none starts_with ends_with sem_ver'.split(' ');

/** Whether it is an operation that says true or false. */
function isJudgement(value: JsonValue): boolean {
  return isObject(value) && JUDGEMENTS.includes(Object.keys(value)[0] ?? '');
}

/** Conditions stand before each result; what is left over at the end is a result. */
function isResult(index: number, count: number): boolean {
  return index % 2 === 1 || (index === count - 1 && index > 0);
}

function argumentsOf(written: JsonValue): readonly JsonValue[] {
  return isList(written) ? written : [written];
}
