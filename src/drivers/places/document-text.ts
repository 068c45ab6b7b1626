import type { JsonValue } from '../../core/model/step.ts';
import { type PlaceChange, PlaceError, type PlaceReading } from './place-driver.ts';
import { digestOf } from './replace-document.ts';
import { FormatError, positionAt, type TextFormat } from './text-format.ts';

const BYTE_ORDER_MARK = '\u{feff}';

/** What a document says; `bytes` undefined: it does not exist. Throws PlaceError. */
export function readText(
  path: string,
  format: TextFormat,
  bytes: Uint8Array | undefined,
  entries: readonly string[],
): PlaceReading {
  const text = bytes === undefined ? format.empty : decode(path, bytes).text;
  const values = inWords(path, text, () => format.read(text, entries));
  const digest = digestOf(bytes ?? new Uint8Array());
  return { state: 'read', values: Object.fromEntries(values), digest, exists: bytes !== undefined };
}

/** What is set, and what goes. */
export type EntryChanges = { readonly changes: readonly PlaceChange[]; readonly removals: readonly string[] };

/** The document with the entries set or gone and everything else as it was, proved to read back. Throws PlaceError. */
export function editText(
  path: string,
  format: TextFormat,
  bytes: Uint8Array | undefined,
  { changes, removals }: EntryChanges,
): Uint8Array {
  const { mark, text } = bytes === undefined ? { mark: '', text: format.empty } : decode(path, bytes);
  const kept = inWords(path, text, () => format.remove(text, removals));
  const edited = inWords(path, kept, () => format.edit(kept, changes));
  proveTaken(path, format, edited, { changes, removals });
  return Buffer.from(mark + edited, 'utf8');
}

/** What is reported as written must be what a reader of the new text finds. */
function proveTaken(path: string, format: TextFormat, edited: string, { changes, removals }: EntryChanges): void {
  const entries = [...changes.map((change) => change.entry), ...removals];
  const values = inWords(path, edited, () => format.read(edited, entries));
  const last = new Map<string, JsonValue>(changes.map(({ entry, value }) => [entry, value]));
  for (const [entry, value] of last) {
    if (format.matches(values.get(entry), value)) continue;
    throw new PlaceError('notTaken', path, `${entry} would not read back as ${JSON.stringify(value)}; nothing written`);
  }
  const left = removals.find((entry) => values.get(entry) !== undefined);
  if (left !== undefined) throw new PlaceError('notTaken', path, `${left} would still be there; nothing written`);
}

function decode(path: string, bytes: Uint8Array): { readonly mark: string; readonly text: string } {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const mark = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : '';
    return { mark, text: text.slice(mark.length) };
  } catch (error) {
    throw new PlaceError('notUtf8', path, 'is not valid UTF-8', error);
  }
}

/** Turns the format's errors into the place's, with the position in the text. */
export function inWords<T>(path: string, text: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const position = error.offset === undefined ? undefined : positionAt(text, error.offset);
    throw new PlaceError(error.code, path, error.message, error, position);
  }
}
