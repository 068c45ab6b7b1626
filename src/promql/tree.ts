import type { SyntaxNode } from '@lezer/common';
import type { Span } from './ast.ts';

/** The text that a tree was made of, and how deep in it the building is. */
export type Source = { readonly text: string; depth: number };

export function childNodes(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (child.name !== 'LineComment') children.push(child);
  }
  return children;
}

export function lastOf(node: SyntaxNode): SyntaxNode {
  const last = childNodes(node).at(-1);
  if (last === undefined) throw new Error(`a ${node.name} of the grammar has parts`);
  return last;
}

export function textOf(source: Source, node: SyntaxNode): string {
  return source.text.slice(node.from, node.to);
}

export function spanOf(node: SyntaxNode): Span {
  return { start: node.from, end: node.to };
}
