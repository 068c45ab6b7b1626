import { decide } from '../../../src/core/decide.ts';
import { evolve } from '../../../src/core/evolve.ts';

/** What is explored: the decision, and the fold that remembers it. A mutant replaces one of them. */
export type Rules = { readonly decide: typeof decide; readonly evolve: typeof evolve };

export const REAL_RULES: Rules = { decide, evolve };
