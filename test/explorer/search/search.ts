import { canonicalForm } from '../canonical/canonical-form.ts';
import type { Invariant } from '../invariants/invariant.ts';
import { applyMove, firstState } from '../model/apply-move.ts';
import type { Move } from '../model/move.ts';
import { possibleMoves } from '../model/possible-moves.ts';
import type { Rules } from '../model/rules.ts';
import type { SmallWorld } from '../model/small-world.ts';
import type { State, Transition } from '../model/state.ts';
import { findUnrest, restlessness } from './calm.ts';
import { hashOf } from './hash.ts';
import { NOWHERE, Visited } from './visited.ts';

export type Limits = {
  readonly states: number;
  readonly depth: number;
  readonly disturbances: number;
};

/** Until nothing new can be reached. */
export const NO_LIMITS = { states: Number.POSITIVE_INFINITY, depth: Number.POSITIVE_INFINITY } as const;

export type Findings = {
  readonly states: number;
  readonly transitions: number;
  /** Moves on the shortest path to the state that is furthest away. */
  readonly depth: number;
  /** Whether everything that can be reached with so many disturbances was visited. */
  readonly complete: boolean;
  readonly violation: Violation | null;
};

export type Violation = { readonly invariant: string; readonly words: string; readonly path: readonly Move[] };

export type Progress = { readonly states: number; readonly transitions: number; readonly depth: number };

type Frontier = { readonly state: State; readonly index: number }[];

/**
 * Breadth first, so that the first violation found has the shortest path that leads to one with so many disturbances.
 * Of each state only a hash and the way to it are kept; those at the edge are kept whole.
 */
export function explore(
  world: SmallWorld,
  rules: Rules,
  invariants: readonly Invariant[],
  limits: Limits,
  onProgress: (progress: Progress) => void = () => undefined,
): Findings {
  const search = new Search(world, rules, invariants, limits);
  while (search.level()) onProgress(search);
  return search.findings();
}

class Search {
  transitions = 0;
  depth = 0;
  readonly #world: SmallWorld;
  readonly #rules: Rules;
  readonly #ofTransitions: readonly Invariant[];
  readonly #ofStates: readonly Invariant[];
  readonly #limits: Limits;
  readonly #visited = new Visited();
  readonly #moves = new MoveBook();
  #frontier: Frontier;
  #violation: Violation | null = null;

  constructor(world: SmallWorld, rules: Rules, invariants: readonly Invariant[], limits: Limits) {
    this.#world = world;
    this.#rules = rules;
    this.#ofTransitions = invariants.filter(({ per }) => per === 'transition');
    this.#ofStates = invariants.filter(({ per }) => per === 'state');
    this.#limits = limits;
    const state = firstState(world, rules);
    const { index } = this.#visited.add(hashOf(canonicalForm(world, state)), NOWHERE, 0, 0);
    this.#frontier = [{ state, index }];
  }

  get states(): number {
    return this.#visited.states;
  }

  /** Everything one move further; false when there is nothing more to visit. */
  level(): boolean {
    if (!this.#goesOn() || this.depth >= this.#limits.depth) return false;
    const next: Frontier = [];
    const frontier = this.#frontier;
    for (let at = 0; at < frontier.length && this.#goesOn(); at += 1) {
      const one = frontier[at];
      if (one !== undefined) this.#expand(one.state, one.index, next);
    }
    if (!this.#goesOn()) return false;
    this.#frontier = next;
    if (next.length > 0) this.depth += 1;
    return next.length > 0;
  }

  #goesOn(): boolean {
    return this.#violation === null && this.#visited.states < this.#limits.states;
  }

  findings(): Findings {
    this.#violation ??= this.#unrest();
    const complete = this.#violation === null && this.#frontier.length === 0;
    return {
      states: this.states,
      transitions: this.transitions,
      depth: this.depth,
      complete,
      violation: this.#violation,
    };
  }

  #expand(state: State, index: number, next: Frontier): void {
    if (state.memory.nextIncident > this.#world.incidents + 1) return;
    const spent = this.#visited.disturbancesOf(index);
    let isCalm = true;
    for (const { move, cost } of possibleMoves(this.#world, state)) {
      const disturbances = spent + cost;
      if (disturbances > this.#limits.disturbances) continue;
      const reached = this.#follow(state, index, move, disturbances, next);
      if (reached === null) return;
      if (isCalm) this.#noteCalm(state, index, reached);
      isCalm = false;
    }
  }

  /** One move; answers which state it leads to, or null if it breaks an invariant. */
  #follow(state: State, index: number, move: Move, disturbances: number, next: Frontier): number | null {
    this.transitions += 1;
    const transition = this.#apply(state, move);
    if (typeof transition === 'string') return this.#blame('decide-is-total', transition, index, move);
    if (!this.#holds(this.#ofTransitions, transition, index)) return null;
    const hash = hashOf(canonicalForm(this.#world, transition.after));
    const found = this.#visited.add(hash, index, this.#moves.number(move), disturbances);
    if (!found.isNew) return found.index;
    if (!this.#holds(this.#ofStates, transition, index)) return null;
    next.push({ state: transition.after, index: found.index });
    return found.index;
  }

  #apply(state: State, move: Move): Transition | string {
    try {
      return applyMove(this.#world, this.#rules, state, move);
    } catch (error) {
      return `it threw ${String(error)}`;
    }
  }

  #holds(invariants: readonly Invariant[], transition: Transition, index: number): boolean {
    for (const { name, violation } of invariants) {
      const words = violation(transition);
      if (words === null) continue;
      this.#blame(name, words, index, transition.move);
      return false;
    }
    return true;
  }

  #noteCalm(state: State, index: number, reached: number): void {
    this.#visited.setCalm(index, reached);
    if (reached !== index) return;
    const words = restlessness(this.#world, state);
    if (words !== null) this.#violation = { invariant: 'comes-to-rest', words, path: this.#pathTo(index) };
  }

  #unrest(): Violation | null {
    const index = findUnrest(this.#visited);
    if (index === null) return null;
    const words = 'all goes well from here on, and it never comes to rest';
    return { invariant: 'comes-to-rest', words, path: this.#pathTo(index) };
  }

  #blame(invariant: string, words: string, index: number, move: Move): null {
    this.#violation = { invariant, words, path: [...this.#pathTo(index), move] };
    return null;
  }

  #pathTo(index: number): Move[] {
    const path: Move[] = [];
    for (let at = index; this.#visited.parentOf(at) !== NOWHERE; at = this.#visited.parentOf(at)) {
      path.unshift(this.#moves.at(this.#visited.moveOf(at)));
    }
    return path;
  }
}

/** Moves by number: there are few different ones. */
class MoveBook {
  readonly #numbers = new Map<string, number>();
  readonly #moves: Move[] = [];

  number(move: Move): number {
    const key = JSON.stringify(move);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#moves.push(move) - 1;
    this.#numbers.set(key, number);
    return number;
  }

  at(number: number): Move {
    const move = this.#moves[number];
    if (move === undefined) throw new RangeError(`there is no move ${number}`);
    return move;
  }
}
