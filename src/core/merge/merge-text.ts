import { diff3MergeRegions } from 'node-diff3';
import type { ConflictClass, Versions } from './conflict.ts';

export type TextConflict = {
  readonly class: ConflictClass;
  /** Of the live text, from 1. */
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

/** More lines would take too long: the time grows with the product of what differs. */
export const MOST_LINES = 50_000;

/** Merges texts line by line; a line keeps its own end. `choose` says what is written at a place in conflict. */
export function mergeText(
  { ancestor, live, snapshot }: { readonly ancestor: string; readonly live: string; readonly snapshot: string },
  choose: TextChoice = () => 'live',
): TextMerge {
  const conflicts: TextConflict[] = [];
  const regions = diff3MergeRegions(linesOf(live), linesOf(ancestor), linesOf(snapshot));
  const parts = regions.map((region) => {
    if (region.stable) return region.bufferContent.join('');
    const [mine, before, theirs] = [region.aContent, region.oContent, region.bContent].map((part) => part.join(''));
    if (mine === undefined || before === undefined || theirs === undefined) return '';
    if (mine === theirs) return mine;
    const versions = { ancestor: before, live: mine, snapshot: theirs };
    const conflict = { class: classOf(versions), line: region.aStart + 1, versions };
    conflicts.push(conflict);
    return versions[choose(conflict)];
  });
  return { merged: parts.join(''), conflicts };
}

/** Lines with their ends; the last one may have none. */
export function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function classOf({ ancestor, live, snapshot }: { readonly [K in keyof Versions<string>]: string }): ConflictClass {
  if (ancestor === '') return 'duplicate';
  return live === '' || snapshot === '' ? 'missing' : 'value';
}
