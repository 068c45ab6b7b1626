import type { Fill } from './capture-session.ts';

/** Fills buffers whole from pieces of any length, and the last one as far as there is something. */
export function fillFromPieces(source: AsyncIterable<Buffer>): Fill {
  const pieces = source[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  return async (buffer) => {
    let at = 0;
    while (at < buffer.length) {
      if (rest.length === 0) {
        const next = await pieces.next();
        if (next.done === true) return at;
        rest = next.value;
      }
      const copied = rest.copy(buffer, at);
      at += copied;
      rest = rest.subarray(copied);
    }
    return at;
  };
}
