import type { CaptureAction, RestoreAction } from '../core/model/action.ts';
import type { Snapshot } from '../core/model/point.ts';
import { type CodeRevision, revisionOfPrint, revisionPrint, type Target, trackOf } from '../core/model/target.ts';
import type { TargetSight } from '../core/observed.ts';
import { variantsIn } from '../core/points/flag-state.ts';
import type { Millis } from '../core/units.ts';

/** What a test says of a checkout; revisions are names that it makes up. */
export type TargetStart = {
  readonly revision: string;
  /** Proved good before the test began, the newest first. */
  readonly good: readonly string[];
};

const DEFAULT_REVISION = 'first';

/** The checkouts of a virtual host. A revision's name stands for its commit and its content alike. */
export class VirtualTargets {
  readonly #heads = new Map<string, string>();
  readonly #tips = new Map<string, string>();

  constructor(starts: Readonly<Record<string, TargetStart>>) {
    for (const [name, { revision }] of Object.entries(starts)) {
      this.#heads.set(name, revision);
      this.#tips.set(name, revision);
    }
  }

  /** A new revision: of what is tracked, or, where nothing is, put in place by somebody else. */
  push(target: Target, revision: string): void {
    const places = trackOf(target) === undefined ? this.#heads : this.#tips;
    places.set(target.name, revision);
  }

  restore(action: RestoreAction): string {
    const { target, paths, rows } = action;
    if (paths.length === 0 && rows === undefined) this.#heads.set(target.name, stateOf(action));
    return this.revision(target.name);
  }

  /** What points hold of targets; what a target is at stands for its content. */
  capture({ targets, compression, flags = {} }: CaptureAction, at: Millis): Snapshot[] {
    return targets.map(({ name, type }) => {
      const shown = this.revision(name);
      const fingerprint = type.kind === 'git' ? revisionPrint(revisionCalled(shown)) : shown;
      const sizes = { bytes: 0, storedBytes: 0, compression, encrypted: false };
      const snapshot = {
        target: name,
        type: type.kind,
        manifest: `${name}@${at}`,
        from: at,
        to: at,
        fingerprint,
        ...sizes,
      };
      const state = flags[name];
      return state === undefined ? snapshot : { ...snapshot, flags: variantsIn(state) };
    });
  }

  isAt(action: RestoreAction): boolean {
    return this.revision(action.target.name) === stateOf(action);
  }

  revision(name: string): string {
    return this.#heads.get(name) ?? DEFAULT_REVISION;
  }

  sights(targets: readonly Target[], at: Millis): Readonly<Record<string, TargetSight>> {
    return Object.fromEntries(targets.map((target) => [target.name, this.#sight(target, at)]));
  }

  #sight(target: Target, at: Millis): TargetSight {
    const { name } = target;
    if (target.type.kind !== 'git') return { kind: 'captured', at, changedAt: at };
    const tip = this.#tips.get(name) ?? this.revision(name);
    return {
      kind: 'git',
      at,
      head: revisionCalled(this.revision(name)),
      isDirty: false,
      tip: trackOf(target) === undefined ? null : { ...revisionCalled(tip), subject: tip },
      tipFault: null,
    };
  }
}

/** What it is after a restore: of code the revision that the point has. */
function stateOf({ target, to, snapshot }: RestoreAction): string {
  return target.type.kind === 'git' && snapshot !== undefined ? revisionOfPrint(snapshot.fingerprint).commit : to;
}

export function revisionCalled(name: string): CodeRevision {
  return { commit: name, tree: name };
}
