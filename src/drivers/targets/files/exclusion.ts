import type { BytePath } from './byte-path.ts';
import { toBytePath } from './byte-path.ts';

/** Whether something at a path below a root is left out; what is below a folder that is left out never comes up. */
export type Exclusion = (path: BytePath) => boolean;

/** What this driver itself puts into a tree while it restores. */
export const STAGE_PREFIX = '.revertd-stage-';

/**
 * `*` stands for any characters but `/`, `**` for any at all, `?` for one. A pattern with `/` in it is of the path below
 * the root, or, if it begins with `/`, of the whole path; one without is of the name, wherever it is.
 */
export function exclusionOf(patterns: readonly string[], root: string): Exclusion {
  const byName: RegExp[] = [];
  const byPath: RegExp[] = [];
  for (const pattern of patterns) {
    const trimmed = pattern.replace(/\/+$/, '');
    if (trimmed.startsWith('/')) byPath.push(...belowRoot(trimmed, root));
    else if (trimmed.includes('/')) byPath.push(toRegExp(trimmed));
    else byName.push(toRegExp(trimmed));
  }
  return (path) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (name.startsWith(STAGE_PREFIX)) return true;
    return byName.some((pattern) => pattern.test(name)) || byPath.some((pattern) => pattern.test(path));
  };
}

function belowRoot(pattern: string, root: string): readonly RegExp[] {
  if (pattern.startsWith(`${root}/`)) return [toRegExp(pattern.slice(root.length + 1))];
  // One that begins with `**` or has a star before the root's end is of any place.
  return pattern.startsWith('/**/') ? [toRegExp(pattern.slice(1)), toRegExp(pattern.slice('/**/'.length))] : [];
}

function toRegExp(pattern: string): RegExp {
  const source = toBytePath(pattern)
    .split(/(\*\*\/|\*\*|\*|\?)/)
    .map((part) => {
      if (part === '**/') return '(?:.*/)?';
      if (part === '**') return '.*';
      if (part === '*') return '[^/]*';
      if (part === '?') return '[^/]';
      return part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
    })
    .join('');
  return new RegExp(`^${source}$`, 's');
}
