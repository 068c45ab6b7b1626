/** Where the line begins that holds the offset. */
export function lineStart(text: string, offset: number): number {
  return Math.max(text.lastIndexOf('\n', offset - 1), text.lastIndexOf('\r', offset - 1)) + 1;
}

/** Where the line ends that holds the offset, before its line ending. */
export function lineEnd(text: string, offset: number): number {
  const found = /[\n\r]/.exec(text.slice(offset));
  return found === null ? text.length : offset + found.index;
}

/** Behind the line ending of the line that holds the offset. */
export function nextLine(text: string, offset: number): number {
  const end = lineEnd(text, offset);
  return text.startsWith('\r\n', end) ? end + 2 : Math.min(text.length, end + 1);
}

/** Where the last sign before `end` is that is no blank. */
export function trimmedEnd(text: string, end: number): number {
  return text.slice(0, end).trimEnd().length;
}

export function splice(text: string, start: number, end: number, written: string): string {
  return text.slice(0, start) + written + text.slice(end);
}
