import type { Rules } from '../model/rules.ts';
import type { SmallWorld } from '../model/small-world.ts';

/** A bug planted in `decide` or in the fold, which the explorer must find. */
export type Mutant = {
  readonly name: string;
  /** The invariant that it breaks; each has one mutant at least. */
  readonly breaks: string;
  readonly bug: string;
  /** Where it shows. */
  readonly world: SmallWorld;
  /** Made anew for each exploration, for a bug may remember. */
  readonly rules: () => Rules;
  /** How many moves the shortest path has that shows it. */
  readonly moves: number;
};
