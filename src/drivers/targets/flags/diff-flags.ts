import type { FlagRecord, FlagState } from '../../../core/points/flag-state.ts';
import { type DiffGroup, type DiffItem, DiffTally } from '../captured-target.ts';

/** Flag by flag what is different in `after`; of the named flags, or of all if none is named. */
export async function diffFlags(before: FlagState, after: FlagState, only: readonly string[]): Promise<DiffGroup> {
  const names = [...new Set([...Object.keys(before.flags), ...Object.keys(after.flags)])].sort();
  const tally = new DiffTally('flags');
  for (const what of names.filter((name) => only.length === 0 || only.includes(name))) {
    const found = differenceOf(before.flags[what], after.flags[what]);
    if (found !== undefined) await tally.add(found.kind, () => ({ what, detail: found.detail }));
  }
  const note = before.revision === after.revision ? undefined : `revision ${before.revision} → ${after.revision}`;
  return { ...tally.group(note), restores: 'changed' };
}

function differenceOf(
  before: FlagRecord | undefined,
  after: FlagRecord | undefined,
): Omit<DiffItem, 'what'> | undefined {
  if (before === undefined) return after === undefined ? undefined : { kind: 'added', detail: shown(after) };
  if (after === undefined) return { kind: 'removed', detail: shown(before) };
  if (before.variant === after.variant) return undefined;
  return { kind: 'changed', detail: `${shown(before)} → ${shown(after)}` };
}

function shown({ variant, because, cause }: FlagRecord): string {
  return because === 'git' ? `"${variant}"` : `"${variant}" (${because}: ${cause ?? 'no cause'})`;
}
