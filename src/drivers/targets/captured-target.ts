import type { Snapshot } from '../../core/model/point.ts';
import type { RowSelection, Target } from '../../core/model/target.ts';
import type { FlagState } from '../../core/points/flag-state.ts';
import type { Millis } from '../../core/units.ts';
import { ContentError } from '../../store/content/content-error.ts';
import type { ContentStore } from '../../store/content/content-store.ts';
import type { Compression } from '../../store/content/envelope.ts';
import type { AllowList } from '../allow-list.ts';
import type { SecretResolver } from '../secrets.ts';
import { TargetError } from './target-driver.ts';

/** What a target of this kind can do beside being looked at and restored: its states are kept as snapshots. */
export type CapturedDriver = {
  /**
   * Stores what the target is now. The content stays until the operation is released in the store: at once if the
   * capture failed, else when the point is in the log. Never rejects.
   */
  readonly capture: (target: Target, context: CaptureContext) => Promise<CaptureOutcome>;
  /** What is different in `to`. Rejects with TargetError or ContentError. */
  readonly diff: (target: Target, from: Snapshot, to: Snapshot | 'live', context: PointContext) => Promise<TargetDiff>;
  /** Reads every byte of the snapshot again. Never rejects. */
  readonly verify: (target: Target, snapshot: Snapshot, context: PointContext) => Promise<VerifyOutcome>;
  /** Restores into an empty folder of its own; the live target is not touched. Never rejects. */
  readonly rehearse: (
    target: Target,
    snapshot: Snapshot,
    folder: string,
    context: PointContext,
  ) => Promise<RehearsalOutcome>;
};

/** What a driver of captured targets is made with. */
export type CapturedHost = {
  readonly allow: AllowList;
  readonly secrets: SecretResolver;
  /** Called at each step of a restore that a crash could come after; for tests. */
  readonly at?: (boundary: string) => void;
};

export type PointContext = {
  /** Only these rows of a database are compared. */
  readonly rows?: RowSelection;
  /** Of a target of flags: what they are now. */
  readonly flags?: FlagState;
  readonly signal: AbortSignal;
  readonly store: ContentStore;
  readonly progress: (done: Progress) => void;
};

export type Progress = { readonly bytes: number; readonly files?: number; readonly total?: number };

export type CaptureContext = PointContext & {
  readonly operation: string;
  readonly now: () => Millis;
  readonly log: (line: string) => void;
  readonly compression?: Compression;
  /** A damaged database is kept as what can be read of it. */
  readonly recover?: boolean;
  /** The newest valid one of this target: what did not change since is not read again. */
  readonly previous?: Snapshot;
};

export type CaptureOutcome =
  | { readonly outcome: 'done'; readonly snapshot: Omit<Snapshot, 'target' | 'type'>; readonly detail: string }
  | { readonly outcome: 'failed'; readonly detail: string };

export type VerifyOutcome =
  | { readonly outcome: 'valid'; readonly detail: string; readonly bytes: number }
  | { readonly outcome: 'invalid'; readonly detail: string; readonly faults: readonly string[] }
  /** It could not be found out. */
  | { readonly outcome: 'failed'; readonly detail: string };

/** `path` is where the target's content is now; what checks it may look there. */
export type Rehearsed = {
  readonly detail: string;
  readonly path: string;
  /** A database of the same server, in which the content is. */
  readonly database?: string;
  /** Takes away what is not in the folder, once all is checked. Never rejects. */
  readonly end?: () => Promise<void>;
};

export type RehearsalOutcome =
  | ({ readonly outcome: 'done' } & Rehearsed)
  | { readonly outcome: 'failed'; readonly detail: string };

/** What is different, in groups: the trees of files, the tables of a database. */
export type TargetDiff = { readonly groups: readonly DiffGroup[] };

export type DiffGroup = DiffCounts & {
  readonly name: string;
  /** Not all, where there are many; then `isCut`. */
  readonly items: readonly DiffItem[];
  readonly isCut: boolean;
  /** What more there is to say, for instance that its columns changed. */
  readonly note?: string;
  /** A restore undoes what changed alone: what was added or removed since stays as it is. */
  readonly restores?: 'changed';
};

export type DiffCounts = { readonly added: number; readonly removed: number; readonly changed: number };

export type DiffItem = {
  readonly kind: 'added' | 'removed' | 'changed';
  /** A path, or the key of a row. */
  readonly what: string;
  /** What changed of it, in words: `12 → 14 bytes`. */
  readonly detail: string;
  /** A unified diff of small text. */
  readonly lines?: string;
};

/** Items of each group that are shown; all are counted. */
export const ITEMS_SHOWN = 200;

/** Counts all and keeps the first. */
export class DiffTally {
  readonly #name: string;
  readonly #items: DiffItem[] = [];
  readonly #counts = { added: 0, removed: 0, changed: 0 };

  constructor(name: string) {
    this.#name = name;
  }

  /** Describes it only if it is to be shown. */
  async add(kind: DiffItem['kind'], describe: () => Promise<Omit<DiffItem, 'kind'>> | Omit<DiffItem, 'kind'>) {
    this.#counts[kind] += 1;
    if (this.#items.length < ITEMS_SHOWN) this.#items.push({ kind, ...(await describe()) });
  }

  group(note?: string): DiffGroup {
    const { added, removed, changed } = this.#counts;
    const isCut = added + removed + changed > this.#items.length;
    return {
      name: this.#name,
      ...this.#counts,
      items: this.#items,
      isCut,
      ...(note === undefined ? {} : { note }),
    };
  }
}

/** The words of a fault of the host or of the store; what is neither is a fault of this program, and is thrown. */
export function faultText(error: unknown): string {
  if (error instanceof TargetError || error instanceof ContentError) return error.message;
  if (error instanceof Error && 'syscall' in error) return error.message;
  if (error instanceof Error && error.name === 'AbortError') return 'it was ended before it was done';
  throw error;
}

/**
 * The first field of a manifest says what wrote it, and in which version.
 * @throws {TargetError} `snapshot`
 */
export function refuseOtherFormat(found: unknown, format: string): void {
  if (found === format) return;
  throw new TargetError('snapshot', `the snapshot is of format ${String(found)}, not ${format}`);
}
