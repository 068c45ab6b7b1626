import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { formatInstant } from '../core/units.ts';
import { haltFile, readHalt, writeHalt } from './halt-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'revertd-halt-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('reads what was written', () => {
  expect(readHalt(folder)).toBeNull();
  writeHalt(folder, { since: 5, by: 'ann', reason: 'looking' });
  expect(readHalt(folder)).toEqual({ since: 5, by: 'ann', reason: 'looking' });
});

test.each(['', 'stop!', '{}', '{"since":1e300,"by":"a","reason":"b"}', '{"since":1.5,"by":"a","reason":"b"}'])(
  'a file with %j halts, with a time that can be shown',
  (content) => {
    writeFileSync(haltFile(folder), content);
    const halt = readHalt(folder);
    expect(halt).not.toBeNull();
    expect(formatInstant(halt?.since ?? Number.NaN)).toMatch(/^\d{4}-/);
  },
);
