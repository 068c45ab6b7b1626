import type { JsonValue } from '../../core/model/step.ts';
import type { PlaceChange, PlaceErrorCode } from './place-driver.ts';

/** A syntax in which values can be read and set without touching the rest of the text. Pure. */
export type TextFormat = {
  /** A document of this format without entries, for one that does not exist yet. */
  readonly empty: string;
  /** Undefined for entries that the text does not have. Throws FormatError if the text has faults. */
  readonly read: (text: string, entries: readonly string[]) => ReadonlyMap<string, JsonValue | undefined>;
  /** The text with the entries set and everything else as it was. Throws FormatError. */
  readonly edit: (text: string, changes: readonly PlaceChange[]) => string;
  /** The text without the entries; those that it does not have are no fault. Throws FormatError. */
  readonly remove: (text: string, entries: readonly string[]) => string;
  /** Whether an entry that reads as `observed` is what writing `desired` gives. */
  readonly matches: (observed: JsonValue | undefined, desired: JsonValue) => boolean;
};

/** A fault in the text of a document, or in what is to be written to it. `offset` counts UTF-16 units from 0. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
  readonly code: PlaceErrorCode;
  readonly offset: number | undefined;

  constructor(code: PlaceErrorCode, message: string, offset?: number) {
    super(message);
    this.code = code;
    this.offset = offset;
  }
}

/** `3:17`, counted from 1, as editors count. */
export function positionAt(text: string, offset: number): string {
  const before = text.slice(0, offset).split(/\r\n|\n|\r/);
  return `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

/** The line ending that the text uses; `\n` if it has none. */
export function lineEnding(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}
