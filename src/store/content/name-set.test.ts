import { hash } from 'node:crypto';
import { array, assert, constantFrom, integer, oneof, property, record } from 'fast-check';
import { expect, test } from 'vitest';
import { NameSet } from './name-set.ts';

const sum = (of: number) => hash('sha256', String(of));
/** They all want the same slot, whatever the size of the table. */
const crowded = (of: number) => `${sum(of).slice(0, 16)}ffffffff${sum(of).slice(24)}`;

const name = oneof(
  integer({ min: 0, max: 60 }).map(sum),
  integer({ min: 0, max: 60 }).map(crowded),
  constantFrom('', 'tmp-file', '0'.repeat(64), 'F'.repeat(64), `${'0'.repeat(63)}1`),
);
const step = record({ name, does: constantFrom('add', 'add', 'delete') });

test('says what a Set would say, after any steps', () => {
  assert(
    property(array(step, { maxLength: 200 }), (steps) => {
      const [own, set] = [new NameSet(), new Set<string>()];
      const deleted = steps.map(({ name: text, does }) => {
        if (does === 'delete') return [own.delete(text), set.delete(text)];
        own.add(text);
        set.add(text);
        return [];
      });
      expect(deleted.map(([mine]) => mine)).toStrictEqual(deleted.map(([, its]) => its));
      expect(own.size).toBe(set.size);
      for (const { name: text } of steps) expect(own.has(text)).toBe(set.has(text));
    }),
  );
});

test('holds many, and none that it was not given', () => {
  const own = new NameSet(Array.from({ length: 10_000 }, (_, index) => sum(index)));
  expect(own.size).toBe(10_000);
  const found = Array.from({ length: 20_000 }, (_, index) => own.has(sum(index)));
  expect([found.slice(0, 10_000).every(Boolean), found.slice(10_000).some(Boolean)]).toStrictEqual([true, false]);
});
