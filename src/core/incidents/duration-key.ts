import type { Memory } from '../memory.ts';
import type { Millis } from '../units.ts';

export function durationKey(policy: string, rung: string): string {
  return `${policy}/${rung}`;
}

/** How long the steps of the rung usually take: the median of the walks that are remembered; null before the first. */
export function usualDuration(memory: Pick<Memory, 'durations'>, policy: string, rung: string): Millis | null {
  const sorted = [...(memory.durations[durationKey(policy, rung)] ?? [])].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}

/** `drill`: measured in a scratch place, since the rung was never walked here. */
export type Estimate = { readonly ms: Millis; readonly by: 'rollbacks' | 'drill' };

/** How long the rung will take, as far as that is known: by past rollbacks, or else by the last drill that restored for real. */
export function estimateOf(
  memory: Pick<Memory, 'durations' | 'drills'>,
  policy: string,
  rung: string,
): Estimate | null {
  const usual = usualDuration(memory, policy, rung);
  if (usual !== null) return { ms: usual, by: 'rollbacks' };
  const measured = Object.values(memory.drills ?? {})
    .flatMap(({ measured: { scratch } }) => (scratch?.policy === policy ? [scratch] : []))
    .sort((a, b) => b.at - a.at);
  const ms = measured.map(({ rungs }) => rungs[rung]).find((one) => one !== undefined);
  return ms === undefined ? null : { ms, by: 'drill' };
}
