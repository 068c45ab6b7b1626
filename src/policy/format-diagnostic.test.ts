import { expect, it } from 'vitest';
import type { Diagnostic } from './diagnostic.ts';
import { formatDiagnostic } from './format-diagnostic.ts';

const FAULT: Diagnostic = {
  file: 'flags/a.yaml',
  line: 2,
  column: 7,
  severity: 'error',
  code: 'E-KIND',
  message: 'unknown kind "flag"; did you mean Flag?',
  related: [{ file: 'b.yaml', line: 1, column: 1, message: 'the first' }],
};
const TEXT = 'apiVersion: revertd.dev/v1\r\nkind:\tflag\r\n';

it('is one line for tools, and one for each related place', () => {
  expect(formatDiagnostic(FAULT)).toBe(
    'flags/a.yaml:2:7 error[E-KIND] unknown kind "flag"; did you mean Flag?\n    b.yaml:1:1 the first',
  );
});

it('shows the line and points at the column', () => {
  expect(
    formatDiagnostic(FAULT, { colour: false, textOf: () => TEXT })
      .split('\n')
      .slice(1, 3),
  ).toEqual(['    2 | kind: flag', '      |       ^']);
});

it('cuts a long line around the column', () => {
  const fault = { ...FAULT, line: 1, column: 501 };
  const [, shown, caret] = formatDiagnostic(fault, { colour: false, textOf: () => `${'x'.repeat(500)}Y` }).split('\n');
  expect(shown?.indexOf('Y')).toBe(caret?.indexOf('^'));
  expect(shown?.length).toBeLessThan(120);
});

it('shows no line of a file that cannot be read', () => {
  expect(formatDiagnostic(FAULT, { colour: false, textOf: () => undefined }).split('\n')).toHaveLength(2);
});

it('colours only when told to, and only with sequences that end', () => {
  const text = formatDiagnostic(FAULT, { colour: true, textOf: () => TEXT });
  const escapes = text.match(/\p{Cc}\[\d+m/gu) ?? [];
  expect(escapes.length).toBeGreaterThan(0);
  expect(escapes.filter((escape) => escape === '\u001b[0m')).toHaveLength(escapes.length / 2);
});
