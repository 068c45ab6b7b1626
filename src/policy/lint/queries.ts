import type { CheckThreshold } from '../../core/model/check.ts';
import type { RollbackPolicy } from '../../core/model/policy.ts';
import type { Trigger } from '../../core/model/trigger.ts';
import { childrenOf, type Expr, unwrapParens } from '../../promql/ast.ts';
import { printQuery } from '../../promql/print.ts';
import { parsedQuery } from '../check-query.ts';
import type { Path } from '../path.ts';
import type { PolicyDocument } from '../policy-document.ts';
import type { LintWorld } from './lint-rule.ts';

/** A query that a policy judges by, where it stands, and what it is held against. */
export type JudgedQuery = {
  readonly document: PolicyDocument;
  readonly path: Path;
  readonly policy: RollbackPolicy;
  readonly expr: Expr;
  readonly threshold: Trigger['threshold'] | CheckThreshold;
  /** Where the threshold stands. */
  readonly thresholdPath: Path;
  /** Undefined for the query of a check. */
  readonly trigger: Trigger | undefined;
  /** The server that evaluates it; undefined if revertd does. */
  readonly remote: string | undefined;
};

/** Every query of a trigger or of a verification's check. Those that only a remote server understands are left out. */
export function judgedQueries({ policies }: Pick<LintWorld, 'policies'>): readonly JudgedQuery[] {
  return policies.flatMap(({ document, value: policy }) => [
    ...policy.triggers.flatMap((trigger, index) => {
      const at: Path = ['spec', 'triggers', index];
      const expr = parsedQuery(trigger.query);
      if (expr === undefined) return [];
      const { threshold, source: remote } = trigger;
      const thresholdPath = [...at, sideOf(threshold)];
      return [{ document, path: [...at, 'query'], policy, expr, threshold, thresholdPath, trigger, remote }];
    }),
    ...policy.ladder.flatMap(({ verify }, rung) =>
      verify.checks.flatMap((check, index) => {
        const at: Path = ['spec', 'ladder', rung, 'verify', 'checks', index, 'query'];
        const expr = check.kind === 'query' ? parsedQuery(check.expr) : undefined;
        if (check.kind !== 'query' || expr === undefined) return [];
        const { threshold } = check;
        const thresholdPath = [...at, sideOf(threshold)];
        return [
          {
            document,
            path: [...at, 'expr'],
            policy,
            expr,
            threshold,
            thresholdPath,
            trigger: undefined,
            remote: undefined,
          },
        ];
      }),
    ),
  ]);
}

function sideOf(threshold: JudgedQuery['threshold']): string {
  return threshold.kind === 'baseline' ? threshold.side : threshold.kind;
}

/** The expression and all within it. */
export function* everyExpr(expr: Expr): Generator<Expr> {
  yield expr;
  for (const child of childrenOf(expr)) yield* everyExpr(child);
}

/** `0 * x`: a stand-in that says zero wherever x is. What it looks at is not judged. */
export function isZeroGuard(expr: Expr): boolean {
  if (expr.kind !== 'binary' || expr.op !== '*') return false;
  return [expr.left, expr.right].some((side) => {
    const inner = unwrapParens(side);
    return inner.kind === 'number' && inner.value === 0;
  });
}

/** The same, without what stands below a zero guard. */
export function* judgedExpr(expr: Expr): Generator<Expr> {
  if (isZeroGuard(expr)) return;
  yield expr;
  for (const child of childrenOf(expr)) yield* judgedExpr(child);
}

/** A part of a query as it can be written, cut to the length of a message. */
export function exprText(expr: Expr): string {
  const text = printQuery(expr);
  return `\`${text.length > 70 ? `${text.slice(0, 70)}…` : text}\``;
}
