import { distance } from 'fastest-levenshtein';

/**
 * The name that was probably meant: equal but for case and separators, or at most a third of the letters away.
 * Undefined if nothing is near.
 */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  const wanted = simplify(name);
  let best: { readonly candidate: string; readonly away: number } | undefined;
  for (const candidate of known) {
    const away = typingDistance(wanted, simplify(candidate));
    if (best === undefined || away < best.away) best = { candidate, away };
  }
  if (best === undefined) return undefined;
  const tolerated = Math.max(1, Math.floor(Math.max(wanted.length, best.candidate.length) / 3));
  return best.away <= tolerated && best.away < wanted.length ? best.candidate : undefined;
}

/** Letters in the wrong order are one mistake, though Levenshtein counts two; a beginning is nearer than a variation. */
function typingDistance(typed: string, candidate: string): number {
  const away = distance(typed, candidate);
  if (away === 2 && sortLetters(typed) === sortLetters(candidate)) return 1;
  return candidate.startsWith(typed) ? away - 0.5 : away;
}

function sortLetters(word: string): string {
  return word.split('').sort().join('');
}

/** Long words would make the comparison slow, and are not typing mistakes of short ones. */
function simplify(word: string): string {
  return word
    .slice(0, 100)
    .toLowerCase()
    .replaceAll(/[-_. ]/g, '');
}
