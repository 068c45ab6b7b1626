import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { piecesOf } from './blob-ref.ts';
import type { Claims } from './claims.ts';
import { ContentError, guarded } from './content-error.ts';
import { ContentFolder, type Room, shardOf } from './content-folder.ts';
import { isKeyId } from './content-key.ts';
import { type Keyring, namesOf } from './content-keys.ts';
import { ContentReader } from './content-reader.ts';
import { packTar, type TarPart, unpackTar } from './tar.ts';
import { verifyContent } from './verify-content.ts';

/** Says in words and for programs what the content belongs to; the first thing in an archive. */
const NOTE = 'revertd-point.json';

type Parts = { readonly folder: ContentFolder; readonly reader: ContentReader; readonly keyring: Keyring };

export type PackOptions = {
  readonly manifests: readonly string[];
  readonly note: string;
  /** Of an archive that is more than a point's: what its note is called, and more files, which stand right behind that. */
  readonly head?: { readonly noteName: string; readonly files: TarPart };
  readonly signal: AbortSignal;
};

/**
 * Writes snapshots into one file, which is made: the note, and the files of the store as they are, so that what is encrypted stays it.
 * Resolves with the file's size. Rejects with ContentError.
 */
export async function packContent(
  { folder, reader, keyring }: Parts,
  path: string,
  { manifests, note, head, signal }: PackOptions,
): Promise<number> {
  return await folder.withScratch(async (scratch) => {
    const noteName = head?.noteName ?? NOTE;
    await guarded(`writing ${path}`, async () => {
      await writeFile(join(scratch, noteName), note, { mode: 0o600 });
      // It is nobody else's to read, from before there is anything in it.
      await writeFile(path, '', { flag: 'wx', mode: 0o600 });
    });
    try {
      const files = neededPaths({ folder, reader, keyring }, manifests);
      const parts = [
        { folder: scratch, names: [noteName] },
        ...(head === undefined ? [] : [head.files]),
        { folder: folder.path, names: files },
      ];
      await packTar(path, parts, signal);
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
    return await guarded(`looking at ${path}`, async () => (await stat(path)).size);
  });
}

async function* neededPaths(parts: Parts, manifests: readonly string[]): AsyncGenerator<string> {
  for await (const { room, name } of neededFiles(parts, manifests)) {
    yield room === 'blobs' ? `blobs/${shardOf(name)}/${name}` : `${room}/${name}`;
  }
}

type NeededFile = { readonly room: Room; readonly name: string };

/** Each file once: the keys' ids, then what each manifest says, and last the manifest, which makes it count. */
async function* neededFiles(
  { folder, reader, keyring }: Parts,
  manifests: readonly string[],
): AsyncGenerator<NeededFile> {
  for (const id of await folder.names('keys')) yield { room: 'keys', name: id };
  const given = new Set<string>();
  const stored = new Set(await folder.names('manifests'));
  async function* pieces(sums: readonly string[]): AsyncGenerator<NeededFile> {
    for (const sum of sums) {
      if (given.has(sum)) continue;
      given.add(sum);
      yield { room: 'blobs', name: await storedName(folder, keyring, sum) };
    }
  }
  for (const manifest of new Set(manifests)) {
    yield* pieces(piecesOf(await reader.manifestText(manifest)));
    for await (const { content } of reader.manifest(manifest)) {
      if (content !== undefined) yield* pieces(piecesOf(content));
    }
    const name = namesOf(manifest, keyring).find((one) => stored.has(one));
    if (name === undefined) throw new ContentError('missing', `the manifest ${manifest} is gone`, { blob: manifest });
    yield { room: 'manifests', name };
  }
}

async function storedName(folder: ContentFolder, keyring: Keyring, sha256: string): Promise<string> {
  for (const name of namesOf(sha256, keyring)) if (await folder.hasBlob(name)) return name;
  throw new ContentError('missing', `${sha256} is not in the content store ${folder.path}`, { blob: sha256 });
}

export type UnpackOptions = {
  /** Until this is released nothing of it is collected. */
  readonly operation: string;
  readonly signal: AbortSignal;
  /** Answers from the note which manifests it is about; what it throws ends the import. */
  readonly read: (note: string) => readonly string[];
};

/**
 * Takes over the content of such a file. All of it is read and held against its sums first: of an archive that is not
 * whole nothing gets into the store. Rejects with ContentError, and with what `read` throws.
 */
export async function unpackContent(
  { folder, keyring, claims }: Omit<Parts, 'reader'> & { readonly claims: Claims },
  path: string,
  { operation, signal, read }: UnpackOptions,
): Promise<void> {
  await folder.withScratch(async (scratch) => {
    await unpackTar(path, scratch, signal);
    const manifests = read(await noteIn(scratch, path));
    await adoptContent({ folder, keyring, claims }, { from: scratch, archive: path, manifests, operation, signal });
  });
}

export type AdoptOptions = {
  /** Where an archive was unpacked, and which. */
  readonly from: string;
  readonly archive: string;
  readonly manifests: readonly string[];
  /** Until this is released nothing of it is collected. */
  readonly operation: string;
  readonly signal: AbortSignal;
};

/** Takes over the content of an archive that is unpacked already, if all of it is whole. Rejects with ContentError. */
export async function adoptContent(
  { folder, keyring, claims }: Omit<Parts, 'reader'> & { readonly claims: Claims },
  { from, archive, manifests, operation, signal }: AdoptOptions,
): Promise<void> {
  const given = new ContentFolder(from, () => undefined);
  await given.lay();
  const parts = { folder: given, reader: new ContentReader(given, keyring), keyring };
  for (const manifest of manifests) await refuseDamaged(parts, manifest, archive, signal);
  await takeOver(folder, claims.open(operation), parts, manifests, signal);
}

async function noteIn(scratch: string, path: string): Promise<string> {
  try {
    return await readFile(join(scratch, NOTE), 'utf8');
  } catch (error) {
    throw new ContentError('format', `${path} is no point that revertd wrote: it has no ${NOTE}`, { cause: error });
  }
}

async function refuseDamaged(parts: Parts, manifest: string, path: string, signal: AbortSignal): Promise<void> {
  const { faults } = await verifyContent(parts, manifest, { signal });
  const [first] = faults;
  if (first === undefined) return;
  throw new ContentError(first.code, `${path} is not whole: ${first.message}`, { blob: first.sha256 });
}

async function takeOver(
  folder: ContentFolder,
  claimed: ReturnType<Claims['open']>,
  from: Parts,
  manifests: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  await folder.lay();
  const shards = new Set<string>();
  const records: string[] = [];
  const keys = new Set(await folder.names('keys'));
  for await (const { room, name } of neededFiles(from, manifests)) {
    if (signal.aborted) throw new ContentError('aborted', 'the import was ended', { cause: signal.reason });
    if (room === 'manifests') records.push(name);
    else if (room === 'keys') await noteKey(name);
    else {
      await claimed.claim(name);
      shards.add(shardOf(name));
      if (!(await folder.hasBlob(name))) await folder.writeBlob(name, [await fileOf(from.folder, room, name)]);
    }
  }
  await folder.settleBlobs(shards);
  for (const name of records) {
    await claimed.claim(name);
    await folder.write('manifests', name, [await fileOf(from.folder, 'manifests', name)]);
  }
  await folder.settle('manifests');

  async function noteKey(id: string): Promise<void> {
    if (keys.has(id) || !isKeyId(id)) return;
    await folder.write('keys', id, [await fileOf(from.folder, 'keys', id)]);
    await folder.settle('keys');
  }
}

async function fileOf(folder: ContentFolder, room: Room, name: string): Promise<Buffer> {
  const bytes = await folder.read(room, name);
  if (bytes === undefined) throw new ContentError('missing', `${name} is gone from ${folder.path}`);
  return bytes;
}
