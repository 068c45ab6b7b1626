import { expect, test } from 'vitest';
import { drawScreen, tallestScreen } from '../tools/terminal-svg.ts';

const ESCAPE = '\u001b[';

test('of a redrawn screen the tallest is taken, with its colours and columns', () => {
  const recording = [
    'Script started on 2026-01-02 03:04:05+00:00 [COMMAND="x"]\n',
    'a\r\nb\r\n',
    `${ESCAPE}2A${ESCAPE}Ja ${ESCAPE}31mred${ESCAPE}0m\r\nb\r\nc\r\n`,
    `${ESCAPE}3A${ESCAPE}Jlast\r\n`,
    '\nScript done on 2026-01-02 03:04:05+00:00 [COMMAND_EXIT_CODE="0"]\n',
  ].join('');
  const screen = tallestScreen(recording).map((line) =>
    line.map(({ column, text, style }) => `${column} ${text} ${style.colour}`),
  );
  expect(screen).toEqual([['0 a  #c9d1d9', '2 red #ff7b72'], ['0 b #c9d1d9'], ['0 c #c9d1d9']]);
});

test('text is escaped, and as wide as its cells', () => {
  expect(drawScreen(tallestScreen('  a < b\n'), 'x & y')).toMatch(
    /<title>x &amp; y<\/title>[^]*<text x="36.8" y="66" fill="#c9d1d9" textLength="42.0"[^>]*>a &lt; b<\/text>/,
  );
});
