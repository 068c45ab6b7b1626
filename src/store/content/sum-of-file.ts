import { createHash } from 'node:crypto';
import { closeSync, constants, openSync, readSync } from 'node:fs';

const READ_AT_ONCE = 512 * 1024;

/** Reads a file to its end, and waits for the disk meanwhile. Throws the errors of system calls. */
export function sumOfFile(path: Buffer): { readonly sha256: string; readonly bytes: number } {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const sum = createHash('sha256');
    const buffer = Buffer.allocUnsafeSlow(READ_AT_ONCE);
    let bytes = 0;
    for (let more = readSync(fd, buffer); more > 0; more = readSync(fd, buffer)) {
      sum.update(buffer.subarray(0, more));
      bytes += more;
    }
    return { sha256: sum.digest('hex'), bytes };
  } finally {
    closeSync(fd);
  }
}
