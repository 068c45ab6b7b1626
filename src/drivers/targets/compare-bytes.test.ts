import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareBytes, spanOf } from './compare-bytes.ts';

test('the order is that of the bytes, whatever the characters', () => {
  const text = fc.string({
    unit: fc.oneof(
      fc.constantFrom('a', 'é', '\uD7FF', '\uE000', '\uFFFD', '😀', '𐀀'),
      fc.string({ unit: 'binary', maxLength: 1 }),
    ),
  });
  fc.assert(
    fc.property(text, text, (one, other) => {
      expect(Math.sign(compareBytes(spanOf(one), spanOf(other)))).toBe(
        Buffer.compare(Buffer.from(one), Buffer.from(other)),
      );
    }),
    { numRuns: 2_000 },
  );
});
