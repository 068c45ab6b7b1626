import { parser } from '@prometheus-io/lezer-promql';
import type { Expr } from './ast.ts';
import { buildExpression } from './build.ts';
import { prepare, withStandIns } from './scan.ts';
import { findSyntaxError } from './syntax-error.ts';

/**
 * Parses a PromQL expression of Prometheus 3. Types, argument counts and names are left to `checkQuery`.
 * The grammar is the one of Prometheus' own editor, which is more lenient than the server; what it lets through is
 * refused here. Throws a `PromqlError` of code `syntax`, or `unsupported` for syntax without a counterpart here.
 */
export function parseQuery(text: string): Expr {
  const prepared = prepare(text);
  const tree = parser.parse(prepared);
  const fault = findSyntaxError(tree, prepared);
  if (fault === undefined) return buildExpression(tree.topNode, prepared);
  const respelt = withStandIns(prepared);
  const second = respelt === undefined ? undefined : parser.parse(respelt);
  if (second === undefined || findSyntaxError(second, prepared) !== undefined) throw fault;
  return buildExpression(second.topNode, prepared);
}
