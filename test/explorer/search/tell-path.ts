import type { Event } from '../../../src/core/event.ts';
import { describeEvent } from '../../../src/core/report/describe-event.ts';
import { formatDuration } from '../../../src/core/units.ts';
import { applyMove, firstState } from '../model/apply-move.ts';
import { describeMove, describeOperation } from '../model/describe-move.ts';
import type { Rules } from '../model/rules.ts';
import type { SmallWorld } from '../model/small-world.ts';
import type { Transition } from '../model/state.ts';
import type { Violation } from './search.ts';

/** A violation for people: each move, what was decided on it, and in the end what is wrong. */
export function tellViolation(world: SmallWorld, rules: Rules, { invariant, words, path }: Violation): string {
  const lines = [`World "${world.name}": the invariant ${invariant} is broken after ${path.length} move(s).`];
  let state = firstState(world, rules);
  for (const [index, move] of path.entries()) {
    lines.push(`${String(index + 1).padStart(3)}. ${describeMove(world, state, move)}`);
    try {
      const transition = applyMove(world, rules, state, move);
      lines.push(...tellDecision(transition).map((line) => `       ${line}`));
      state = transition.after;
    } catch (error) {
      lines.push(`       threw ${String(error)}`);
    }
  }
  lines.push(`  => ${words}`);
  return `${lines.join('\n')}\n`;
}

function tellDecision({ plan, before, after }: Transition): string[] {
  const at = `${formatDuration(after.host.elapsedMs)}: `;
  const events = plan.events.flatMap((event) => tellEvent(event) ?? []);
  const holds = Object.keys(after.memory.holds).join(', ');
  const lines = [...events, ...plan.operations.map((operation) => `begins: ${describeOperation(operation)}`)];
  if (holds !== Object.keys(before.memory.holds).join(', ')) lines.push(`holds are now: ${holds || 'none'}`);
  return lines.length === 0 ? [`${at}nothing is decided`] : lines.map((line) => `${at}${line}`);
}

function tellEvent(event: Event): string | null {
  return event.type === 'operation.planned' ? null : describeEvent(event);
}
