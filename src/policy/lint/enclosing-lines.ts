import { isMap, isSeq, type Node, type Pair } from 'yaml';
import { originAt, type PolicyDocument } from '../policy-document.ts';

/**
 * The lines on which what encloses a place begins: keys and list items on the way to it, from the second level on. A
 * comment on or above one of them speaks of the place too; one above `spec` or a whole document would speak of too much.
 */
export function enclosingLines(document: PolicyDocument, line: number, column: number): readonly number[] {
  const offset = (document.lines[line - 1] ?? 0) + column - 1;
  const lines: number[] = [line];
  let node: Node | null = document.root;
  for (let depth = 1; node !== null; depth += 1) {
    const found = partAround(node, offset);
    if (found === undefined) break;
    if (depth > 1) lines.push(originAt(document, found.start).line);
    node = found.value;
  }
  return lines;
}

/** The pair or item that an offset lies in, and where it begins. */
function partAround(node: Node, offset: number): { readonly start: number; readonly value: Node | null } | undefined {
  if (isMap(node)) {
    for (const { key, value } of (node.items as Pair<Node, Node | null>[]).toReversed()) {
      const start = key.range?.[0];
      if (start !== undefined && start <= offset) return { start, value };
    }
  }
  if (isSeq(node)) {
    for (const item of (node.items as Node[]).toReversed()) {
      const start = item.range?.[0];
      if (start !== undefined && start <= offset) return { start, value: item };
    }
  }
  return undefined;
}
