import type { DocumentRef } from '../../core/model/flag.ts';
import type { JsonValue } from '../../core/model/step.ts';

/**
 * A kind of document in which flags are written. One call reads or writes all entries of one document, so that a
 * document that several flags share is read once and replaced once.
 */
export type PlaceDriver = {
  /** Never rejects: what cannot be read is a finding, not a fault of the caller. */
  readonly read: (document: DocumentRef, entries: readonly string[], signal: AbortSignal) => Promise<PlaceReading>;
  /**
   * Sets all entries in one replacement that changes nothing else, and reads them back from the new text before it takes
   * the old one's place. On the host this is atomic; inside of a container as far as `replace-in-container.ts` says.
   * Writing what is already there touches nothing. Rejects with PlaceError.
   */
  readonly write: (
    document: DocumentRef,
    changes: readonly PlaceChange[],
    signal: AbortSignal,
  ) => Promise<PlaceWritten>;
};

export type PlaceChange = { readonly entry: string; readonly value: JsonValue };

export type PlaceReading =
  | {
      readonly state: 'read';
      /** By entry; undefined where the document has none. An env file's values are texts. */
      readonly values: Readonly<Record<string, JsonValue | undefined>>;
      /** SHA-256 of the content in hex; that of nothing if the document does not exist. */
      readonly digest: string;
      readonly exists: boolean;
    }
  | { readonly state: 'unreadable'; readonly code: PlaceErrorCode; readonly message: string };

/** Digests of the content (SHA-256, hex) after and before; `before` is undefined if the document was created. */
export type PlaceWritten = { readonly digest: string; readonly before: string | undefined };

export type PlaceErrorCode =
  | 'notAllowed'
  | 'badPath'
  | 'folderMissing'
  | 'linkDangling'
  | 'linkLeavesFolder'
  | 'notRegular'
  | 'tooLarge'
  | 'notUtf8'
  | 'syntax'
  | 'formatNotSupported'
  | 'badEntry'
  | 'ambiguousEntry'
  | 'blockedPath'
  | 'badValue'
  | 'notTaken'
  | 'notPermitted'
  | 'ownerNotKept'
  | 'diskFull'
  | 'changedMeanwhile'
  | 'onHost'
  | 'throughLink'
  | 'noEngine'
  | 'noSuchContainer'
  | 'aborted'
  | 'io';

/** The document is as it was, but where `message` says otherwise: a write that fails has changed nothing. */
export class PlaceError extends Error {
  override readonly name = 'PlaceError';
  readonly code: PlaceErrorCode;
  readonly path: string;

  /** `position` is `line:column` in the document. */
  constructor(code: PlaceErrorCode, path: string, message: string, cause?: unknown, position?: string) {
    super(`${path}${position === undefined ? '' : `:${position}`}: ${message}`, { cause });
    this.code = code;
    this.path = path;
  }
}
