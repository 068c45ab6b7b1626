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
