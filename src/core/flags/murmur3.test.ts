import { expect, test } from 'vitest';
import { murmur3 } from './murmur3.ts';

test.each([
  // Reference values of the algorithm's own test vectors, for seed 0.
  ['', 0],
  ['hello', 0x248bfa47],
  ['hello, world', 0x149bbb7f],
  ['The quick brown fox jumps over the lazy dog', 0x2e4ff723],
  // Over UTF-8: over UTF-16 units this would be 1539383023.
  ['josé', 1372596709],
])('%j', (text, hash) => {
  expect(murmur3(text)).toBe(hash);
});

test.each(['é', 'aé', 'abé', 'abcé', 'abcdé', '日本語', '🦊', 'a\ud800b'])('%j hashes as its bytes do', (text) => {
  const asBytes = Buffer.from(text, 'utf8').toString('latin1');
  const escaped = Buffer.from(asBytes, 'latin1');
  expect(murmur3(text)).toBe(murmur3(new TextDecoder().decode(escaped)));
});
