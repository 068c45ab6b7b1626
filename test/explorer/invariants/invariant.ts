import type { Transition } from '../model/state.ts';

/** Something that always holds. */
export type Invariant = {
  readonly name: string;
  /** In the words of the design. */
  readonly statement: string;
  /**
   * `transition`: looked at for every move from every state. `state`: looked at once for each state, because what it
   * says follows from the state alone.
   */
  readonly per: 'transition' | 'state';
  /** What is wrong, in words; null if nothing is. */
  readonly violation: (transition: Transition) => string | null;
};
