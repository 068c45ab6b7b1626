/**
 * Why a query was refused:
 * - `syntax`: it is not PromQL.
 * - `semantic`: it is, but types, argument counts, matchers or names do not fit.
 * - `unsupported`: Prometheus may accept it, but it is outside of what the embedded evaluator does.
 * - `evaluation`: it fits, but not with the data it met, such as many-to-many matching.
 */
export type PromqlErrorCode = 'syntax' | 'semantic' | 'unsupported' | 'evaluation';

/** `offset` and `end` are UTF-16 positions in the query's text; `end` is exclusive. */
export class PromqlError extends Error {
  readonly code: PromqlErrorCode;
  readonly offset: number;
  readonly end: number;

  constructor(code: PromqlErrorCode, message: string, span: { readonly start: number; readonly end: number }) {
    super(message);
    this.name = 'PromqlError';
    this.code = code;
    this.offset = span.start;
    this.end = span.end;
  }
}

/** A fault for what only a Prometheus server can evaluate; `what` begins the sentence. */
export function unsupported(what: string, span: { readonly start: number; readonly end: number }): PromqlError {
  const hint = 'use a MetricSource of type prometheus, which sends the query to a remote server';
  return new PromqlError('unsupported', `${what} is not evaluated here; ${hint}`, span);
}
