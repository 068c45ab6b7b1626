import type { Expr } from '../ast.ts';
import type { Interner } from '../labels.ts';
import { printQuery } from '../print.ts';
import type { Queryable } from '../series.ts';
import type { Frame, Node, Vector, VectorNode } from './node.ts';

/**
 * Parts that several queries have in common, `rate(requests_total[5m])` of an error ratio and of a traffic threshold: there is
 * one node for all of them, which is evaluated once for all that ask at the same instant about the same samples.
 */
export type SharedParts = {
  /** The node of this part; `make` is asked if there is none yet. */
  node(expr: Expr, interner: Interner, make: () => Node): Node;
  /** What is compiled from now on shares nothing with what was compiled before. */
  forget(): void;
};

export function createSharedParts(): SharedParts {
  const known = new Map<string, Node>();
  let knownInterner: Interner | undefined;
  return {
    node(expr, interner, make) {
      if (!isShareable(expr)) return make();
      // Nodes compare labels by identity, so those of two interners must not meet.
      if (interner !== knownInterner) known.clear();
      knownInterner = interner;
      const key = printQuery(expr);
      const found = known.get(key);
      if (found !== undefined) return found;
      const made = make();
      const node = made.type === 'vector' ? remembered(made) : made;
      known.set(key, node);
      return node;
    },
    forget: () => known.clear(),
  };
}

/** Of selectors and scalars an evaluation is as cheap as to ask whether it is needed; ranges are windows that move. */
function isShareable({ kind }: Expr): boolean {
  return kind === 'call' || kind === 'aggregate' || kind === 'binary';
}

/** The same vector for as long as nothing that it depends on has changed. What asks for it must not change it. */
function remembered(node: VectorNode): VectorNode {
  let store: Queryable | undefined;
  let version: number | undefined;
  let at = Number.NaN;
  let last: Vector | undefined;
  return {
    type: 'vector',
    vector: (frame: Frame) => {
      // A range query is at `start()` for all of its steps, an instant query at its own instant.
      const isInstant = frame.stepMs === 0 && frame.start === frame.at;
      const isKnown = isInstant && frame.at === at && frame.store === store && frame.store.version === version;
      if (isKnown && last !== undefined && version !== undefined) return last;
      last = undefined;
      const vector = node.vector(frame);
      store = frame.store;
      version = frame.store.version;
      at = isInstant ? frame.at : Number.NaN;
      last = vector;
      return vector;
    },
  };
}
