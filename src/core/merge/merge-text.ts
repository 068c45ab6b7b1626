import { diff3MergeRegions } from 'node-diff3';
import type { ConflictClass, Versions } from './conflict.ts';

export type TextConflict = {
  readonly class: ConflictClass;
  /** Of the ancestor, from 1: it is the same however much of the rest is merged already. */
  readonly line: number;
  readonly versions: Versions<string>;
};

export type TextMerge = {
  /** With the live lines at each place in conflict. */
  readonly merged: string;
  readonly conflicts: readonly TextConflict[];
};

/** Which version stands at a place in conflict. */
export type TextChoice = (conflict: TextConflict) => 'live' | 'snapshot';

/** More lines would take too long. */
const MOST_LINES = 10_000;
/** Of lines that are alike each is held against each, as of thousands of empty ones. */
const MOST_MATCHES = 500_000;

/** Whether merging them line by line takes but a moment. */
export function canMergeText({ ancestor, live, snapshot }: Texts): boolean {
  const [before, mine, theirs] = [ancestor, live, snapshot].map(countLines);
  if (before === undefined || mine === undefined || theirs === undefined) return false;
  return matchesOf(before, mine) <= MOST_MATCHES && matchesOf(before, theirs) <= MOST_MATCHES;
}

/** How often each line is there; undefined if there are too many. */
function countLines(text: string): ReadonlyMap<string, number> | undefined {
  const lines = linesOf(text);
  if (lines.length > MOST_LINES) return undefined;
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

function matchesOf(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  let matches = 0;
  for (const [line, count] of a) matches += count * (b.get(line) ?? 0);
  return matches;
}

type Texts = { readonly [K in keyof Versions<string>]: string };

/** Merges texts line by line; a line keeps its own end. `choose` says what is written at a place in conflict. */
export function mergeText({ ancestor, live, snapshot }: Texts, choose: TextChoice = () => 'live'): TextMerge {
  const conflicts: TextConflict[] = [];
  const regions = diff3MergeRegions(linesOf(live), linesOf(ancestor), linesOf(snapshot));
  const parts = regions.map((region) => {
    if (region.stable) return region.bufferContent.join('');
    const [mine, before, theirs] = [region.aContent, region.oContent, region.bContent].map((part) => part.join(''));
    if (mine === undefined || before === undefined || theirs === undefined) return '';
    if (mine === theirs) return mine;
    const versions = { ancestor: before, live: mine, snapshot: theirs };
    const conflict = { class: classOf(versions), line: region.oStart + 1, versions };
    conflicts.push(conflict);
    return versions[choose(conflict)];
  });
  return { merged: parts.join(''), conflicts };
}

/** Lines with their ends; the last one may have none. */
export function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function classOf({ ancestor, live, snapshot }: Texts): ConflictClass {
  if (ancestor === '') return 'duplicate';
  return live === '' || snapshot === '' ? 'missing' : 'value';
}
