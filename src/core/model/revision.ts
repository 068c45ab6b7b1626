/** Identity of one whole state of the policies: a git commit's SHA, or `folder:` and a digest of its files. */
export type Revision = string;

/** A policy file as it was read. `path` is relative to the policy folder, with `/` between its parts. */
export type PolicyFile = { readonly path: string; readonly bytes: Uint8Array };

/** One whole revision of the policies, not yet parsed. */
export type PolicySnapshot = {
  readonly revision: Revision;
  readonly files: readonly PolicyFile[];
  /** Who wrote it and what for, where the source knows. `committedAt` is in ms since the epoch. */
  readonly author?: string;
  readonly subject?: string;
  readonly committedAt?: number;
};

/** Enough of a revision for people to tell it from others. */
export function shortRevision(revision: Revision): string {
  const [, prefix = '', digest = revision] = /^(folder:)(.*)$/.exec(revision) ?? [];
  return `${prefix}${digest.slice(0, 12)}`;
}
