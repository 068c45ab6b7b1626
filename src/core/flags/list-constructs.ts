import { isList } from '../json/canonical-json.ts';
import type { JsonValue } from '../model/step.ts';
import { isTruthy } from './json-logic-values.ts';
import { type Construct, compileArguments, constantPart, partOf } from './operation.ts';
import { type Part, RuleError, type Scope } from './rule.ts';

type OverList = (items: readonly JsonValue[], judge: (item: JsonValue) => JsonValue) => JsonValue;

/** `NAME: [LIST, RULE]`, where the rule sees each item as all that there is. What is no list is an empty one. */
function over(evaluate: OverList): Construct {
  return (compiler, operation) => {
    const parts = compileArguments(compiler, operation);
    const [list = constantPart(null), body = constantPart(null)] = parts;
    if (parts.length !== 2)
      compiler.fault(operation.path, `\`${operation.name}\` has a list and a rule for its items`, false);
    return partOf((scope) => {
      const items = itemsOf(list.run(scope));
      return within(scope, () => evaluate(items, (item) => turn(scope, body, item)));
    }, parts);
  };
}

export const map = over((items, judge) => items.map(judge));
export const filter = over((items, judge) => items.filter((item) => isTruthy(judge(item))));
export const some = over((items, judge) => items.some((item) => isTruthy(judge(item))));
export const none = over((items, judge) => !items.some((item) => isTruthy(judge(item))));
/** JsonLogic's own rule: of an empty list it is false. */
export const all = over((items, judge) => items.length > 0 && items.every((item) => isTruthy(judge(item))));

/** `reduce: [LIST, RULE, START]`, where the rule sees `current` and `accumulator`. */
export const reduce: Construct = (compiler, operation) => {
  const parts = compileArguments(compiler, operation);
  const [list = constantPart(null), body = constantPart(null), start = constantPart(null)] = parts;
  if (parts.length !== 3)
    compiler.fault(operation.path, '`reduce` has a list, a rule for its items and a start', false);
  return partOf((scope) => {
    const items = itemsOf(list.run(scope));
    const first = start.run(scope);
    return within(scope, () =>
      items.reduce((accumulator, current) => turn(scope, body, { current, accumulator }), first),
    );
  }, parts);
};

function itemsOf(value: JsonValue): readonly JsonValue[] {
  return isList(value) ? value : [];
}

/** The list is evaluated with the data from outside of it; only then come its items. */
function within(scope: Scope, evaluate: () => JsonValue): JsonValue {
  const { data } = scope;
  const value = evaluate();
  scope.data = data;
  return value;
}

function turn(scope: Scope, body: Part, item: JsonValue): JsonValue {
  scope.steps -= body.cost;
  if (scope.steps < 0) throw new RuleError('tooMuch', 'its lists take too many operations');
  scope.data = item;
  return body.run(scope);
}
