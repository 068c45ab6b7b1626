import { expect, test } from 'vitest';
import { applyMove, firstState } from '../model/apply-move.ts';
import { possibleMoves } from '../model/possible-moves.ts';
import { REAL_RULES } from '../model/rules.ts';
import type { SmallWorld } from '../model/small-world.ts';
import type { State } from '../model/state.ts';
import { WORLDS } from '../worlds/registry.ts';
import { canonicalForm } from './canonical-form.ts';

/** Pairs of different states with the same form that are compared in each world. */
const PAIRS = 150;
/** One in so many states is followed up, so that the pairs come from near and far. */
const STRIDE = 7;

/** What may happen next, and to which form it leads. */
function futureOf(world: SmallWorld, state: State): string[] {
  return possibleMoves(world, state).map(({ move, cost }) => {
    const { after, plan } = applyMove(world, REAL_RULES, state, move);
    const decided = plan.events.map(({ type }) => type).join();
    return `${JSON.stringify(move)} ${cost}: ${decided} ${canonicalForm(world, after)}`;
  });
}

function* pairs(world: SmallWorld): Generator<readonly [State, State]> {
  const known = new Map<string, State>();
  const waiting = [firstState(world, REAL_RULES)];
  for (let at = 0; at < waiting.length && known.size < 20_000; at += 1) {
    const state = waiting[at];
    if (state === undefined) return;
    for (const { move } of possibleMoves(world, state)) {
      const { after } = applyMove(world, REAL_RULES, state, move);
      const form = canonicalForm(world, after);
      const before = known.get(form);
      if (before !== undefined) yield [before, after];
      else if (known.set(form, after).size % STRIDE === 0 || known.size < 100) waiting.push(after);
    }
  }
}

test.each(WORLDS)('in world "$name", states of the same form have the same future', (world) => {
  let compared = 0;
  for (const [one, other] of pairs(world)) {
    expect(futureOf(world, other)).toEqual(futureOf(world, one));
    compared += 1;
    if (compared === PAIRS) break;
  }
  expect(compared).toBeGreaterThan(PAIRS / 10);
});
