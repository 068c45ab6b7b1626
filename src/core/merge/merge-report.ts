import type { JsonValue } from '../model/step.ts';
import { type ConflictClass, type Held, resolveConflict, type Strategy } from './conflict.ts';

/**
 * What a merging restore goes through:
 * analyzing → conflictDetection → [conflictResolution → pending | aborted] → executing → completed | partiallyCompleted | failed
 */
export type MergePhase = 'analyzing' | 'conflictDetection' | 'conflictResolution' | 'executing' | MergeEnd | 'failed';

/** `partiallyCompleted`: items in conflict were left as they are. After `pending` and `aborted` nothing is changed. */
export type MergeEnd = 'completed' | 'partiallyCompleted' | 'pending' | 'aborted';

/** One conflict, its three versions side by side; a version is absent where the item is not there. */
export type ConflictItem = {
  /** What it is about: `entities id=4`, or the JSON pointer of a document. */
  readonly item: string;
  readonly class: ConflictClass;
  /** Identifies the three versions in full: a decision is about these alone. */
  readonly digest: string;
  readonly ancestor?: JsonValue;
  readonly live?: JsonValue;
  readonly snapshot?: JsonValue;
};

export type MergeReport = {
  /** In their order; the last one is the end. */
  readonly phases: readonly MergePhase[];
  readonly end: MergeEnd;
  /** How many conflicts there are, or were. */
  readonly conflicts: number;
  /** Not all, where there are many. */
  readonly items: readonly ConflictItem[];
};

export type Decision = {
  readonly item: string;
  readonly digest: string;
  readonly take: 'live' | 'snapshot';
};

/** How a restore merges. With decisions, what they do not settle is asked again. */
export type MergeSpec = { readonly conflicts: Strategy; readonly decisions?: readonly Decision[] };

/** More are counted; nobody decides so many by hand. */
export const MOST_ITEMS = 500;

/** Collects the conflicts of one merge, and what becomes of them. */
export class MergeLog {
  readonly strategy: Strategy;
  readonly #onPhase: (phase: MergePhase) => void;
  readonly #decisions: ReadonlyMap<string, Decision>;
  readonly #phases: MergePhase[] = ['analyzing', 'conflictDetection'];
  readonly #items: ConflictItem[] = [];
  readonly #held: Record<Held, number> = { left: 0, asked: 0, aborted: 0 };
  #conflicts = 0;

  /** `onPhase` hears of each as it begins. */
  constructor({ conflicts, decisions = [] }: MergeSpec, onPhase: (phase: MergePhase) => void = () => undefined) {
    this.strategy = conflicts;
    this.#onPhase = onPhase;
    onPhase('conflictDetection');
    this.#decisions = new Map(decisions.map((decision) => [decision.item, decision]));
  }

  /** What a person decided about exactly this; undefined if nobody did, or it was about other versions. */
  note(item: ConflictItem): 'live' | 'snapshot' | undefined {
    if (this.#conflicts === 0) this.#onPhase('conflictResolution');
    this.#conflicts += 1;
    if (this.#items.length < MOST_ITEMS) this.#items.push(item);
    const decision = this.#decisions.get(item.item);
    return decision?.digest === item.digest ? decision.take : undefined;
  }

  /** Something noted stays as it is. */
  hold(how: Held): void {
    this.#held[how] += 1;
  }

  /** Whose version stands there, as a person decided or the strategy says; `held`: it stays as it is. */
  settle(item: ConflictItem): 'live' | 'snapshot' | 'held' {
    const found = this.note(item) ?? resolveConflict(item.class, this.strategy);
    if (found === 'live' || found === 'snapshot') return found;
    this.hold(found);
    return 'held';
  }

  /** What it ends with before anything is changed; undefined if it goes on. */
  get hindrance(): MergeReport | undefined {
    if (this.#held.aborted > 0) return this.#report('aborted');
    return this.#held.asked > 0 ? this.#report('pending') : undefined;
  }

  get done(): MergeReport {
    return this.#report(this.#held.left > 0 ? 'partiallyCompleted' : 'completed');
  }

  #report(end: MergeEnd): MergeReport {
    const resolution: readonly MergePhase[] = this.#conflicts > 0 ? ['conflictResolution'] : [];
    const execution: readonly MergePhase[] = end === 'pending' || end === 'aborted' ? [] : ['executing'];
    const phases = [...this.#phases, ...resolution, ...execution, end];
    return { phases, end, conflicts: this.#conflicts, items: this.#items };
  }
}

/** What became of a merge, for people. */
export function describeMerge({ end, conflicts, items }: MergeReport): string {
  const many = `${conflicts} conflict${conflicts === 1 ? '' : 's'}`;
  const first = items[0] === undefined ? '' : ` (${items[0].class}: ${items[0].item}${conflicts > 1 ? ', …' : ''})`;
  switch (end) {
    case 'completed':
      return conflicts === 0 ? 'merged without a conflict' : `merged, ${many} resolved`;
    case 'partiallyCompleted':
      return `merged in part: ${many}${first}, of which some were left as they are`;
    case 'pending':
      return `${many}${first} to be decided; nothing was changed`;
    case 'aborted':
      return `${many}${first}; nothing was changed`;
  }
}
