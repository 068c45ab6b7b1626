/** Rows under a head, as columns. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ');
  return [head, ...rows].map((row) => `${line(row)}\n`).join('');
}

/** A table for people, and after it the same figures in one line of JSON. */
export function report(text: string, figures: unknown): void {
  process.stdout.write(`\n${text}\n${JSON.stringify(figures)}\n`);
}
