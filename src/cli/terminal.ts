import { isatty } from 'node:tty';

/** Where a command's results and messages go, and how they may look. */
export type Terminal = {
  /** Results. */
  readonly out: (text: string) => void;
  /** Progress and messages. */
  readonly err: (text: string) => void;
  readonly colour: boolean;
  readonly isTty: boolean;
};

const STYLES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;
export type Style = keyof typeof STYLES;

export function processTerminal(
  environment: Readonly<Record<string, string | undefined>>,
  noColour: boolean,
): Terminal {
  const isTty = isatty(process.stdout.fd);
  const wanted = !noColour && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb';
  return {
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    colour: isTty && wanted,
    isTty,
  };
}

export function paint(terminal: Pick<Terminal, 'colour'>, style: Style, text: string): string {
  return terminal.colour ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text;
}

/** Columns as wide as their widest cell; the last one as it is. Colours are added by `dress`, which sees the padded cell. */
export function table(
  rows: readonly (readonly string[])[],
  dress: (cell: string, column: number, row: number) => string = (cell) => cell,
): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  return rows
    .map((row, index) =>
      row
        .map((cell, column) =>
          dress(column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0), column, index),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
