/**
 * Whether a path below the policy folder, with `/` between its parts, is loaded: it ends in `.yaml` or `.yml`, is no draft
 * (`*.draft.yaml`, `*.draft.yml`), and no part of it begins with a dot.
 */
export function isPolicyPath(path: string): boolean {
  return !isHidden(path) && /\.ya?ml$/.test(path) && !/\.draft\.ya?ml$/.test(path);
}

/** Whether the path is a template's, which notifiers may name: `.md` or `.txt` in a folder `templates`. */
export function isTemplatePath(path: string): boolean {
  return !isHidden(path) && /(^|\/)templates\/[^/]+\.(md|txt)$/.test(path);
}

/** Whether there is a policy at all; templates alone are none. */
export function hasPolicyFile(files: readonly { readonly path: string }[]): boolean {
  return files.some(({ path }) => isPolicyPath(path));
}

/** Whether the file is part of a revision. */
export function isRevisionPath(path: string): boolean {
  return isPolicyPath(path) || isTemplatePath(path);
}

/** Whether a part of the path begins with a dot; such files and folders are nobody's policies. */
export function isHidden(path: string): boolean {
  return path.split('/').some((part) => part.startsWith('.'));
}

/** Whether a name was decoded from bytes that are not UTF-8; such a file cannot be named in a diagnostic. */
export function isUndecodable(path: string): boolean {
  return path.includes('\uFFFD');
}

/** The order of files in a snapshot: by UTF-16 code units, so the same everywhere. */
export function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  if (a.path === b.path) return 0;
  return a.path < b.path ? -1 : 1;
}
