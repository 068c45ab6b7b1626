import type { JsonValue } from '../model/step.ts';
import type { Part, Rule, RulePath } from './rule.ts';

/** One operation of a rule, as it is written: `{NAME: [ARGUMENTS]}`, or `{NAME: ARGUMENT}` for a single one. */
export type Operation = {
  readonly name: string;
  readonly args: readonly JsonValue[];
  /** Of the operation itself. */
  readonly path: RulePath;
  readonly pathOf: (index: number) => RulePath;
  readonly depth: number;
};

/** What operators need of the compiler. */
export type Compiler = {
  readonly compile: (value: JsonValue, path: RulePath, depth: number) => Part;
  readonly fault: (path: RulePath, message: string, fatal: boolean) => void;
};

/** An operator that decides itself which of its arguments are evaluated, and when. */
export type Construct = (compiler: Compiler, operation: Operation) => Part;

export function compileArguments(compiler: Compiler, { args, pathOf, depth }: Operation): readonly Part[] {
  return args.map((value, index) => compiler.compile(value, pathOf(index), depth + 1));
}

/** What an operation is that has these parts. */
export function partOf(run: Rule, parts: readonly Part[]): Part {
  let [cost, depth] = [1, 1];
  for (const part of parts) {
    cost += part.cost;
    depth = Math.max(depth, part.depth + 1);
  }
  return { run, cost, depth };
}

export function constantPart(value: JsonValue): Part {
  return { run: () => value, cost: 1, depth: 1, constant: value };
}

export function isConstant(part: Part): part is Part & { readonly constant: JsonValue } {
  return part.constant !== undefined;
}
