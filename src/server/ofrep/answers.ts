import type { Evaluation, EvaluationFault } from '../../core/flags/evaluate-flag.ts';
import type { EvaluationContext } from '../../core/flags/rule.ts';
import { isObject } from '../../core/json/canonical-json.ts';
import type { JsonValue } from '../../core/model/step.ts';
import type { ServedFlag } from './served-flags.ts';

export type ErrorCode = EvaluationFault | 'INVALID_CONTEXT' | 'FLAG_NOT_FOUND';

/** An answer of OFREP, as JSON text. */
export type Answer = { readonly status: 200 | 400 | 404 | 413 | 500; readonly body: string };

/** What a request's body says; an error's code and words where it says nothing that can be used. */
export type RequestedContext =
  | { readonly ok: true; readonly context: EvaluationContext }
  | { readonly ok: false; readonly errorCode: 'PARSE_ERROR' | 'INVALID_CONTEXT'; readonly details: string };

/** `{"context": {…}}`. Lenient: no body and no context are an empty one; who needs a targeting key says so then. */
export function contextIn(body: string): RequestedContext {
  if (body === '') return { ok: true, context: {} };
  let parsed: JsonValue;
  try {
    parsed = JSON.parse(body);
  } catch {
    return { ok: false, errorCode: 'PARSE_ERROR', details: 'the body is not JSON' };
  }
  if (!isObject(parsed)) return invalid('the body is not an object with a `context`');
  const { context } = parsed;
  if (context === undefined) return { ok: true, context: {} };
  if (!isObject(context)) return invalid('`context` is not an object');
  const key = Object.hasOwn(context, 'targetingKey') ? context['targetingKey'] : undefined;
  return key === undefined || key === null || typeof key === 'string'
    ? { ok: true, context }
    : invalid('`targetingKey` is not a text');
}

function invalid(details: string): RequestedContext {
  return { ok: false, errorCode: 'INVALID_CONTEXT', details };
}

/** The OFREP representation of an evaluation. A value that the application has to decide itself is left out. */
export function evaluationText(flag: ServedFlag, evaluation: Evaluation): string {
  if (evaluation.kind === 'failure') {
    return failureText(flag.key, evaluation.errorCode, evaluation.details, flag.metadata);
  }
  const known = flag.texts.get(evaluation);
  if (known !== undefined) return known;
  const { key, metadata } = flag;
  const { reason } = evaluation;
  const text = JSON.stringify(
    evaluation.kind === 'value'
      ? { key, value: evaluation.value, reason, variant: evaluation.variant, metadata }
      : { key, reason, metadata },
  );
  flag.texts.set(evaluation, text);
  return text;
}

export function failureText(
  key: string | undefined,
  errorCode: ErrorCode,
  errorDetails: string,
  metadata?: ServedFlag['metadata'],
): string {
  return JSON.stringify({ key, errorCode, errorDetails, metadata });
}
