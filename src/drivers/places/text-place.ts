import type { JsonValue } from '../../core/model/step.ts';
import type { AllowList } from '../allow-list.ts';
import { asPlaceError, type OpenFolder, readContent, withFolder } from './open-document.ts';
import { type PlaceChange, type PlaceDriver, PlaceError, type PlaceReading } from './place-driver.ts';
import { digestOf, replaceDocument } from './replace-document.ts';
import { FormatError, positionAt, type TextFormat } from './text-format.ts';

const BYTE_ORDER_MARK = '\u{feff}';

/** A place whose documents are text files. `formatOf` chooses the syntax by the path, and throws FormatError. */
export function textPlace(allow: AllowList, formatOf: (path: string) => TextFormat): PlaceDriver {
  const inTurn = createTurns();
  return {
    read: async ({ path }, entries, signal) => {
      try {
        signal.throwIfAborted();
        const format = inWords(path, '', () => formatOf(path));
        return await withFolder(path, allow, (folder) => readDocument(folder, format, entries));
      } catch (error) {
        const { code, message } = asPlaceError(path, error);
        return { state: 'unreadable', code, message };
      }
    },
    write: async ({ path }, changes, signal) => {
      const format = inWords(path, '', () => formatOf(path));
      const edit = (bytes: Uint8Array | undefined) => editBytes(path, format, bytes, changes);
      return await inTurn(path, () => withFolder(path, allow, (folder) => replaceDocument(folder, edit, signal)));
    },
  };
}

async function readDocument(folder: OpenFolder, format: TextFormat, entries: readonly string[]): Promise<PlaceReading> {
  const content = await readContent(folder);
  const bytes = content?.bytes ?? new Uint8Array();
  const text = content === undefined ? format.empty : decode(folder.path, bytes).text;
  const values = inWords(folder.path, text, () => format.read(text, entries));
  return { state: 'read', values: Object.fromEntries(values), digest: digestOf(bytes), exists: content !== undefined };
}

function editBytes(
  path: string,
  format: TextFormat,
  bytes: Uint8Array | undefined,
  changes: readonly PlaceChange[],
): Uint8Array {
  const { mark, text } = bytes === undefined ? { mark: '', text: format.empty } : decode(path, bytes);
  const edited = inWords(path, text, () => format.edit(text, changes));
  proveTaken(path, format, edited, changes);
  return Buffer.from(mark + edited, 'utf8');
}

/** What is reported as written must be what a reader of the new text finds. */
function proveTaken(path: string, format: TextFormat, edited: string, changes: readonly PlaceChange[]): void {
  const entries = changes.map((change) => change.entry);
  const values = inWords(path, edited, () => format.read(edited, entries));
  const last = new Map<string, JsonValue>(changes.map(({ entry, value }) => [entry, value]));
  for (const [entry, value] of last) {
    if (format.matches(values.get(entry), value)) continue;
    throw new PlaceError('notTaken', path, `${entry} would not read back as ${JSON.stringify(value)}; nothing written`);
  }
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
function inWords<T>(path: string, text: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const position = error.offset === undefined ? undefined : positionAt(text, error.offset);
    throw new PlaceError(error.code, path, error.message, error, position);
  }
}

/** Writes to the same path wait for each other, so that one never takes the other's temporary file for a leftover. */
function createTurns(): <T>(path: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return async (path, work) => {
    const turn = (last.get(path) ?? Promise.resolve()).then(work, work);
    last.set(path, turn);
    try {
      return await turn;
    } finally {
      if (last.get(path) === turn) last.delete(path);
    }
  };
}
