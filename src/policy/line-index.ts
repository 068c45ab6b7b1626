/** Where the lines of a text begin, so that offsets become lines and columns. */
export type LineIndex = readonly number[];

export function indexLines(text: string): LineIndex {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** Line and column of an offset, both counted from 1; columns in UTF-16 units, as editors count them. */
export function placeOf(lines: LineIndex, offset: number): { readonly line: number; readonly column: number } {
  let first = 0;
  let last = lines.length - 1;
  while (first < last) {
    const middle = Math.ceil((first + last) / 2);
    if ((lines[middle] ?? 0) <= offset) first = middle;
    else last = middle - 1;
  }
  return { line: first + 1, column: offset - (lines[first] ?? 0) + 1 };
}
