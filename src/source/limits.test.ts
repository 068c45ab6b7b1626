import { expect, test } from 'vitest';
import { LIMITS, overLimits } from './limits.ts';

const file = (path: string, sizeBytes: number) => ({ path, sizeBytes });
const many = (count: number, sizeBytes: number) =>
  Array.from({ length: count }, (_, i) => file(`${i}.yaml`, sizeBytes));

test('what just fits is taken', () => {
  expect(overLimits([])).toBeUndefined();
  expect(overLimits([file('a.yaml', LIMITS.fileBytes)])).toBeUndefined();
  expect(overLimits(many(LIMITS.files, 10))).toBeUndefined();
  expect(overLimits(many(32, LIMITS.fileBytes))).toBeUndefined();
});

test.each([
  [
    'a file',
    [file('big/a.yaml', LIMITS.fileBytes * 50)],
    /^big\/a\.yaml has 52428800 bytes; a policy file may have 1048576 \(1 MiB\)\./,
  ],
  ['the number', many(LIMITS.files + 1, 1), /^there are 5001 policy files; a revision may have 5000\./],
  ['the sum', [...many(32, LIMITS.fileBytes), file('last.yaml', 1)], /^the policy files have 33554433 bytes together/],
])('%s that is too large is named', (_, files, message) => {
  expect(overLimits(files)).toMatch(message);
});
