import { hash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NameSet } from './name-set.ts';

const sum = (of: number) => hash('sha256', String(of));
/** They all want the same slot, whatever the size of the table. */
const crowded = (of: number) => `${sum(of).slice(0, 16)}ffffffff${sum(of).slice(24)}`;

const name = fc.oneof(
  fc.integer({ min: 0, max: 60 }).map(sum),
  fc.integer({ min: 0, max: 60 }).map(crowded),
  fc.constantFrom('', 'tmp-file', '0'.repeat(64), 'F'.repeat(64), `${'0'.repeat(63)}1`),
);
const step = fc.record({ name, does: fc.constantFrom('add', 'add', 'delete') });

test('says what a Set would say, after any steps', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const [own, set] = [new NameSet(), new Set<string>()];
      for (const { name: text, does } of steps) {
        if (does === 'add') own.add(text);
        else expect(own.delete(text)).toBe(set.has(text));
        if (does === 'add') set.add(text);
        else set.delete(text);
      }
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
