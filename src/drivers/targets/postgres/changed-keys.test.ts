import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChangedKeys } from './changed-keys.ts';

const SHOWN = 3;

function textOf(rows: ReadonlyMap<string, number>): string {
  return [...rows]
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([key, value]) => `${key}\t${createHash('md5').update(String(value)).digest('hex')}`)
    .join('\n');
}

test('each row that differs is counted once, and the first of each kind are kept, whatever block they come in', () => {
  const key = fc.string({ unit: fc.constantFrom('a', 'b', '\uFFFD', '😀'), maxLength: 3 });
  const rows = fc.uniqueArray(fc.tuple(key, fc.nat({ max: 2 })), { selector: ([name]) => name, maxLength: 30 });
  fc.assert(
    fc.property(fc.array(fc.tuple(rows, rows), { maxLength: 3 }), (blocks) => {
      const found = new ChangedKeys(SHOWN);
      const expected = { added: [] as string[], removed: [] as string[], changed: [] as string[] };
      for (const [index, sides] of blocks.entries()) {
        const named = sides.map((side) => new Map(side.map(([name, value]) => [`${name}${index}`, value])));
        const [before = new Map<string, number>(), after = new Map<string, number>()] = named;
        found.compare(textOf(before), textOf(after));
        for (const name of before.keys()) if (!after.has(name)) expected.removed.push(name);
        for (const [name, value] of after) {
          if (!before.has(name)) expected.added.push(name);
          else if (before.get(name) !== value) expected.changed.push(name);
        }
      }
      for (const kind of ['added', 'removed', 'changed'] as const) {
        const sorted = expected[kind].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(found.counts[kind]).toBe(sorted.length);
        expect(found.first.filter(([one]) => one === kind).map(([, name]) => name)).toStrictEqual(
          sorted.slice(0, SHOWN),
        );
      }
    }),
  );
});

test('of rows without a key that are there several times each counts', () => {
  const found = new ChangedKeys(SHOWN);
  const line = `k\t${'0'.repeat(32)}`;
  found.compare([line, line, line].join('\n'), line);
  expect(found.counts).toStrictEqual({ added: 0, removed: 2, changed: 0 });
});
