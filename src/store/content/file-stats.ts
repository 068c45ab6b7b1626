import { lstatSync } from 'node:fs';

/** What of a file's state says which file it is, and whether it changed. */
export type FileState = {
  readonly mode: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly ino: bigint;
};

/** What one look at a name tells. */
export type FileStats = FileState & { readonly dev: bigint; readonly nlink: bigint; readonly rdev: bigint };

/** In this order they stand in a reply, one name behind the other; all 0 for a name that is gone. */
const LOOKED_AT = ['mode', 'uid', 'gid', 'size', 'mtimeNs', 'ctimeNs', 'ino', 'dev', 'nlink', 'rdev'] as const;

/** Looks at names in a folder, of which a byte each is a character; links are not followed. Throws the error of a system call. */
export function look(folder: string, names: readonly string[]): BigInt64Array {
  const numbers = new BigInt64Array(names.length * LOOKED_AT.length);
  for (const [index, name] of names.entries()) {
    const stats = lstatSync(Buffer.from(`${folder}${name}`, 'latin1'), { bigint: true, throwIfNoEntry: false });
    if (stats === undefined) continue;
    for (const [place, field] of LOOKED_AT.entries()) numbers[index * LOOKED_AT.length + place] = stats[field];
  }
  return numbers;
}

/** What a reply says of the name at `index`; undefined if it is gone. */
export function statsIn(numbers: BigInt64Array, index: number): FileStats | undefined {
  const at = (field: (typeof LOOKED_AT)[number]) => numbers[index * LOOKED_AT.length + LOOKED_AT.indexOf(field)] ?? 0n;
  if (at('mode') === 0n) return undefined;
  return {
    mode: at('mode'),
    uid: at('uid'),
    gid: at('gid'),
    size: at('size'),
    mtimeNs: at('mtimeNs'),
    ctimeNs: at('ctimeNs'),
    ino: at('ino'),
    dev: at('dev'),
    nlink: at('nlink'),
    rdev: at('rdev'),
  };
}
