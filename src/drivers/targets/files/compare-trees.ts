import { compareEntries, type FileEntry } from './file-entry.ts';

/** What stands at one place of two trees; at least one of them has something there. */
export type Pair = { readonly before: FileEntry | undefined; readonly after: FileEntry | undefined };

/** Goes through two sorted trees side by side. */
export async function* compareTrees(
  before: AsyncIterable<FileEntry>,
  after: AsyncIterable<FileEntry>,
): AsyncGenerator<Pair> {
  const [left, right] = [before[Symbol.asyncIterator](), after[Symbol.asyncIterator]()];
  try {
    let [a, b] = [await left.next(), await right.next()];
    while (a.done !== true || b.done !== true) {
      const order = a.done === true ? 1 : b.done === true ? -1 : compareEntries(a.value, b.value);
      yield {
        before: order <= 0 && a.done !== true ? a.value : undefined,
        after: order >= 0 && b.done !== true ? b.value : undefined,
      };
      if (order <= 0) a = await left.next();
      if (order >= 0) b = await right.next();
    }
  } finally {
    await Promise.all([left.return?.(), right.return?.()]);
  }
}
