import type { JsonValue } from '../model/step.ts';
import type { ConflictClass, Strategy } from './conflict.ts';

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
  readonly #decisions: ReadonlyMap<string, Decision>;
  readonly #phases: MergePhase[] = ['analyzing', 'conflictDetection'];
  readonly #items: ConflictItem[] = [];
  #conflicts = 0;
  #left = 0;
  #asked = 0;
  #aborted = 0;

  constructor({ decisions = [] }: MergeSpec) {
    this.#decisions = new Map(decisions.map((decision) => [decision.item, decision]));
  }

  /** What a person decided about exactly this; undefined if nobody did, or it was about other versions. */
  note(item: ConflictItem): 'live' | 'snapshot' | undefined {
    this.#conflicts += 1;
    if (this.#items.length < MOST_ITEMS) this.#items.push(item);
    const decision = this.#decisions.get(item.item);
    return decision?.digest === item.digest ? decision.take : undefined;
  }

  leave(): void {
    this.#left += 1;
  }

  ask(): void {
    this.#asked += 1;
  }

  abort(): void {
    this.#aborted += 1;
  }

  /** What it ends with before anything is changed; undefined if it goes on. */
  get hindrance(): MergeReport | undefined {
    if (this.#aborted > 0) return this.#report('aborted');
    return this.#asked > 0 ? this.#report('pending') : undefined;
  }

  get done(): MergeReport {
    return this.#report(this.#left > 0 ? 'partiallyCompleted' : 'completed');
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
