import type { PolicySnapshot, Revision } from '../core/model/revision.ts';

/**
 * Why a state of the policies is not taken without a person:
 * - `historyRewritten`: the revision in force is no ancestor of the new one
 * - `branchGone`: the branch, tag or commit that is followed does not exist any more
 * - `emptied`: the folder has no policy files any more, while the revision in force had some
 * - `folderGone`: there is no such folder, and no revision in force that had files there
 * - `linkOutside`: a symbolic link leads out of the policy folder
 * - `fileTooLarge`: a file, the number of files, or all of them together exceed `limits.ts`
 * - `unsupportedEntry`: something that is no file: a submodule, a link to a folder, a pipe, a name that is not UTF-8
 */
export type RefusalCode = (typeof REFUSAL_CODES)[number];

export const REFUSAL_CODES = [
  'historyRewritten',
  'branchGone',
  'emptied',
  'folderGone',
  'linkOutside',
  'fileTooLarge',
  'unsupportedEntry',
] as const;

/** Why nothing could be read this time. All of them may mend themselves, or by somebody elsewhere. */
export type UnreachableCode = (typeof UNREACHABLE_CODES)[number];

export const UNREACHABLE_CODES = [
  'notFound',
  'auth',
  'hostKey',
  'tls',
  'network',
  'timeout',
  'corrupt',
  'forbiddenProtocol',
  'storage',
  'busy',
  'gitMissing',
  'unsteady',
  'unknown',
] as const;

/** The state is there, but only a person may accept it or mend it; the message says how. */
export type Refusal = {
  readonly state: 'refused';
  readonly code: RefusalCode;
  readonly revision?: Revision;
  readonly message: string;
};

/** The state could not be read; the last good revision stays in force and the caller tries again later. */
export type Unreachable = { readonly state: 'unreachable'; readonly code: UnreachableCode; readonly message: string };

export type SourceReading =
  | { readonly state: 'unchanged'; readonly revision: Revision }
  | { readonly state: 'changed'; readonly snapshot: PolicySnapshot }
  | Refusal
  | Unreachable;

/** What is known before a reading. */
export type ReadRequest = {
  /** The revision in force; undefined at first start. */
  readonly accepted: Revision | undefined;
  /** Revisions that a person accepted although history was rewritten or the folder emptied. */
  readonly consented: ReadonlySet<Revision>;
};

/** Something that the source mended by itself, and that people should know of. */
export type SourceNotice = {
  readonly code: 'staleLockRemoved' | 'orphanEnded' | 'mirrorRebuilt' | 'watchFailed';
  readonly message: string;
};

/** Where policies come from. */
export interface PolicySource {
  /**
   * Reads the newest state. Faults of the source are readings, never exceptions.
   * @throws the signal's reason if `signal` is aborted.
   */
  read(request: ReadRequest, signal: AbortSignal): Promise<SourceReading>;

  /**
   * One revision by name, for looking at it: any name of a commit, also `main~3` or an abbreviated SHA. A whole SHA that
   * was read before needs no network. Sources without a history have no such method.
   * @throws {SourceError} if there is no such revision, or if `read` would refuse its files.
   */
  readRevision?(revision: string, signal: AbortSignal): Promise<PolicySnapshot>;

  /** Calls back when there may be something new; a source without it is polled. The result ends the watching. */
  watch?(onHint: () => void): () => Promise<void> | void;

  /** What is read, for people; never with credentials. */
  describe(): string;
}
