/** A comment on GitHub holds 65,536 characters; longer tables and cells say that they go on. */
const MOST_ROWS = 60;
const MOST_CHARACTERS = 300;

/** Control characters, those of terminals among them, do nothing good in a comment. */
// oxlint-disable-next-line no-control-regex -- that is what is looked for
const CONTROLS = /\u001b\[[\d;]*[A-Za-z]|[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g;

/** Text that is shown as it is: nothing in it is markup, a table's border, a mention or a link to an issue. */
export function prose(text: string): string {
  return shortened(text)
    .replaceAll(/[\\`*_[\]<>#|~$]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('@', '@\u200b')
    .replaceAll(/\b(https?):\/\//g, '$1:\u200b//');
}

/** Text in a span of code, also within a table. */
export function code(text: string): string {
  const plain = shortened(text);
  if (plain === '') return '';
  const longest = Math.max(0, ...Array.from(plain.matchAll(/`+/g), ([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = /^`|`$/.test(plain) ? ' ' : '';
  return `${fence}${pad}${plain.replaceAll('|', '\\|')}${pad}${fence}`;
}

/** Cells are Markdown already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rest = rows.length - MOST_ROWS;
  return [
    line(head),
    line(head.map(() => '---')),
    ...rows.slice(0, MOST_ROWS).map(line),
    ...(rest > 0 ? [`\n… and ${rest} more`] : []),
  ].join('\n');
}

function shortened(text: string): string {
  const plain = text.replaceAll(CONTROLS, ' ').trim();
  return plain.length <= MOST_CHARACTERS ? plain : `${plain.slice(0, MOST_CHARACTERS)}…`;
}
