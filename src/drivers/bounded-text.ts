/** Keeps the beginning and the end of a text of any length: where it started and how it ended is what people need. */
export type BoundedText = { readonly push: (piece: string) => void; readonly text: () => string };

/** Keeps `each` characters (UTF-16 units) at the beginning and as many at the end. */
export function createBoundedText(each: number): BoundedText {
  let head = '';
  let tail = '';
  let leftOut = 0;
  return {
    push: (piece) => {
      const room = each - head.length;
      head += piece.slice(0, room);
      const rest = tail + piece.slice(room);
      leftOut += Math.max(0, rest.length - each);
      tail = rest.slice(-each);
    },
    text: () => (leftOut === 0 ? head + tail : `${head}\n[… ${leftOut} characters left out …]\n${tail}`),
  };
}
