import type { Check } from '../../core/model/check.ts';

/** What is live stands here, and its rehearsed copy there. */
export type Relocation = { readonly live: string; readonly scratch: string };

/** The check as it asks the rehearsed copy; undefined if it asks nothing that was rehearsed. */
export function relocatedCheck(check: Check, places: readonly Relocation[]): Check | undefined {
  if (check.kind !== 'file' && check.kind !== 'sqlite') return undefined;
  const path = relocatedPath(check.path, places);
  return path === undefined ? undefined : { ...check, path };
}

function relocatedPath(path: string, places: readonly Relocation[]): string | undefined {
  for (const { live, scratch } of places) {
    if (path === live) return scratch;
    if (path.startsWith(`${live}/`)) return `${scratch}${path.slice(live.length)}`;
  }
  return undefined;
}
