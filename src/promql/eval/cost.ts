import type { Span } from '../ast.ts';
import { PromqlError } from '../promql-error.ts';
import type { Frame } from './node.ts';

/**
 * Where a query ends in a fault instead of holding up everything else, in samples read; about a second of work.
 * Prometheus bounds the samples in memory and the time of a query to the same end.
 */
export const MAX_COST = 200_000_000;

/** What evaluating an expression once costs by itself, in samples. */
const STEP_COST = 200;

/** Counts one step of a subquery or of a range query. Throws a `PromqlError` if the query has cost too much. */
export function spendStep(frame: Frame, span: Span): void {
  frame.cost += STEP_COST;
  if (frame.cost <= MAX_COST) return;
  const message = `the query reads more than ${MAX_COST} samples; fewer series, a longer step or a shorter range need less`;
  throw new PromqlError('evaluation', message, span);
}
