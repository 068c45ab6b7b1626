import { writeFileSync } from 'node:fs';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { folderSource } from '../../../src/source/folder/folder-source.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'revertd-folder-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function read() {
  const source = folderSource({ root, tell: (notice) => expect.unreachable(notice.message) });
  return await source.read({ accepted: undefined, consented: new Set() }, new AbortController().signal);
}

test('a 50 MB file is refused by its size', async () => {
  await writeFile(join(root, 'big.yaml'), '');
  await truncate(join(root, 'big.yaml'), 50_000_000);
  expect(await read()).toMatchObject({
    state: 'refused',
    code: 'fileTooLarge',
    message: expect.stringContaining('big.yaml has 50000000 bytes'),
  });
});

test('the 5001st file is refused by their number', async () => {
  for (let i = 0; i <= 5000; i += 1) writeFileSync(join(root, `${i}.yaml`), '');
  expect(await read()).toMatchObject({
    state: 'refused',
    code: 'fileTooLarge',
    message: expect.stringContaining('5001 policy files'),
  });
});
