import type { Memory } from '../memory.ts';

/** The manifests of all points, by which the content store knows what is needed; apart, those of damaged points. */
export function neededContent(points: Memory['points']): {
  readonly sound: readonly string[];
  readonly damaged: readonly string[];
} {
  const sound = new Set<string>();
  const damaged = new Set<string>();
  for (const { state, snapshots, pruned } of Object.values(points)) {
    const isDamaged = state === 'invalid' || pruned?.was === 'invalid';
    for (const { manifest } of snapshots) (isDamaged ? damaged : sound).add(manifest);
  }
  return { sound: [...sound], damaged: [...damaged].filter((manifest) => !sound.has(manifest)) };
}
