import { isObject } from '../json/canonical-json.ts';
import type { JsonValue } from '../model/step.ts';
import type { Millis } from '../units.ts';
import { compileRule, type Evaluators } from './compile-rule.ts';
import { type EvaluationContext, MOST_STEPS, type Rule, RuleError, type Scope } from './rule.ts';

/** A flag as flagd defines it (flagd.dev/reference/flag-definitions). */
export type FlagDefinition = {
  readonly key: string;
  readonly state: 'ENABLED' | 'DISABLED';
  readonly variants: Readonly<Record<string, JsonValue>>;
  /** Null: the application's own default. */
  readonly defaultVariant: string | null;
  readonly targeting?: JsonValue;
};

export type EvaluationReason = 'STATIC' | 'TARGETING_MATCH' | 'DEFAULT' | 'DISABLED';
export type EvaluationFault = 'PARSE_ERROR' | 'TARGETING_KEY_MISSING' | 'GENERAL';

export type Evaluation =
  | {
      readonly kind: 'value';
      readonly variant: string;
      readonly value: JsonValue;
      readonly reason: Exclude<EvaluationReason, 'DISABLED'>;
    }
  /** The application's own default. */
  | { readonly kind: 'codeDefault'; readonly reason: 'DEFAULT' | 'DISABLED' }
  | { readonly kind: 'failure'; readonly errorCode: EvaluationFault; readonly details: string };

/** A flag that is ready to be evaluated. Total: whatever the context is, it gives an evaluation. */
export type CompiledFlag = {
  readonly key: string;
  readonly evaluate: (context: EvaluationContext, now: Millis) => Evaluation;
  /** The evaluation if somebody holds the flag at a variant, whatever its state and targeting say. */
  readonly heldAt: (variant: string) => Evaluation;
};

/** Compiles one flag, on its own: a broken one answers PARSE_ERROR and concerns no other. */
export function compileFlag(flag: FlagDefinition, evaluators: Evaluators = {}): CompiledFlag {
  const heldAt = (variant: string): Evaluation => valueOf(flag, variant, 'STATIC');
  if (flag.state === 'DISABLED') return always(flag, { kind: 'codeDefault', reason: 'DISABLED' }, heldAt);
  if (!hasTargeting(flag)) return always(flag, defaultOf(flag, 'STATIC'), heldAt);
  const { run, faults } = compileRule(flag.targeting, evaluators, ['targeting']);
  if (run === null) {
    const [fault] = faults.filter(({ fatal }) => fatal);
    const details = `the flag ${flag.key} cannot be evaluated: ${fault?.message ?? 'its targeting is broken'}`;
    return always(flag, { kind: 'failure', errorCode: 'PARSE_ERROR', details }, heldAt);
  }
  const otherwise = defaultOf(flag, 'DEFAULT');
  const evaluate = evaluationBy(flag, run, otherwise);
  return { key: flag.key, evaluate, heldAt };
}

function hasTargeting<Flag extends FlagDefinition>(flag: Flag): flag is Flag & { readonly targeting: JsonValue } {
  const { targeting } = flag;
  return targeting !== undefined && targeting !== null && !(isObject(targeting) && Object.keys(targeting).length === 0);
}

function always({ key }: FlagDefinition, evaluation: Evaluation, heldAt: CompiledFlag['heldAt']): CompiledFlag {
  return { key, evaluate: () => evaluation, heldAt };
}

/** What a targeting decides nothing about is the default's; so it will be the ramp's before that. */
function evaluationBy(flag: FlagDefinition, run: Rule, otherwise: Evaluation): CompiledFlag['evaluate'] {
  const matched = new Map(
    Object.keys(flag.variants).map((variant) => [variant, valueOf(flag, variant, 'TARGETING_MATCH')] as const),
  );
  return (context, now) => {
    const scope: Scope = {
      data: context,
      context,
      flagKey: flag.key,
      timestamp: Math.floor(now / 1000),
      steps: MOST_STEPS,
    };
    try {
      const result = run(scope);
      if (result === null) return otherwise;
      const variant = typeof result === 'string' ? result : JSON.stringify(result);
      return matched.get(variant) ?? noVariant(flag, variant);
    } catch (error) {
      return failureOf(flag, error);
    }
  };
}

function defaultOf(flag: FlagDefinition, reason: 'STATIC' | 'DEFAULT'): Evaluation {
  const { defaultVariant } = flag;
  return defaultVariant === null ? { kind: 'codeDefault', reason: 'DEFAULT' } : valueOf(flag, defaultVariant, reason);
}

function valueOf(flag: FlagDefinition, variant: string, reason: 'STATIC' | 'DEFAULT' | 'TARGETING_MATCH'): Evaluation {
  const value = Object.hasOwn(flag.variants, variant) ? flag.variants[variant] : undefined;
  return value === undefined ? noVariant(flag, variant) : { kind: 'value', variant, value, reason };
}

function noVariant({ key }: FlagDefinition, variant: string): Evaluation {
  const shown = variant.length > 100 ? `${variant.slice(0, 100)}…` : variant;
  return { kind: 'failure', errorCode: 'GENERAL', details: `the flag ${key} has no variant "${shown}"` };
}

/** Beside its own errors a rule can only run out of stack or memory, which concerns this evaluation alone. */
function failureOf({ key }: FlagDefinition, error: unknown): Evaluation {
  if (error instanceof RuleError && error.code === 'targetingKeyMissing') {
    return { kind: 'failure', errorCode: 'TARGETING_KEY_MISSING', details: `the flag ${key}: ${error.message}` };
  }
  const why = error instanceof Error ? error.message : String(error);
  return { kind: 'failure', errorCode: 'GENERAL', details: `the targeting of ${key} came to no end: ${why}` };
}
