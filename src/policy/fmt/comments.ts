import { CST, Lexer } from 'yaml';

/** A comment of a YAML text: its offset, and its text from the `#` on. */
export type Comment = { readonly offset: number; readonly text: string };

/** All comments in their order; a `#` within a text is none. */
export function commentsIn(text: string): readonly Comment[] {
  const comments: Comment[] = [];
  let offset = 0;
  let isScalar = false;
  for (const lexeme of new Lexer().lex(text)) {
    if (lexeme === CST.DOCUMENT || lexeme === CST.FLOW_END) continue;
    if (lexeme === CST.SCALAR) {
      isScalar = true;
      continue;
    }
    if (!isScalar && lexeme.startsWith('#')) comments.push({ offset, text: lexeme });
    isScalar = false;
    offset += lexeme.length;
  }
  return comments;
}
