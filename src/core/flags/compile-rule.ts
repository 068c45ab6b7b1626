import { isList } from '../json/canonical-json.ts';
import type { JsonValue } from '../model/step.ts';
import { nearestName } from '../nearest-name.ts';
import { and, choose, missing, missingSome, or, variable } from './constructs.ts';
import { fractional } from './fractional.ts';
import { all, filter, map, none, reduce, some } from './list-constructs.ts';
import { type Construct, compileArguments, constantPart, isConstant, type Operation, partOf } from './operation.ts';
import { OPERATORS, type Operator, VERSION_OPERATORS } from './operators.ts';
import { DEEPEST, MOST_OPERATIONS, type Part, type Rule, type RuleFault, type RulePath } from './rule.ts';

const CONSTRUCTS: Readonly<Record<string, Construct>> = {
  if: choose,
  '?:': choose,
  and,
  or,
  var: variable,
  missing,
  missing_some: missingSome,
  map,
  filter,
  reduce,
  all,
  some,
  none,
  fractional,
};

const KNOWN = [...Object.keys(CONSTRUCTS), ...Object.keys(OPERATORS), '$ref'];

/** Rules that others refer to with `{$ref: NAME}`: flagd's `$evaluators`. */
export type Evaluators = Readonly<Record<string, JsonValue>>;

export type CompiledRule = {
  /** Null if a fault is fatal. */
  readonly run: Rule | null;
  readonly faults: readonly RuleFault[];
};

/**
 * Compiles a rule of JsonLogic with flagd's operators. Never throws; takes time in proportion to the rule's size, which is
 * bounded, as is all that it refers to. `path` is where the rule stands, for the faults.
 */
export function compileRule(rule: JsonValue, evaluators: Evaluators = {}, path: RulePath = []): CompiledRule {
  const compiler = new RuleCompiler(evaluators);
  const { run } = compiler.compile(rule, path, 1);
  return { run: compiler.faults.some(({ fatal }) => fatal) ? null : run, faults: compiler.faults };
}

const NOTHING = constantPart(null);

/** Lives for one compilation, which it keeps count of. */
class RuleCompiler {
  readonly faults: RuleFault[] = [];
  readonly #evaluators: Evaluators;
  /** Null while one is being compiled: who comes back to it then would come back for ever. */
  readonly #referred = new Map<string, Part | null>();

  constructor(evaluators: Evaluators) {
    this.#evaluators = evaluators;
  }

  readonly fault = (path: RulePath, message: string, fatal: boolean, suggestion?: string): void => {
    this.faults.push({ path, message, fatal, ...(suggestion === undefined ? {} : { suggestion }) });
  };

  readonly compile = (value: JsonValue, path: RulePath, depth: number): Part => {
    if (depth > DEEPEST) return this.#refuse(path, `targeting is nested more than ${DEEPEST} deep`);
    const part = this.#compile(value, path, depth);
    if (part.cost > MOST_OPERATIONS) {
      return this.#refuse(path, `targeting has more than ${MOST_OPERATIONS} operations, with those that it refers to`);
    }
    return part.depth > DEEPEST ? this.#refuse(path, `targeting is nested more than ${DEEPEST} deep`) : part;
  };

  #refuse(path: RulePath, message: string): Part {
    this.fault(path, message, true);
    return NOTHING;
  }

  #compile(value: JsonValue, path: RulePath, depth: number): Part {
    if (typeof value !== 'object' || value === null) return constantPart(value);
    if (isList(value)) return this.#compileList(value, path, depth);
    const [name, ...others] = Object.keys(value);
    if (name === undefined) return constantPart(value);
    if (others.length > 0) {
      return this.#refuse(path, `an operation has one name; found ${[name, ...others].slice(0, 5).join(', ')}`);
    }
    return this.#compileOperation(operationOf(name, value[name] ?? null, path, depth));
  }

  #compileList(items: readonly JsonValue[], path: RulePath, depth: number): Part {
    const parts = items.map((item, index) => this.compile(item, [...path, index], depth + 1));
    if (parts.every(isConstant)) return { ...partOf(() => items, parts), constant: items };
    return partOf((scope) => parts.map(({ run }) => run(scope)), parts);
  }

  #compileOperation(operation: Operation): Part {
    const { name, path } = operation;
    if (name === '$ref') return this.#refer(operation);
    const construct = Object.hasOwn(CONSTRUCTS, name) ? CONSTRUCTS[name] : undefined;
    if (construct !== undefined) return construct(this, operation);
    const operator = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined;
    if (operator !== undefined) return this.#operate(operator, operation);
    const nearest = nearestName(name, KNOWN);
    const meant = nearest === undefined ? '' : `; did you mean \`${nearest}\`?`;
    this.fault(path, `there is no operator \`${name}\`${meant}`, true, nearest);
    return NOTHING;
  }

  #operate(operator: Operator, operation: Operation): Part {
    const { name, args, path } = operation;
    const parts = compileArguments(this, operation);
    if (args.length < operator.least || args.length > operator.most) {
      this.fault(path, `\`${name}\` has ${countText(operator)}; found ${args.length}`, false);
    }
    if (name === 'sem_ver') this.#checkVersions(operation);
    const { apply } = operator;
    const [one, other] = parts.map(({ run }) => run);
    if (one !== undefined && other !== undefined && parts.length === 2) {
      return partOf((scope) => apply([one(scope), other(scope)]), parts);
    }
    return partOf((scope) => apply(parts.map(({ run }) => run(scope))), parts);
  }

  #checkVersions({ args, pathOf }: Operation): void {
    const [, operator] = args;
    if (typeof operator !== 'string' || VERSION_OPERATORS.includes(operator)) return;
    this.fault(pathOf(1), `\`sem_ver\` compares by ${VERSION_OPERATORS.join(' ')}; found ${operator}`, false);
  }

  #refer({ args: [name], path, depth }: Operation): Part {
    if (typeof name !== 'string' || !Object.hasOwn(this.#evaluators, name)) {
      const shown = typeof name === 'string' ? name : JSON.stringify(name ?? null);
      const nearest = nearestName(shown, Object.keys(this.#evaluators));
      const meant = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
      this.fault(path, `there is no evaluator "${shown}"${meant}`, true, nearest);
      return NOTHING;
    }
    const known = this.#referred.get(name);
    if (known === null) return this.#refuse(path, `the evaluator "${name}" refers to itself`);
    if (known !== undefined) return known;
    this.#referred.set(name, null);
    const part = this.compile(this.#evaluators[name] ?? null, ['evaluators', name], depth + 1);
    this.#referred.set(name, part);
    return part;
  }
}

/** A single argument need not stand in a list. */
function operationOf(name: string, value: JsonValue, path: RulePath, depth: number): Operation {
  const isWritten = isList(value);
  const inside = [...path, name];
  return {
    name,
    args: isWritten ? value : [value],
    path,
    pathOf: (index) => (isWritten ? [...inside, index] : inside),
    depth,
  };
}

function countText({ least, most }: Operator): string {
  if (least === most) return `${least} argument${least === 1 ? '' : 's'}`;
  return most === Infinity ? `at least ${least} argument${least === 1 ? '' : 's'}` : `${least} or ${most} arguments`;
}
