import { createHmac, hkdfSync } from 'node:crypto';
import { ContentError } from './content-error.ts';

/** What a secret gives: a key for content, a key for names, and a name for itself. */
export type ContentKey = {
  /** Tells keys apart, and says nothing about the secret: 16 hex digits. */
  readonly id: string;
  readonly cipherKey: Buffer;
  /** What content is called on the disk. Without the key nobody can tell whether some known content is stored. */
  readonly nameOf: (sha256: string) => string;
};

const LEAST_BYTES = 32;
const KEY_ID = /^[0-9a-f]{16}$/;

export function isKeyId(text: string): boolean {
  return KEY_ID.test(text);
}

/**
 * By HKDF (RFC 5869), which keeps the uses of one secret apart. It does not stretch: a password is no key.
 * @throws {ContentError} `key` for a secret of fewer than 32 bytes.
 */
export function deriveKey(secret: Buffer): ContentKey {
  if (secret.length < LEAST_BYTES) {
    const message = `the key of the points has ${secret.length} bytes, expected at least ${LEAST_BYTES}: \`openssl rand -hex 32\` makes one`;
    throw new ContentError('key', message);
  }
  const derive = (purpose: string, bytes: number) =>
    Buffer.from(hkdfSync('sha256', secret, '', `revertd points ${purpose} v1`, bytes));
  const names = derive('names', 32);
  return {
    id: derive('id', 8).toString('hex'),
    cipherKey: derive('content', 32),
    nameOf: (sha256) => createHmac('sha256', names).update(sha256, 'hex').digest('hex'),
  };
}
