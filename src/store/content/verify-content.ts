import { piecesOf } from './blob-ref.ts';
import { ContentError, type ContentErrorCode } from './content-error.ts';
import type { ContentFolder } from './content-folder.ts';
import { type Keyring, namesOf } from './content-keys.ts';
import type { ContentReader, ManifestLine } from './content-reader.ts';

/** A piece of a snapshot that is not as it was stored. */
export type ContentFault = {
  readonly sha256: string;
  readonly code: ContentErrorCode;
  readonly message: string;
  /** The lines of the manifest that need it, at most ten; none if it is the manifest's own. */
  readonly lines: readonly ManifestLine[];
};

export type ContentVerdict = {
  readonly bytes: number;
  readonly blobs: number;
  readonly faults: readonly ContentFault[];
};

export type VerifyOptions = {
  readonly signal: AbortSignal;
  readonly progress?: (done: { readonly bytes: number }) => void;
};

const LINES_NAMED = 10;

type Tally = { bytes: number; blobs: number; readonly faults: Map<string, ContentFault & { lines: ManifestLine[] }> };

/**
 * Reads all that a manifest needs again. A corrupted piece is put aside, so that it is stored anew by the next capture
 * of the same content instead of standing in for it; that heals every snapshot that needs it. Rejects with ContentError
 * if it was aborted, or if the disk fails.
 */
export async function verifyContent(
  parts: { readonly folder: ContentFolder; readonly reader: ContentReader; readonly keyring: Keyring },
  manifest: string,
  { signal, progress }: VerifyOptions,
): Promise<ContentVerdict> {
  const tally: Tally = { bytes: 0, blobs: 0, faults: new Map() };
  const seen = new Set<string>();
  const look = async (piece: string, line: ManifestLine | null) => {
    if (signal.aborted) throw new ContentError('aborted', 'the verification was ended', { cause: signal.reason });
    const known = tally.faults.get(piece);
    if (line !== null && known !== undefined && known.lines.length < LINES_NAMED) known.lines.push(line);
    if (seen.has(piece)) return;
    seen.add(piece);
    await lookAt(parts, tally, piece, line);
    progress?.({ bytes: tally.bytes });
  };
  try {
    for (const piece of piecesOf(await parts.reader.manifestText(manifest))) await look(piece, null);
    if (tally.faults.size > 0) return verdictOf(tally);
    for await (const line of parts.reader.manifest(manifest)) {
      for (const piece of line.content === undefined ? [] : piecesOf(line.content)) await look(piece, line);
    }
  } catch (error) {
    const { blob, code, message } = contentErrorOf(error);
    if (blob === undefined) throw error;
    tally.faults.set(blob, { sha256: blob, code, message, lines: [] });
  }
  return verdictOf(tally);
}

function verdictOf({ bytes, blobs, faults }: Tally): ContentVerdict {
  return { bytes, blobs, faults: [...faults.values()] };
}

async function lookAt(
  { folder, reader, keyring }: Parameters<typeof verifyContent>[0],
  tally: Tally,
  piece: string,
  line: ManifestLine | null,
): Promise<void> {
  try {
    tally.bytes += (await reader.piece(piece)).length;
    tally.blobs += 1;
  } catch (error) {
    const { blob, code, message } = contentErrorOf(error);
    if (blob === undefined) throw error;
    tally.faults.set(piece, { sha256: piece, code, message, lines: line === null ? [] : [line] });
    if (code === 'corrupt') await putAside(folder, piece, keyring);
  }
}

async function putAside(folder: ContentFolder, piece: string, keyring: Keyring): Promise<void> {
  for (const name of namesOf(piece, keyring)) {
    if (!(await folder.hasBlob(name))) continue;
    await folder.putAside(name);
    return;
  }
}

function contentErrorOf(error: unknown): ContentError {
  if (error instanceof ContentError) return error;
  throw error;
}
