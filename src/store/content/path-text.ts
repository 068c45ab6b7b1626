/**
 * A path as it crosses to a thread: a character for each of its bytes (latin1). A buffer would be copied with all of the
 * pool of 8 KiB that it is cut from.
 */
export type PathText = string;

export function pathText(path: Buffer): PathText {
  return path.toString('latin1');
}

export function pathBytes(path: PathText): Buffer {
  return Buffer.from(path, 'latin1');
}
