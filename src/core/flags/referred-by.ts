import { isList, isObject } from '../json/canonical-json.ts';
import type { JsonValue } from '../model/step.ts';
import type { Evaluators } from './compile-rule.ts';

/** Of the evaluators those that a rule refers to, also by way of each other. The rule must have compiled, which bounds it. */
export function referredBy(rule: JsonValue, evaluators: Evaluators): Evaluators {
  const found = new Map<string, JsonValue>();
  const visit = (value: JsonValue): void => {
    if (isObject(value)) {
      const { $ref: name } = value;
      if (typeof name === 'string' && !found.has(name) && Object.hasOwn(evaluators, name)) {
        const target = evaluators[name] ?? null;
        found.set(name, target);
        visit(target);
      }
      for (const child of Object.values(value)) visit(child);
    } else if (isList(value)) {
      for (const child of value) visit(child);
    }
  };
  visit(rule);
  return Object.fromEntries([...found].sort(([one], [other]) => (one < other ? -1 : 1)));
}
