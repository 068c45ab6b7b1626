import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, gunzip, gunzipSync, gzip, zstdCompress, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import { CHUNK_BYTES } from './blob-ref.ts';
import { ContentError } from './content-error.ts';
import type { ContentKey } from './content-key.ts';

/**
 * How one piece of content looks on the disk:
 *
 *     magic 'RVC1' · compression (1 byte) · encrypted (1) · plain length (4, big endian) · payload
 *
 * where an encrypted payload is: key id (8) · nonce (12) · AES-256-GCM ciphertext · tag (16). What is authenticated
 * beside it is the head and the SHA-256 of the plain content, so that no piece can stand in for another.
 */
const MAGIC = Buffer.from('RVC1', 'latin1');
const HEAD_BYTES = 10;
const KEY_ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export type Compression = 'zstd' | 'gzip' | 'none';
const CODES: readonly Compression[] = ['none', 'zstd', 'gzip'];

/** Where compression saves less than a twentieth, it costs more at each restore than it is worth. */
const WORTHWHILE = 0.95;
const LEAST_COMPRESSED_BYTES = 64;

/** Of longer content a few samples say whether it is worth trying. */
const LEAST_SAMPLED_BYTES = 32 * 1024;
const SAMPLE_BYTES = 2 * 1024;

/** The fastest level: hosts have other work to do than to compress. */
export const ZSTD_LEVEL = 1;
export const GZIP_LEVEL = 3;

const zstdAsync = promisify(zstdCompress);
const unzstdAsync = promisify(zstdDecompress);
const gzipAsync = promisify(gzip);
const gunzipAsync = promisify(gunzip);

export type Sealing = { readonly compression: Compression; readonly key: ContentKey | undefined };

/** The parts of a file that holds the content. */
export async function seal(plain: Buffer, sha256: string, sealing: Sealing): Promise<Buffer[]> {
  if (!isCompressed(plain, sealing)) return enclose(plain, plain, sha256, 'none', sealing.key);
  const { chunkSize, zstd, gzip: gzipped } = settingsFor(plain);
  const payload =
    sealing.compression === 'zstd'
      ? await zstdAsync(plain, { chunkSize, ...zstd })
      : await gzipAsync(plain, { chunkSize, ...gzipped });
  return encloseShorter(plain, payload, sha256, sealing);
}

/** The same without encryption, while the thread waits. */
export function sealNow(plain: Buffer, sha256: string, compression: Compression, compress: Compress): Buffer[] {
  const sealing = { compression, key: undefined };
  if (compression === 'none' || !isCompressed(plain, sealing)) return enclose(plain, plain, sha256, 'none', undefined);
  return encloseShorter(plain, compress[compression](plain), sha256, sealing);
}

export type Compress = Readonly<Record<Exclude<Compression, 'none'>, (plain: Buffer) => Buffer>>;

function isCompressed(plain: Buffer, { compression }: Sealing): boolean {
  return compression !== 'none' && plain.length >= LEAST_COMPRESSED_BYTES && !looksRandom(plain);
}

/** Pictures, archives, what is encrypted: to compress all of it only to find that out costs as much as text does. */
function looksRandom(plain: Buffer): boolean {
  if (plain.length < LEAST_SAMPLED_BYTES) return false;
  const last = plain.length - SAMPLE_BYTES;
  return [0, Math.floor(last / 2), last].every((from) => entropyOf(plain, from) >= WORTHWHILE);
}

const occurrences = new Uint16Array(256);

/** Of a sample, by Shannon: how much of its length a code for each byte by itself needs at least. */
function entropyOf(plain: Buffer, from: number): number {
  occurrences.fill(0);
  for (let at = from; at < from + SAMPLE_BYTES; at += 1) {
    const byte = plain[at] ?? 0;
    occurrences[byte] = (occurrences[byte] ?? 0) + 1;
  }
  const bits = occurrences.reduce(
    (sum, count) => (count === 0 ? sum : sum - count * Math.log2(count / SAMPLE_BYTES)),
    0,
  );
  return bits / (SAMPLE_BYTES * 8);
}

function settingsFor(plain: Buffer) {
  return {
    // One turn of the compressor for most content, instead of one for every 16 KiB of its output.
    chunkSize: Math.max(1024, Math.ceil(plain.length / 2)),
    zstd: { params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL } },
    gzip: { level: GZIP_LEVEL },
  };
}

function encloseShorter(plain: Buffer, payload: Buffer, sha256: string, { compression, key }: Sealing): Buffer[] {
  const isWorthwhile = payload.length < plain.length * WORTHWHILE;
  return enclose(plain, isWorthwhile ? payload : plain, sha256, isWorthwhile ? compression : 'none', key);
}

