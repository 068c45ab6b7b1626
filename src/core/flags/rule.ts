import type { JsonValue } from '../model/step.ts';

/** What the caller says about whom it asks for. */
export type EvaluationContext = { readonly [key: string]: JsonValue };

/** What a rule looks at while it runs. Lists move `data` to each of their items in turn. */
export type Scope = {
  data: JsonValue;
  readonly context: EvaluationContext;
  readonly flagKey: string;
  /** `$flagd.timestamp`: seconds since 1970. */
  readonly timestamp: number;
  /** How much may still be done; what lists would take beyond it ends the evaluation. */
  steps: number;
};

/** A compiled rule of JsonLogic. Throws nothing but RuleError, and what the engine throws when it is out of memory or stack. */
export type Rule = (scope: Scope) => JsonValue;

export type RuleErrorCode = 'targetingKeyMissing' | 'tooMuch';

/** Why a rule came to no end. */
export class RuleError extends Error {
  override readonly name = 'RuleError';
  readonly code: RuleErrorCode;

  constructor(code: RuleErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Where something stands within a document of targeting. */
export type RulePath = readonly (string | number)[];

/** What is wrong with a rule. One that is not fatal runs all the same, as flagd would run it. */
export type RuleFault = {
  readonly path: RulePath;
  readonly message: string;
  readonly fatal: boolean;
  readonly suggestion?: string;
};

/** A part of a rule that can run. `cost` counts the operations in it, with those of what it refers to; `depth` likewise. */
export type Part = {
  readonly run: Rule;
  readonly cost: number;
  readonly depth: number;
  /** What it always is, where that is known beforehand. */
  readonly constant?: JsonValue;
};

/** The most operations of one targeting, with those of what it refers to. */
export const MOST_OPERATIONS = 10_000;
/** How deep a targeting may be nested. */
export const DEEPEST = 100;
/** The most operations that lists may have done in one evaluation; that takes some 5 ms. */
export const MOST_STEPS = 200_000;
/** The longest text that a rule may put together, in UTF-16 units. */
export const LONGEST_TEXT = 65_536;
/** The longest list that a rule may put together. */
export const LONGEST_LIST = 10_000;
