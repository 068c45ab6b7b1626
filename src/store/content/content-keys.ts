import { ContentError } from './content-error.ts';
import type { ContentFolder } from './content-folder.ts';
import type { ContentKey } from './content-key.ts';

/** The key that is written with, and those that are only read with. */
export type Keyring = { readonly current: ContentKey | undefined; readonly all: readonly ContentKey[] };

/** What content may be called on the disk, the name that is written first. */
export function namesOf(sha256: string, { all }: Keyring): readonly string[] {
  return [...all.map((key) => key.nameOf(sha256)), sha256];
}

export function nameOf(sha256: string, { current }: Keyring): string {
  return current?.nameOf(sha256) ?? sha256;
}

/**
 * A wrong key is found before anything is written with it.
 * @throws {ContentError} `key`
 */
export async function checkKeys(folder: ContentFolder, { current, all }: Keyring): Promise<void> {
  if (current === undefined) return;
  const used = await folder.names('keys');
  if (used.length === 0 || all.some(({ id }) => used.includes(id))) return;
  const message = `the points in ${folder.path} are encrypted with another key (${used.join(', ')}) than the one given (${current.id}); give that one back, or as a former key beside the new one`;
  throw new ContentError('key', message);
}

/** Written before the first content that needs it, so that a store always knows which keys it needs. */
export async function noteKey(folder: ContentFolder, { current }: Keyring): Promise<void> {
  if (current === undefined || (await folder.names('keys')).includes(current.id)) return;
  await folder.write('keys', current.id, [Buffer.from('aes-256-gcm\n')]);
  await folder.settle('keys');
}

/** Why something is not found: it may have another name, of a key that is not here. */
export async function notFound(folder: ContentFolder, keyring: Keyring, sha256: string): Promise<ContentError> {
  const used = await folder.names('keys');
  const absent = used.filter((id) => !keyring.all.some((key) => key.id === id));
  if (absent.length === 0) {
    return new ContentError('missing', `${sha256} is not in the content store ${folder.path}`, { blob: sha256 });
  }
  const message = `${sha256} is not in the content store ${folder.path}, or it is encrypted with a key that was not given (${absent.join(', ')})`;
  return new ContentError('key', message, { blob: sha256 });
}
