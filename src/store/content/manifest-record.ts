import { hash } from 'node:crypto';
import { type BlobRef, toBlobRef } from './blob-ref.ts';
import { ContentError } from './content-error.ts';
import type { ContentKey } from './content-key.ts';
import { type Sealing, seal, unseal } from './envelope.ts';

/**
 * The file of a manifest says where the manifest's text is, which is content like any other. It begins with the SHA-256
 * of what follows, since it is found by the sum of the text and not by its own.
 */
const SUM_BYTES = 32;

export async function encodeRecord(text: BlobRef, sealing: Sealing): Promise<Buffer[]> {
  const plain = Buffer.from(JSON.stringify(text));
  const sum = hash('sha256', plain, 'hex');
  return [Buffer.from(sum, 'hex'), ...(await seal(plain, sum, sealing))];
}

/** @throws {ContentError} `corrupt` or `key`; it names the manifest. */
export async function decodeRecord(file: Buffer, manifest: string, keys: readonly ContentKey[]): Promise<BlobRef> {
  const ref = toBlobRef(await contentOf(file, manifest, keys));
  if (ref?.sha256 !== manifest) throw corrupt(manifest, 'it is the record of another');
  return ref;
}

async function contentOf(file: Buffer, manifest: string, keys: readonly ContentKey[]): Promise<unknown> {
  try {
    const sum = file.subarray(0, SUM_BYTES).toString('hex');
    return JSON.parse((await unseal(file.subarray(SUM_BYTES), sum, keys)).toString());
  } catch (cause) {
    if (cause instanceof ContentError && cause.code === 'corrupt') throw corrupt(manifest, 'its sum is another', cause);
    throw cause;
  }
}

function corrupt(manifest: string, why: string, cause?: unknown): ContentError {
  const message = `the record of the manifest ${manifest} in the content store is corrupted: ${why}`;
  return new ContentError('corrupt', message, { blob: manifest, cause });
}
