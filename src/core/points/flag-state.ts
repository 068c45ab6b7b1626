import { effectiveFlag } from '../holds/effective.ts';
import type { Memory } from '../memory.ts';
import type { PolicySet } from '../model/desired.ts';
import type { Flag } from '../model/flag.ts';
import type { Snapshot } from '../model/point.ts';
import type { Revision } from '../model/revision.ts';
import type { FlagsTarget } from '../model/target.ts';
import { mapValues } from '../record.ts';

/** What flags are, and why, at the revision that was in force. It is JSON. */
export type FlagState = {
  readonly revision: Revision;
  readonly flags: Readonly<Record<string, FlagRecord>>;
};

export type FlagRecord = {
  readonly variant: string;
  readonly because: 'git' | 'latch' | 'override';
  /** The hold that makes it so, and its cause in words; null where it is git's own value. */
  readonly hold: string | null;
  readonly cause: string | null;
};

type FlagPolicies = Pick<PolicySet, 'flags' | 'revision'>;

/** The names of the flags that the target stands for, sorted. */
export function coveredFlags(flags: PolicySet['flags'], { only }: FlagsTarget): string[] {
  return (only.length === 0 ? Object.keys(flags) : [...only]).sort();
}

/** The effective state of the target's flags. */
export function flagState(
  { flags, revision }: FlagPolicies,
  memory: Pick<Memory, 'holds'>,
  type: FlagsTarget,
): FlagState {
  const covered = coveredFlags(flags, type).flatMap((name) => {
    const flag = flags[name];
    return flag === undefined ? [] : [[name, recordOf(flag, memory.holds)] as const];
  });
  return { revision, flags: Object.fromEntries(covered) };
}

function recordOf(flag: Flag, holds: Memory['holds']): FlagRecord {
  const { variant, because } = effectiveFlag(flag, holds);
  return { variant, because: because?.kind ?? 'git', hold: because?.id ?? null, cause: because?.cause ?? null };
}

/** What of it a restore goes by. */
export function variantsIn({ flags }: FlagState): NonNullable<Snapshot['flags']> {
  return mapValues(flags, ({ variant }) => variant);
}
