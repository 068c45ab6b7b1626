import { distance } from 'fastest-levenshtein';

/** The known name that was probably meant, or undefined if none is close. Of equally close ones, one that begins alike. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const lower = name.toLowerCase();
  const score = (candidate: string): number => distance(lower, candidate) - (candidate.startsWith(lower) ? 0.5 : 0);
  const best = known.reduce((a, b) => (score(b) < score(a) ? b : a), known[0] ?? '');
  return score(best) <= Math.max(1, Math.floor(name.length / 3)) ? best : undefined;
}