function enclose(
  plain: Buffer,
  payload: Buffer,
  sha256: string,
  how: Compression,
  key: ContentKey | undefined,
): Buffer[] {
  const head = Buffer.alloc(HEAD_BYTES);
  MAGIC.copy(head);
  head[4] = CODES.indexOf(how);
  head[5] = key === undefined ? 0 : 1;
  head.writeUInt32BE(plain.length, 6);
  return key === undefined ? [head, payload] : [head, ...encrypt(payload, head, sha256, key)];
}

function encrypt(payload: Buffer, head: Buffer, sha256: string, key: ContentKey): Buffer[] {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key.cipherKey, nonce);
  cipher.setAAD(Buffer.concat([head, Buffer.from(sha256, 'hex')]));
  const body = cipher.update(payload);
  return [Buffer.from(key.id, 'hex'), nonce, body, cipher.final(), cipher.getAuthTag()];
}

/**
 * The content of a file, after every byte of it was held against its sum.
 * @throws {ContentError} `corrupt`, `key`, `format`
 */
export async function unseal(file: Buffer, sha256: string, keys: readonly ContentKey[]): Promise<Buffer> {
  const { compression, length, payload } = open(file, sha256, keys);
  if (compression === 'none') return verified(payload, length, sha256);
  const limits = limitsFor(length);
  try {
    const plain = compression === 'zstd' ? await unzstdAsync(payload, limits) : await gunzipAsync(payload, limits);
    return verified(plain, length, sha256);
  } catch (cause) {
    throw broken(cause, compression, sha256);
  }
}

/** The same for what is not encrypted, while the thread waits. */
export function unsealNow(file: Buffer, sha256: string): Buffer {
  const { compression, length, payload } = open(file, sha256, []);
  if (compression === 'none') return verified(payload, length, sha256);
  const limits = limitsFor(length);
  try {
    const plain = compression === 'zstd' ? zstdDecompressSync(payload, limits) : gunzipSync(payload, limits);
    return verified(plain, length, sha256);
  } catch (cause) {
    throw broken(cause, compression, sha256);
  }
}

function verified(plain: Buffer, length: number, sha256: string): Buffer {
  if (plain.length !== length || hash('sha256', plain, 'hex') !== sha256) throw corrupt(sha256, 'its sum is another');
  return plain;
}

function limitsFor(length: number) {
  // One byte more than it needs: what is filled to its end is followed by another buffer of the same length.
  return { chunkSize: Math.max(64, length + 1), maxOutputLength: Math.max(1, length) };
}

function broken(cause: unknown, how: Compression, sha256: string): ContentError {
  return cause instanceof ContentError ? cause : corrupt(sha256, `it cannot be decompressed (${how})`, cause);
}

function open(file: Buffer, sha256: string, keys: readonly ContentKey[]) {
  if (file.length < HEAD_BYTES) throw corrupt(sha256, `it has ${file.length} bytes`);
  if (!file.subarray(0, 4).equals(MAGIC)) throw corrupt(sha256, 'it does not begin as content does');
  const compression = CODES[file[4] ?? 255];
  const length = file.readUInt32BE(6);
  if (compression === undefined || (file[5] ?? 2) > 1 || length > CHUNK_BYTES) {
    throw corrupt(sha256, 'its head makes no sense');
  }
  const payload = file[5] === 1 ? decrypt(file, sha256, keys) : file.subarray(HEAD_BYTES);
  return { compression, length, payload };
}

function decrypt(file: Buffer, sha256: string, keys: readonly ContentKey[]): Buffer {
  const [nonceAt, bodyAt, tagAt] = [
    HEAD_BYTES + KEY_ID_BYTES,
    HEAD_BYTES + KEY_ID_BYTES + NONCE_BYTES,
    file.length - TAG_BYTES,
  ];
  if (tagAt < bodyAt) throw corrupt(sha256, `it has ${file.length} bytes`);
  const id = file.subarray(HEAD_BYTES, nonceAt).toString('hex');
  const key = keys.find((known) => known.id === id);
  if (key === undefined) {
    throw new ContentError('key', `${sha256} is encrypted with the key ${id}, which was not given`, { blob: sha256 });
  }
  const decipher = createDecipheriv('aes-256-gcm', key.cipherKey, file.subarray(nonceAt, bodyAt));
  decipher.setAAD(Buffer.concat([file.subarray(0, HEAD_BYTES), Buffer.from(sha256, 'hex')]));
  decipher.setAuthTag(file.subarray(tagAt));
  const plain = decipher.update(file.subarray(bodyAt, tagAt));
  try {
    decipher.final();
  } catch (cause) {
    throw corrupt(sha256, 'it is not what was encrypted', cause);
  }
  return plain;
}

function corrupt(blob: string, why: string, cause?: unknown): ContentError {
  return new ContentError('corrupt', `${blob} in the content store is corrupted: ${why}`, { blob, cause });
}
