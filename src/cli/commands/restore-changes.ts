import type { PointDiff } from '../../daemon/diff-points.ts';
import type { DiffGroup, DiffItem } from '../../drivers/targets/captured-target.ts';

const INVERSE = { added: 'removed', removed: 'added', changed: 'changed' } as const satisfies Record<
  DiffItem['kind'],
  DiffItem['kind']
>;

/**
 * What a restore from the point would do to what is live: the reverse of what is different there. With paths only what
 * lies at or below one of them.
 */
export function restoreChanges(difference: PointDiff, paths: readonly string[]): PointDiff {
  const targets = difference.targets.map((one) => {
    if (one.diff === undefined) return one;
    const groups = one.diff.groups
      .map(restorable)
      .map((group) => inverted(paths.length === 0 ? group : selected(group, paths)));
    return { ...one, diff: { groups } };
  });
  return { ...difference, targets };
}

/** Without what a restore leaves as it is. */
function restorable(group: DiffGroup): DiffGroup {
  if (group.restores !== 'changed') return group;
  return { ...group, added: 0, removed: 0, items: group.items.filter(({ kind }) => kind === 'changed') };
}

/** Counts what is shown, for of what is not shown nobody knows where it lies. */
function selected(group: DiffGroup, paths: readonly string[]): DiffGroup {
  const items = group.items.filter(({ what }) => paths.some((path) => isAtOrBelow(path, what, group.name)));
  const count = (kind: DiffItem['kind']): number => items.filter((item) => item.kind === kind).length;
  const counts = { added: count('added'), removed: count('removed'), changed: count('changed') };
  const { isCut, items: shown } = group;
  const note = isCut ? `only the first ${shown.length} differences were looked through; there may be more` : group.note;
  return { ...group, ...counts, items, ...(note === undefined ? {} : { note }) };
}

/** A path is absolute, or relative to the only root, which is the group's name. */
function isAtOrBelow(path: string, what: string, root: string): boolean {
  const wanted = path.replace(/\/+$/, '');
  const place = wanted.startsWith('/') ? (what === '.' ? root : `${root}/${what}`) : what;
  return place === wanted || place.startsWith(`${wanted}/`);
}

function inverted(group: DiffGroup): DiffGroup {
  const { added, removed, items } = group;
  return { ...group, added: removed, removed: added, items: items.map(invertedItem) };
}

function invertedItem({ kind, what, detail, lines }: DiffItem): DiffItem {
  const since = kind === 'changed' && detail !== '' ? `since the point: ${detail}` : detail;
  return {
    kind: INVERSE[kind],
    what,
    detail: since,
    ...(lines === undefined ? {} : { lines: lines.split('\n').map(invertedLine).join('\n') }),
  };
}

/** A line of a unified diff, read the other way round. */
function invertedLine(line: string): string {
  const hunk = /^@@ -(?<older>\S+) \+(?<newer>\S+) @@(?<rest>.*)$/.exec(line)?.groups;
  if (hunk !== undefined) return `@@ -${hunk['newer']} +${hunk['older']} @@${hunk['rest']}`;
  if (/^(?:---|\+\+\+) /.test(line)) return line;
  if (line.startsWith('-')) return `+${line.slice(1)}`;
  return line.startsWith('+') ? `-${line.slice(1)}` : line;
}
