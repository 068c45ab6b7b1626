import type { Expr } from '../../../src/promql/ast.ts';
import { childrenOf } from '../../../src/promql/ast.ts';
import { parseQuery } from '../../../src/promql/parse.ts';
import { seeded } from './seeded.ts';

/** A query at one instant, or at every step of a range. */
export type Case = { readonly query: string; readonly expr: Expr } & (
  | { readonly kind: 'instant'; readonly at: number }
  | { readonly kind: 'range'; readonly from: number; readonly to: number; readonly stepMs: number }
);

export type Span = {
  readonly from: number;
  readonly to: number;
  /** When scrapes were taken. */
  readonly scrapes: readonly number[];
  readonly lookbackMs: number;
};

const STEPS = 23;

/**
 * Every query at instants of each kind: anywhere, just on, before and after a sample, where the left edge of one of its
 * ranges meets a sample, before the first sample; and once over the whole span.
 */
export function casesOf(queries: readonly string[], span: Span): Case[] {
  const random = seeded(20);
  const pick = (): number => span.scrapes[Math.floor(random() * span.scrapes.length)] ?? span.from;
  const fixed = ((span.from + span.to) / 2000).toFixed(3);
  return queries.flatMap((text) => {
    const query = text.replaceAll('@ T', `@ ${fixed}`);
    const expr = parseQuery(query);
    const edges = [...new Set([...edgesOf(expr, span.lookbackMs), span.lookbackMs])];
    const instants = [
      span.from - 500,
      ...[0, 0, 0].map(() => Math.floor(span.from + random() * (span.to - span.from))),
      ...[0, 0, -1, 1].map((shift) => pick() + shift),
      ...edges.map((edge) => pick() + edge),
    ].filter((at) => at <= span.to);
    const stepMs = Math.floor((span.to - span.from) / STEPS);
    return [
      ...instants.map((at): Case => ({ kind: 'instant', query, expr, at })),
      ...(returnsMatrix(expr) ? [] : [{ kind: 'range', query, expr, from: span.from, to: span.to, stepMs } as const]),
    ];
  });
}

function returnsMatrix({ kind }: Expr): boolean {
  return kind === 'range' || kind === 'subquery';
}

/** How far before the query's instant its outermost ranges begin. */
function edgesOf(expr: Expr, lookbackMs: number): number[] {
  switch (expr.kind) {
    case 'range':
      return [expr.rangeMs + expr.selector.offsetMs];
    case 'subquery':
      return [expr.rangeMs + expr.offsetMs, ...edgesOf(expr.expr, lookbackMs).map((edge) => edge + expr.offsetMs)];
    case 'selector':
      return [lookbackMs + expr.offsetMs];
    default:
      return childrenOf(expr).flatMap((child) => edgesOf(child, lookbackMs));
  }
}
