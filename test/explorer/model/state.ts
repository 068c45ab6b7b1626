import type { Event } from '../../../src/core/event.ts';
import type { Memory } from '../../../src/core/memory.ts';
import type { Desired } from '../../../src/core/model/desired.ts';
import type { DocumentKey } from '../../../src/core/model/flag.ts';
import type { Operation } from '../../../src/core/model/operation.ts';
import type { Observed } from '../../../src/core/observed.ts';
import type { Plan } from '../../../src/core/plan/plan.ts';
import type { Millis } from '../../../src/core/units.ts';
import type { Move } from './move.ts';
import type { Rules } from './rules.ts';
import type { SmallWorld } from './small-world.ts';
import type { Witness } from './witness.ts';

/** The host apart from the daemon. */
export type Host = {
  /** Time that really passed since the beginning, whatever the clock shows. */
  readonly elapsedMs: Millis;
  /** What the host's clock shows. */
  readonly now: Millis;
  readonly revision: number;
  readonly files: SmallWorld['files'];
  readonly checkouts: SmallWorld['checkouts'];
  /** Which of the world's losses would be lost now. */
  readonly loss: number;
  /** When each schedule came last, by the clock, and how often schedules have come together. */
  readonly due: Readonly<Record<string, Millis>>;
  readonly dues: number;
  readonly hidden: boolean;
  readonly halted: boolean;
  /** Of the last tick. */
  readonly weather: number;
  /** By `elapsedMs`. */
  readonly startedMs: Millis;
  /** What the executor was given and has not ended. */
  readonly running: readonly Operation[];
};

export type State = {
  readonly host: Host;
  readonly memory: Memory;
  /** Triggers as the log alone would give them back. */
  readonly logged: Memory['triggers'];
  /** The clock's time of the log's last record. */
  readonly recordedAt: Millis;
  readonly witness: Witness;
};

/** One move and the decision that followed: what an invariant looks at. */
export type Transition = {
  readonly world: SmallWorld;
  readonly rules: Rules;
  readonly before: State;
  readonly move: Move;
  /** What was logged because of the move, before the decision. */
  readonly happened: readonly Event[];
  readonly desired: Desired;
  readonly observed: Observed;
  /** Memory that was decided on. */
  readonly memory: Memory;
  /** What the witness knew when it was decided. */
  readonly known: Witness;
  readonly plan: Plan;
  readonly after: State;
};

export function documentsOf(world: SmallWorld): DocumentKey[] {
  return Object.keys(world.files);
}
