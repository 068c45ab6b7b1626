import { createHash } from 'node:crypto';
import type { ConflictClass, Versions } from '../../core/merge/conflict.ts';
import type { ConflictItem } from '../../core/merge/merge-report.ts';
import type { JsonValue } from '../../core/model/step.ts';

/** Of each value that is shown, in characters. */
export const LONGEST_SHOWN = 500;

/** How a version is written: `text` in full, which a decision is bound to; `shown` for people. */
export type VersionWords<T> = { readonly text: (version: T) => string; readonly shown: (version: T) => JsonValue };

/** A conflict with its versions side by side, as far as they are there. */
export function conflictItem<T>(
  item: string,
  kind: ConflictClass,
  { ancestor, live, snapshot }: Versions<T>,
  { text, shown }: VersionWords<T>,
): ConflictItem {
  const texts = [ancestor, live, snapshot].map((version) => (version === undefined ? '-' : text(version)));
  const digest = createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 16);
  return {
    item,
    class: kind,
    digest,
    ...(ancestor === undefined ? {} : { ancestor: shown(ancestor) }),
    ...(live === undefined ? {} : { live: shown(live) }),
    ...(snapshot === undefined ? {} : { snapshot: shown(snapshot) }),
  };
}

/** One of which there are no versions to choose from. */
export function bareConflict(item: string, kind: ConflictClass): ConflictItem {
  const none: Versions<never> = { ancestor: undefined, live: undefined, snapshot: undefined };
  return conflictItem(item, kind, none, { text: String, shown: () => null });
}

export function shortened(text: string): string {
  return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN)}…`;
}
