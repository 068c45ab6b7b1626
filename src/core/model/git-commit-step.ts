import type { EntryEdit } from './edit-file-step.ts';
import type { HttpAuth } from './metric-source.ts';
import type { SecretRef } from './secret-ref.ts';

/**
 * Puts a commit on a branch of a repository, for a pull request. Never on the branch that is followed, never by force.
 * The commit carries the operation's key as a trailer, so that it is found again and not made twice.
 */
export type GitCommitStep = {
  readonly kind: 'gitCommit';
  /** Absent: the repository of the policies. */
  readonly repository?: string;
  /** What a new branch grows from; absent: the branch that is followed, or the repository's own default. */
  readonly base?: string;
  /** Absent: `revertd/INC-7`, by the incident. */
  readonly branch?: string;
  readonly message: string;
  readonly changes: readonly GitChange[];
  readonly author: { readonly name: string; readonly email: string };
  /** An OpenSSH private key that the commit is signed with. */
  readonly signingKey?: SecretRef;
  readonly auth?: HttpAuth;
  /** An OpenSSH private key to log in with. */
  readonly sshKey?: SecretRef;
  readonly knownHostsFile?: string;
};

/** Paths are relative to the repository's root. `flag`: the flag's default becomes its safe variant, wherever it stands. */
export type GitChange =
  | { readonly kind: 'flag'; readonly flag: string }
  | ({ readonly kind: 'entries'; readonly path: string } & EntryEdit)
  | { readonly kind: 'content'; readonly path: string; readonly content: string }
  | { readonly kind: 'delete'; readonly path: string };

export function describeGitCommit(step: GitCommitStep): string {
  const where = step.repository === undefined ? "the policies' repository" : step.repository;
  const what = step.changes.map((change) => (change.kind === 'flag' ? `flag ${change.flag}` : change.path)).join(', ');
  const branch = step.branch === undefined ? 'a branch of its own' : `the branch ${step.branch}`;
  return `commit ${what} to ${branch} of ${where}`;
}
