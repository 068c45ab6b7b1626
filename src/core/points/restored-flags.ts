import { effectiveFlag } from '../holds/effective.ts';
import type { Memory } from '../memory.ts';
import type { PolicySet } from '../model/desired.ts';
import type { Flag } from '../model/flag.ts';
import type { Latch, Override } from '../model/hold.ts';
import type { ManualRestore, RestoreOutcome } from '../model/manual-restore.ts';
import { type Snapshot, snapshotOf } from '../model/point.ts';
import type { Turn } from '../turn.ts';
import { coveredFlags } from './flag-state.ts';

export type FlagChange = { readonly flag: Flag; readonly variant: string };

/** What a restore of flags has to do, or why it cannot be done; then it does nothing. */
export type FlagPlan =
  | {
      readonly kind: 'plan';
      /** Flags that are something else now. */
      readonly changes: readonly FlagChange[];
      /** All that it is about, changed or not. */
      readonly wanted: readonly FlagChange[];
      /** What stays as it is, in words; empty if nothing does. */
      readonly skipped: string;
    }
  | { readonly kind: 'obstacle'; readonly reason: string };

type Selection = {
  /** The flags that the restore may touch. */
  readonly covered: readonly string[];
  /** Of these, only the named ones; all if empty. */
  readonly only: readonly string[];
};

type FlagsAndHolds = { readonly desired: Pick<PolicySet, 'flags'>; readonly memory: Pick<Memory, 'holds'> };

/** Flags go back together or not at all; one that git no longer has is left out, and said. */
export function planFlags(
  { desired, memory }: FlagsAndHolds,
  { target, flags: held }: Pick<Snapshot, 'target' | 'flags'>,
  { covered, only }: Selection,
): FlagPlan {
  if (held === undefined) return { kind: 'obstacle', reason: `the point holds no flags of ${target}` };
  const strange = only.filter((name) => !Object.hasOwn(held, name));
  if (strange.length > 0) {
    return { kind: 'obstacle', reason: `the point holds no flag ${strange.join(', ')} of ${target}` };
  }
  const asked = only.length === 0 ? Object.keys(held).sort() : only;
  const isKnown = (name: string): boolean => Object.hasOwn(desired.flags, name);
  const isCovered = (name: string): boolean => covered.includes(name);
  const wanted = asked
    .filter((name) => isKnown(name) && isCovered(name))
    .flatMap((name) => changeOf(desired.flags[name], held[name]) ?? []);
  const changes = wanted.filter(({ flag, variant }) => effectiveFlag(flag, memory.holds).variant !== variant);
  const obstacles = changes.flatMap((change) => obstacleOf(change) ?? []);
  if (obstacles.length > 0) return { kind: 'obstacle', reason: obstacles.join('; ') };
  const skipped = skippedWords([
    ['which git no longer has', asked.filter((name) => !isKnown(name))],
    [`which ${target} no longer stands for`, asked.filter((name) => isKnown(name) && !isCovered(name))],
    ['which the point does not hold', only.length > 0 ? [] : covered.filter((name) => !Object.hasOwn(held, name))],
  ]);
  return { kind: 'plan', changes, wanted, skipped };
}

function changeOf(flag: Flag | undefined, variant: string | undefined): FlagChange | undefined {
  return flag === undefined || variant === undefined ? undefined : { flag, variant };
}

function obstacleOf({ flag, variant }: FlagChange): string | undefined {
  if (!Object.hasOwn(flag.variants, variant)) return `flag ${flag.name} has no variant "${variant}" any more`;
  return flag.suspend ? `flag ${flag.name} is suspended` : undefined;
}

function skippedWords(groups: readonly (readonly [why: string, names: readonly string[]])[]): string {
  const words = groups.filter(([, names]) => names.length > 0).map(([why, names]) => `${names.join(', ')}, ${why}`);
  return words.length === 0 ? '' : `left as they are: ${words.join('; ')}`;
}

/** What was done, for people. */
export function describeFlags(changes: readonly FlagChange[], skipped: string): string {
  const set = changes.map(({ flag, variant }) => `${flag.name} to "${variant}"`).join(', ');
  const done = changes.length === 0 ? 'every flag was so already' : `set ${set}`;
  return skipped === '' ? done : `${done}; ${skipped}`;
}

type HandRestore = Pick<ManualRestore, 'point' | 'paths'>;

type Handed = FlagsAndHolds & { readonly memory: Pick<Memory, 'holds' | 'points'>; readonly desired: PolicySet };

/** What a person's restore of a target of flags would do now; a rollback's latch wins over an override, so it stops it. */
export function planFlagsByHand({ desired, memory }: Handed, { point, paths }: HandRestore, name: string): FlagPlan {
  const target = desired.targets[name];
  const held = memory.points[point];
  const snapshot = held === undefined ? undefined : snapshotOf(held, name);
  if (target?.type.kind !== 'flags') return { kind: 'obstacle', reason: `${name} does not stand for flags any more` };
  if (snapshot === undefined) return { kind: 'obstacle', reason: `${point} holds nothing of ${name}` };
  const plan = planFlags({ desired, memory }, snapshot, {
    covered: coveredFlags(desired.flags, target.type),
    only: paths,
  });
  if (plan.kind === 'obstacle') return plan;
  const latches = plan.changes.flatMap(({ flag }) => latchesOf(memory, flag.name));
  if (latches.length === 0) return plan;
  const reason = latches.map(({ id, flag }) => `a rollback holds ${flag}; \`revertd holds lift ${id}\` releases it`);
  return { kind: 'obstacle', reason: reason.join('; ') };
}

function latchesOf({ holds }: Pick<Memory, 'holds'>, flag: string): Latch[] {
  return Object.values(holds).filter((hold): hold is Latch => hold.kind === 'latch' && hold.flag === flag);
}

/** Sets the flags of a person's restore, if it is their turn: overrides, which last until somebody lifts them. */
export function settleRestoredFlags(turn: Turn, restore: ManualRestore): void {
  if (Object.values(restore.outcomes).some(({ outcome }) => outcome !== 'done')) return;
  const name = restore.targets.find((one) => !Object.hasOwn(restore.outcomes, one));
  if (name === undefined || turn.desired.targets[name]?.type.kind !== 'flags') return;
  const plan = planFlagsByHand(turn, restore, name);
  if (plan.kind === 'plan') {
    for (const change of plan.changes) turn.emit({ type: 'hold.placed', hold: overrideOf(turn, restore, change) });
  }
  const outcome: RestoreOutcome =
    plan.kind === 'plan'
      ? { outcome: 'done', detail: describeFlags(plan.changes, plan.skipped) }
      : { outcome: 'failed', detail: plan.reason };
  turn.emit({ type: 'restore.flagsSettled', restore: restore.id, target: name, result: outcome });
}

function overrideOf({ now }: Turn, { id, by, reason }: ManualRestore, { flag, variant }: FlagChange): Override {
  return {
    kind: 'override',
    id: `override:${flag.name}`,
    object: `Flag/${flag.name}`,
    since: now,
    cause: `${by} by ${id} until it is lifted: ${reason}`,
    flag: flag.name,
    variant,
    actor: by,
    expiresAt: null,
  };
}
