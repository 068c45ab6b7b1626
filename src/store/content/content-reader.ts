import { type BlobRef, piecesOf, toBlobRef } from './blob-ref.ts';
import { ContentError } from './content-error.ts';
import type { ContentFolder } from './content-folder.ts';
import { type Keyring, namesOf, notFound } from './content-keys.ts';
import { unseal } from './envelope.ts';
import { decodeRecord } from './manifest-record.ts';
import { NO_CACHE, type PieceCache } from './piece-cache.ts';

/** One line of a manifest. What it says of `content` is found by the store; all else belongs to who wrote it. */
export type ManifestLine = { readonly [key: string]: unknown; readonly content?: BlobRef };

/** Reads, and holds every byte against its sum before it is given away. */
export class ContentReader {
  readonly #folder: ContentFolder;
  readonly #keyring: Keyring;

  readonly #cache: PieceCache;

  constructor(folder: ContentFolder, keyring: Keyring, cache: PieceCache = NO_CACHE) {
    this.#folder = folder;
    this.#keyring = keyring;
    this.#cache = cache;
  }

  /** A piece by its SHA-256, as it is on the disk now. Rejects with ContentError. */
  async piece(sha256: string): Promise<Buffer> {
    for (const name of namesOf(sha256, this.#keyring)) {
      const file = await this.#folder.read('blobs', name);
      if (file !== undefined) return await unseal(file, sha256, this.#keyring.all);
    }
    throw await notFound(this.#folder, this.#keyring, sha256);
  }

  /** Content, piece by piece. A corrupted piece is an error that names it, before anything of it was given. */
  async *content(ref: BlobRef): AsyncGenerator<Buffer> {
    const pieces = piecesOf(ref);
    let coming = this.#ahead(pieces[0]);
    for (let index = 1; coming !== undefined; index += 1) {
      const piece = await coming;
      // The next one is on its way while this one is used.
      coming = this.#ahead(pieces[index]);
      yield piece;
    }
  }

  #ahead(piece: string | undefined): Promise<Buffer> | undefined {
    if (piece === undefined) return undefined;
    const coming = this.#kept(piece);
    // Whoever comes to it hears of the error; who stops before that does not need it.
    coming.catch(() => undefined);
    return coming;
  }

  async #kept(sha256: string): Promise<Buffer> {
    const known = this.#cache.get(sha256);
    if (known !== undefined) return known;
    const piece = await this.piece(sha256);
    this.#cache.set(sha256, piece);
    return piece;
  }

  /** Where the text of a manifest is. Rejects with ContentError. */
  async manifestText(sha256: string): Promise<BlobRef> {
    for (const name of namesOf(sha256, this.#keyring)) {
      const file = await this.#folder.read('manifests', name);
      if (file !== undefined) return await decodeRecord(file, sha256, this.#keyring.all);
    }
    throw await notFound(this.#folder, this.#keyring, sha256);
  }

  /** The lines of a manifest in their order, in bounded memory. Rejects with ContentError. */
  async *manifest(sha256: string): AsyncGenerator<ManifestLine> {
    let rest: Buffer = NOTHING;
    // One piece after the other, and no copy of it with what is left of the one before: several of these are read at once.
    for (const name of piecesOf(await this.manifestText(sha256))) {
      const piece = await this.#kept(name);
      let from = 0;
      for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, from)) {
        const text = piece.subarray(from, end);
        yield toLine(rest.length === 0 ? text : Buffer.concat([rest, text]), sha256);
        rest = NOTHING;
        from = end + 1;
      }
      rest = Buffer.concat([rest, piece.subarray(from)]);
    }
    if (rest.length > 0) throw new ContentError('corrupt', `the manifest ${sha256} breaks off`, { blob: sha256 });
  }
}

const NEWLINE = 0x0a;
const NOTHING = Buffer.alloc(0);

function toLine(text: Buffer, manifest: string): ManifestLine {
  const line: unknown = JSON.parse(text.toString());
  if (typeof line !== 'object' || line === null || Array.isArray(line)) throw senseless(manifest);
  const { content, ...rest }: { content?: unknown } = line;
  if (content === undefined) return rest;
  const ref = toBlobRef(content);
  if (ref === undefined) throw senseless(manifest);
  return { ...rest, content: ref };
}

function senseless(manifest: string): ContentError {
  return new ContentError('format', `the manifest ${manifest} has a line that makes no sense`, { blob: manifest });
}
