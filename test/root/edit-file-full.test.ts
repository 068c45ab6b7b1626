import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createAllowList } from '../../src/drivers/allow-list.ts';
import { createSecretResolver } from '../../src/drivers/secrets.ts';
import { editFileStep } from '../../src/drivers/steps/editFile/index.ts';

it('leaves the file as it is on a disk that is full', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'revertd-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
  onTestFinished(() => {
    execFileSync('umount', [folder]);
    rmSync(folder, { recursive: true });
  });
  const path = join(folder, 'app.yaml');
  writeFileSync(path, 'a: 1\n');
  writeFileSync(join(folder, 'rest'), Buffer.alloc(56 * 1024));
  const outcome = await editFileStep({ allow: createAllowList({}) }).perform(
    {
      origin: { file: 'test.yaml', line: 1, column: 1 },
      timeoutMs: 5000,
      kind: 'editFile',
      path,
      edit: { kind: 'entries', format: 'auto', set: { '/a': 'x'.repeat(16 * 1024) }, remove: [] },
    },
    {
      signal: new AbortController().signal,
      operation: 'op-1',
      once: 'op-1',
      secrets: createSecretResolver({}),
      log: () => undefined,
      remember: () => undefined,
    },
  );
  expect(outcome).toMatchObject({ code: 'diskFull', detail: expect.stringContaining('the file is as it was') });
  expect(readFileSync(path, 'utf8')).toBe('a: 1\n');
  expect(readdirSync(folder).sort()).toStrictEqual(['app.yaml', 'rest']);
});
