/**
 * Draws what a terminal showed as an SVG picture: `node test/tools/terminal-svg.ts TITLE < RECORDING > PICTURE`. The
 * recording is the raw output of a program, as `script` keeps it. Of a program that redraws its screen the tallest
 * screen is drawn. docs/demo.svg was made by:
 *
 *     script -qec 'stty cols 120 rows 50; npm run -s demo -- --exit' demo.typescript
 *     node test/tools/terminal-svg.ts 'npm run demo' < demo.typescript > docs/demo.svg
 */
import { readFileSync } from 'node:fs';

type Style = { readonly colour: string; readonly bold: boolean; readonly dim: boolean };
type Span = { readonly column: number; readonly text: string; readonly style: Style };
type Screen = readonly (readonly Span[])[];

const PLAIN: Style = { colour: '#c9d1d9', bold: false, dim: false };
const COLOURS: Readonly<Record<number, string>> = {
  31: '#ff7b72',
  32: '#7ee787',
  33: '#e3b341',
  34: '#79c0ff',
  35: '#d2a8ff',
  36: '#76e3ea',
};
const CELL = { width: 8.4, height: 20, font: 14 } as const;
const BORDER = { left: 20, top: 52, bottom: 18 } as const;

/** The escape sequences that a redrawn screen needs: colours, so many lines up, and what is below cleared. */
// oxlint-disable-next-line no-control-regex -- Escape sequences begin with a control character.
const TOKEN = /\u001b\[(?<number>[\d;]*)(?<command>[A-Za-z])|(?<end>\r?\n)|(?<text>[^\u001b\r\n]+)/gu;

/** The tallest screen of a recording; the last one of several that are as tall. */
export function tallestScreen(recording: string): Screen {
  let tallest: Screen = [];
  let lines: Span[][] = [[]];
  let style = PLAIN;
  const note = (): void => {
    if (lines.length >= tallest.length) tallest = lines.map((line) => [...line]);
  };
  for (const { groups = {} } of withoutFrame(recording).matchAll(TOKEN)) {
    const { number = '', command, end, text } = groups;
    if (end !== undefined) lines.push([]);
    else if (text !== undefined) append(lines, text, style);
    else if (command === 'm') style = restyle(style, number);
    else if (command === 'A') {
      note();
      lines = [...lines.slice(0, Math.max(0, lines.length - 1 - Number(number))), []];
    }
  }
  note();
  return withoutEmptyEnd(tallest);
}

/** `script` writes a line of its own before and after. */
function withoutFrame(recording: string): string {
  return recording.replace(/^Script started on .*\r?\n/, '').replace(/\r?\nScript done on .*\r?\n?$/, '');
}

function append(lines: Span[][], text: string, style: Style): void {
  const line = lines.at(-1) ?? [];
  const last = line.at(-1);
  const column = last === undefined ? 0 : last.column + cellsOf(last.text);
  if (last !== undefined && isSame(last.style, style)) line[line.length - 1] = { ...last, text: last.text + text };
  else line.push({ column, text, style });
}

/** One cell a character, which is right for what is drawn here. */
function cellsOf(text: string): number {
  return Array.from(text).length;
}

function isSame(a: Style, b: Style): boolean {
  return a.colour === b.colour && a.bold === b.bold && a.dim === b.dim;
}

function restyle(before: Style, numbers: string): Style {
  let style = before;
  for (const number of numbers.split(';').map(Number)) {
    if (number === 0) style = PLAIN;
    else if (number === 1) style = { ...style, bold: true };
    else if (number === 2) style = { ...style, dim: true };
    else style = { ...style, colour: COLOURS[number] ?? style.colour };
  }
  return style;
}

function withoutEmptyEnd(screen: Screen): Screen {
  const last = screen.findLastIndex((line) => line.some(({ text }) => text.trim() !== ''));
  return screen.slice(0, last + 1);
}

/** A window with the title in its bar. Equal screens give equal pictures. */
export function drawScreen(screen: Screen, title: string): string {
  const columns = Math.max(40, ...screen.map((line) => lengthOf(line)));
  const width = Math.ceil(columns * CELL.width + 2 * BORDER.left);
  const height = BORDER.top + screen.length * CELL.height + BORDER.bottom;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`,
    `  font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${CELL.font}" role="img">`,
    `  <title>${escape(title)}</title>`,
    `  <rect width="${width}" height="${height}" rx="9" fill="#0d1117" />`,
    '  <circle cx="22" cy="20" r="6" fill="#ff5f56" />',
    '  <circle cx="42" cy="20" r="6" fill="#ffbd2e" />',
    '  <circle cx="62" cy="20" r="6" fill="#27c93f" />',
    `  <text x="${width / 2}" y="25" fill="#8b949e" text-anchor="middle">${escape(title)}</text>`,
    ...screen.flatMap((line, row) => drawLine(line, BORDER.top + row * CELL.height + CELL.font)),
    '</svg>',
    '',
  ].join('\n');
}

function lengthOf(line: readonly Span[]): number {
  const last = line.at(-1);
  return last === undefined ? 0 : last.column + cellsOf(last.text);
}

/** Each span is as wide as its cells, whatever font is found. */
function drawLine(line: readonly Span[], y: number): string[] {
  return line
    .filter(({ text }) => text.trim() !== '')
    .map(({ column, text, style }) => {
      const indent = text.length - text.trimStart().length;
      const shown = text.trim();
      const x = (BORDER.left + (column + indent) * CELL.width).toFixed(1);
      const width = (cellsOf(shown) * CELL.width).toFixed(1);
      const weight = `${style.bold ? ' font-weight="bold"' : ''}${style.dim ? ' opacity="0.6"' : ''}`;
      const size = `textLength="${width}" lengthAdjust="spacingAndGlyphs"`;
      return `  <text x="${x}" y="${y}" fill="${style.colour}"${weight} ${size} xml:space="preserve">${escape(shown)}</text>`;
    });
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

if (import.meta.main) {
  const recording = readFileSync(process.stdin.fd, 'utf8');
  process.stdout.write(drawScreen(tallestScreen(recording), process.argv[2] ?? 'terminal'));
}
