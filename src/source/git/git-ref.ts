import { SourceError } from '../source-error.ts';

/** What is followed in a repository. A commit is named by its whole SHA. */
export type GitRef = { readonly branch: string } | { readonly tag: string } | { readonly commit: string };

/** A whole SHA-1 or SHA-256 name of a commit, in lower case. */
export function isWholeSha(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/**
 * Refuses a ref that could not exist, or that a command line could take for an option.
 * @throws {SourceError} `configuration`
 */
export function checkGitRef(ref: GitRef): void {
  if ('commit' in ref) {
    if (isWholeSha(ref.commit)) return;
    throw wrong(
      `the commit ${JSON.stringify(ref.commit)} is no whole SHA of 40 or 64 digits. An abbreviation may come to mean another commit`,
    );
  }
  const [kind, name] = 'branch' in ref ? ['branch', ref.branch] : ['tag', ref.tag];
  if (!isRefName(name)) throw wrong(`${JSON.stringify(name)} cannot be the name of a ${kind}`);
}

/** Whether git allows it as the name of a branch or tag: the rules of git-check-ref-format(1) with `--branch`. */
export function isRefName(name: string): boolean {
  if (name === '' || name === '@' || /^-|[\p{Cc} ~^:?*[\\]|\.\.|@\{/u.test(name)) return false;
  return name.split('/').every((part) => part !== '' && !/^\.|\.$|\.lock$/.test(part));
}

/** For people: `branch main`. */
export function describeRef(ref: GitRef | undefined): string {
  if (ref === undefined) return 'its HEAD';
  if ('commit' in ref) return `commit ${ref.commit}`;
  return 'branch' in ref ? `branch ${ref.branch}` : `tag ${ref.tag}`;
}

function wrong(message: string): SourceError {
  return new SourceError('configuration', message);
}
