/**
 * Works on several items at once, and gives the results in the order of the items. When it ends before its time, what
 * was begun is waited for, so that nothing goes on behind the caller's back.
 */
export async function* inOrder<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const begun: Promise<R>[] = [];
  try {
    for await (const item of items) {
      const working = work(item);
      // Whoever takes its result hears of the error; until then it must not count as unheard.
      working.catch(() => undefined);
      begun.push(working);
      const next = begun.length >= atOnce ? begun.shift() : undefined;
      if (next !== undefined) yield await next;
    }
    for (let next = begun.shift(); next !== undefined; next = begun.shift()) yield await next;
  } finally {
    await Promise.allSettled(begun);
  }
}

/** The same for work without a result. */
export async function eachInOrder<T>(
  items: AsyncIterable<T> | Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const done = inOrder(items, atOnce, work);
  while ((await done.next()).done !== true);
}
