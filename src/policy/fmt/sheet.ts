import type { CST } from 'yaml';

/** The lines of a formatted file while it is written. */
export type Sheet = {
  /** Text at the end of the open line, or on a new one that is indented by so many spaces. */
  readonly write: (indent: number, text: string) => void;
  /** One space, if anything more comes on this line. */
  readonly space: () => void;
  /** Whole lines as they are: the content of block scalars, of which no space may be lost. */
  readonly raw: (lines: readonly string[]) => void;
  /** Behind what stands on the line, or on a line of its own; nothing more goes on that line. */
  readonly comment: (indent: number, text: string) => void;
  readonly endLine: () => void;
  readonly isLineOpen: () => boolean;
  /** The column that the next text would stand in, counted from 0. */
  readonly column: (indent: number) => number;
  /** A blank line before what is written next. Several in a row become one; none begins a file. */
  readonly wantBlank: () => void;
  readonly dropBlank: () => void;
  readonly isEmpty: () => boolean;
  /** Ends with one line end. */
  readonly text: () => string;
};

export function createSheet(): Sheet {
  const lines: string[] = [];
  let current = '';
  let blank = false;
  let gap = false;
  let isFull = false;
  const push = (line: string): void => {
    if (blank && lines.length > 0) lines.push('');
    blank = false;
    lines.push(line);
  };
  const endLine = (): void => {
    if (current !== '') push(current.trimEnd());
    current = '';
    gap = false;
    isFull = false;
  };
  const write = (indent: number, text: string): void => {
    if (isFull) endLine();
    current += current === '' ? `${' '.repeat(indent)}${text}` : `${gap ? ' ' : ''}${text}`;
    gap = false;
  };
  return {
    write,
    endLine,
    space: () => {
      gap = true;
    },
    raw: (added) => {
      endLine();
      const [first, ...rest] = added;
      if (first === undefined) return;
      push(first);
      lines.push(...rest);
    },
    comment: (indent, text) => {
      gap = true;
      write(indent, text.trimEnd());
      isFull = true;
    },
    isLineOpen: () => current !== '',
    column: (indent) => (current === '' || isFull ? indent : current.length + (gap ? 1 : 0)),
    wantBlank: () => {
      blank = true;
    },
    dropBlank: () => {
      blank = false;
    },
    isEmpty: () => lines.length === 0 && current === '',
    text: () => {
      endLine();
      return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
    },
  };
}

/** Comments and blank lines, in their order. */
export function writeTrivia(sheet: Sheet, tokens: readonly CST.Token[] | undefined, indent: number): void {
  for (const token of tokens ?? []) {
    if (token.type === 'comment') sheet.comment(indent, token.source);
    else if (token.type === 'newline' && sheet.isLineOpen()) sheet.endLine();
    else if (token.type === 'newline') sheet.wantBlank();
  }
}

export function hasComment(tokens: readonly CST.Token[] | undefined): boolean {
  return (tokens ?? []).some(({ type }) => type === 'comment');
}
