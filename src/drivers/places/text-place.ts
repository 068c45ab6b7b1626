import { type DocumentRef, documentPath } from '../../core/model/flag.ts';
import type { AllowList } from '../allow-list.ts';
import type { ContainerEngine } from '../containers/engine.ts';
import { readInContainer } from './container-document.ts';
import { editText, inWords, readText } from './document-text.ts';
import { asPlaceError, readContent, stopIfAborted, withFolder } from './open-document.ts';
import type { PlaceDriver, PlaceWritten } from './place-driver.ts';
import { type Edit, replaceDocument } from './replace-document.ts';
import { replaceInContainer } from './replace-in-container.ts';
import type { TextFormat } from './text-format.ts';
import { inTurn } from './write-turns.ts';

/** What drivers of places need of the host. */
export type PlaceHost = { readonly allow: AllowList; readonly engine: ContainerEngine };

/**
 * A place whose documents are text files, of the host or inside of a container. `formatOf` chooses the syntax by the
 * path, and throws FormatError.
 */
export function textPlace(host: PlaceHost, formatOf: (path: string) => TextFormat): PlaceDriver {
  return {
    read: async (document, entries, signal) => {
      const label = documentPath(document);
      try {
        stopIfAborted(label, signal);
        const format = inWords(label, '', () => formatOf(document.path));
        return readText(label, format, await readBytes(host, document, signal), entries);
      } catch (error) {
        const { code, message } = asPlaceError(label, error);
        return { state: 'unreadable', code, message };
      }
    },
    write: async (document, changes, signal) => {
      const label = documentPath(document);
      const format = inWords(label, '', () => formatOf(document.path));
      const edit = (bytes: Uint8Array | undefined) => editText(label, format, bytes, { changes, removals: [] });
      return await inTurn(label, () => replaceBytes(host, document, edit, signal));
    },
  };
}

async function readBytes(
  { allow, engine }: PlaceHost,
  { path, container }: DocumentRef,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  if (container !== undefined) return await readInContainer({ allow, engine, container, path }, signal);
  return await withFolder(path, allow, async (folder) => (await readContent(folder))?.bytes);
}

async function replaceBytes(
  { allow, engine }: PlaceHost,
  { path, container }: DocumentRef,
  edit: Edit,
  signal: AbortSignal,
): Promise<PlaceWritten> {
  if (container !== undefined) return await replaceInContainer({ allow, engine, container, path }, edit, signal);
  return await withFolder(path, allow, (folder) => replaceDocument(folder, edit, signal));
}
