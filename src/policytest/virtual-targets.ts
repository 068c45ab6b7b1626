import type { CaptureAction, RestoreAction } from '../core/model/action.ts';
import type { Snapshot } from '../core/model/point.ts';
import { type CodeRevision, type Target, trackOf } from '../core/model/target.ts';
import type { TargetSight } from '../core/observed.ts';
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

  restore({ target, to, paths, rows }: RestoreAction): string {
    if (paths.length === 0 && rows === undefined) this.#heads.set(target.name, to);
    return this.revision(target.name);
  }

  /** What points hold of targets; what a target is at stands for its content. */
  capture({ targets, compression }: CaptureAction, at: Millis): Snapshot[] {
    return targets.flatMap(({ name, type }) => {
      if (type.kind === 'git') return [];
      const fingerprint = this.revision(name);
      const sizes = { bytes: 0, storedBytes: 0, compression, encrypted: false };
      return [{ target: name, type: type.kind, manifest: `${name}@${at}`, from: at, to: at, fingerprint, ...sizes }];
    });
  }

  isAt({ target, to }: RestoreAction): boolean {
    return this.revision(target.name) === to;
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

export function revisionCalled(name: string): CodeRevision {
  return { commit: name, tree: name };
}
