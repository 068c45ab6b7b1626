import { isList } from '../json/canonical-json.ts';
import type { JsonValue } from '../model/step.ts';
import { isTruthy, numberOf, propertyOf, textOf } from './json-logic-values.ts';
import { type Compiler, type Construct, compileArguments, isConstant, type Operation, partOf } from './operation.ts';
import type { Rule, Scope } from './rule.ts';

/** `if: [CONDITION, THEN, CONDITION, THEN, …, ELSE]`; null where none is true and there is no ELSE. */
export const choose: Construct = (compiler, operation) => {
  const parts = compileArguments(compiler, operation);
  if (parts.length < 2) compiler.fault(operation.path, `\`${operation.name}\` has a condition and what follows`, false);
  const runs = parts.map(({ run }) => run);
  const [condition, then, otherwise] = runs;
  if (condition !== undefined && then !== undefined && runs.length <= 3) {
    const run: Rule = (scope) => (isTruthy(condition(scope)) ? then(scope) : (otherwise?.(scope) ?? null));
    return partOf(run, parts);
  }
  return partOf((scope) => chooseOf(runs, scope), parts);
};

function chooseOf(runs: readonly Rule[], scope: Scope): JsonValue {
  for (let at = 0; at + 1 < runs.length; at += 2) {
    if (isTruthy(runs[at]?.(scope) ?? null)) return runs[at + 1]?.(scope) ?? null;
  }
  return runs.length % 2 === 1 ? (runs.at(-1)?.(scope) ?? null) : null;
}

/** `and`: the first that is not true, else the last. `or`: the first that is true, else the last. */
function firstThatIs(wanted: boolean): Construct {
  return (compiler, operation) => {
    const parts = compileArguments(compiler, operation);
    const runs = parts.map(({ run }) => run);
    return partOf((scope) => {
      let value: JsonValue = null;
      for (const run of runs) {
        value = run(scope);
        if (isTruthy(value) === wanted) return value;
      }
      return value;
    }, parts);
  };
}

export const and = firstThatIs(false);
export const or = firstThatIs(true);

/** `var: NAME`, `var: [NAME, DEFAULT]`: dots lead into objects and lists; no name is all that there is. */
export const variable: Construct = (compiler, operation) => {
  const parts = compileArguments(compiler, operation);
  const [name, otherwise] = parts;
  if (parts.length > 2) compiler.fault(operation.path, '`var` has a name and at most one default', false);
  const read = name === undefined || isConstant(name) ? reader(name?.constant ?? '') : readerOf(name.run);
  if (otherwise === undefined) return partOf(read, parts);
  return partOf((scope) => read(scope) ?? otherwise.run(scope), parts);
};

function readerOf(name: Rule): Rule {
  return (scope) => valueAt(scope, textOf(name(scope)));
}

/** What is known beforehand of the way to a value is not worked out again for each evaluation. */
function reader(name: JsonValue): Rule {
  const path = textOf(name);
  if (path === '$flagd.flagKey') return ({ flagKey }) => flagKey;
  if (path === '$flagd.timestamp') return ({ timestamp }) => timestamp;
  if (path === '' || path.startsWith('$flagd')) return (scope) => valueAt(scope, path);
  const keys = path.split('.');
  const [only = ''] = keys;
  if (keys.length === 1) return ({ data }) => propertyOf(data, only);
  return ({ data }) => descend(data, keys);
}

function valueAt({ data, flagKey, timestamp }: Scope, path: string): JsonValue {
  if (path === '') return data;
  const keys = path.split('.');
  return keys[0] === '$flagd' ? descend({ flagKey, timestamp }, keys.slice(1)) : descend(data, keys);
}

function descend(value: JsonValue, keys: readonly string[]): JsonValue {
  let at = value;
  for (const key of keys) at = propertyOf(at, key);
  return at;
}

/** `missing: [NAME, …]`: those that the context does not have, or has as null or as an empty text. */
export const missing: Construct = (compiler, operation) => {
  const parts = compileArguments(compiler, operation);
  return partOf((scope) => missingOf(scope, parts.map(({ run }) => run(scope)).flatMap(namesIn)), parts);
};

/** `missing_some: [LEAST, [NAME, …]]`: nothing if at least so many are there, else those that are not. */
export const missingSome: Construct = (compiler: Compiler, operation: Operation) => {
  const parts = compileArguments(compiler, operation);
  const [least, names] = parts;
  return partOf((scope) => {
    const all = namesIn(names?.run(scope) ?? []);
    const absent = missingOf(scope, all);
    return all.length - absent.length >= numberOf(least?.run(scope) ?? 1) ? [] : absent;
  }, parts);
};

function missingOf(scope: Scope, names: readonly JsonValue[]): readonly JsonValue[] {
  return names.filter((name) => [null, ''].includes(asTextOrNull(valueAt(scope, textOf(name)))));
}

function asTextOrNull(value: JsonValue): string | null {
  return value === null ? null : textOf(value);
}

function namesIn(value: JsonValue): readonly JsonValue[] {
  return isList(value) ? value : [value];
}
