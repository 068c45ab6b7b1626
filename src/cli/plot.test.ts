import { expect, test } from 'vitest';
import { plot } from './plot.ts';

const PLAIN = { colour: false };
const ramp = Array.from({ length: 60 }, (_, index) => [index * 1000, index] as const);

test('a rising line rises, within its axes', () => {
  const lines = plot([{ name: 'up', points: ramp }], 60, PLAIN).split('\n');
  expect(lines).toHaveLength(14);
  expect(lines[0]).toMatch(/^ +59 ┤ +[⠁-⣿]+$/);
  expect(lines[11]).toMatch(/^ +0 ┤[⠁-⣿]+ +$/);
  expect(lines[12]).toMatch(/^ +00:00:00 +00:00:59$/);
  expect(lines[12]).toHaveLength(60 - 1);
  expect(lines[13]).toBe('  ━━ up');
});

test('a level line stands at half height, and NaN leaves a gap', () => {
  const level = plot(
    [
      {
        name: 'same',
        points: [
          [0, 5],
          [1000, Number.NaN],
          [2000, 5],
        ],
      },
    ],
    40,
    PLAIN,
  );
  expect(level.split('\n')[6]).toMatch(/[⠁-⣿] +[⠁-⣿]/);
});

test('nothing to plot is said', () => {
  expect(plot([{ name: 'none', points: [[0, Number.NaN]] }], 40, PLAIN)).toBe('no values to plot');
});

test('more series than colours are counted', () => {
  const many = Array.from({ length: 9 }, (_, index) => ({ name: `s${index}`, points: ramp }));
  expect(plot(many, 60, PLAIN)).toContain('and 3 more');
});
