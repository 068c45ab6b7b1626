import { compileRule } from '../core/flags/compile-rule.ts';
import { outcomesOf } from '../core/flags/outcomes.ts';
import { referredBy } from '../core/flags/referred-by.ts';
import type { RuleFault } from '../core/flags/rule.ts';
import type { Flag } from '../core/model/flag.ts';
import type { JsonValue } from '../core/model/step.ts';
import { nearestName } from '../core/nearest-name.ts';
import { type BuildContext, fault } from './build-context.ts';
import { alternativesText } from './found.ts';
import { hasVariable } from './host-variables.ts';
import type { RawFlag } from './raw-documents.ts';

/** A flag's targeting with all that it refers to; nothing for a flag that has none. */
export function buildTargeting(context: BuildContext, spec: RawFlag): Pick<Flag, 'targeting' | 'evaluators'> {
  checkEvaluators(context, spec);
  const { targeting } = spec;
  if (targeting === undefined || Object.keys(Object(targeting)).length === 0) return {};
  const { run, faults } = compileRule(targeting, context.evaluators, ['targeting']);
  for (const found of faults) if (found.path[0] === 'targeting') report(context, found);
  // A rule that cannot run has no outcomes; what it refers to says itself what is wrong with it.
  if (run === null) return { targeting };
  checkOutcomes(context, spec, targeting);
  const evaluators = referredBy(targeting, context.evaluators);
  return { targeting, ...(Object.keys(evaluators).length === 0 ? {} : { evaluators }) };
}

function checkEvaluators(context: BuildContext, { evaluators = {} }: RawFlag): void {
  for (const [name, rule] of Object.entries(evaluators)) {
    if (!isSame(context.evaluators[name], rule) && !hasVariable(JSON.stringify(rule))) {
      const message = `another flag declares an evaluator "${name}" too, and differently; evaluators are shared, and their names unique`;
      fault(context, ['spec', 'evaluators', name], 'E-DUPLICATE-NAME', { message, found: name });
      continue;
    }
    for (const found of compileRule(rule, context.evaluators, ['evaluators', name]).faults) {
      if (found.path[0] === 'evaluators' && found.path[1] === name) report(context, found);
    }
  }
}

function isSame(one: JsonValue | undefined, other: JsonValue): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function report(context: BuildContext, { path, message, suggestion }: RuleFault): void {
  const wording = suggestion === undefined ? { message } : { message, suggestion };
  fault(context, ['spec', ...path], 'E-TARGETING', wording);
}

function checkOutcomes(context: BuildContext, { variants, evaluators = {} }: RawFlag, targeting: JsonValue): void {
  const names = Object.keys(variants);
  for (const { value, path } of outcomesOf(targeting, context.evaluators, ['targeting'])) {
    const name = typeof value === 'string' ? value : JSON.stringify(value);
    if (names.includes(name)) continue;
    const isHere = path[0] === 'targeting' || Object.hasOwn(evaluators, String(path[1]));
    const suggestion = nearestName(name, names);
    const message = `targeting names no variant of this flag: found "${name}", expected ${alternativesText(names.map((word) => `"${word}"`))}; null is the default`;
    const base = { message, found: name, expected: alternativesText(names) };
    const wording = suggestion === undefined ? base : { ...base, suggestion };
    fault(context, ['spec', ...(isHere ? path : ['targeting'])], 'E-NO-VARIANT', wording);
  }
}
