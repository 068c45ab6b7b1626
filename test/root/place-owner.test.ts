import { readdirSync } from 'node:fs';
import { chmod, chown, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createAllowList } from '../../src/drivers/allow-list.ts';
import { createPlaceDrivers } from '../../src/drivers/places/registry.ts';
import { NO_ENGINE } from '../support/no-engine.ts';

const NOBODY = 65_534;
const driver = createPlaceDrivers({ allow: createAllowList({}), engine: NO_ENGINE }).envFile;
let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'revertd-owner-'));
  path = join(folder, 'app.env');
  await writeFile(path, 'A=1\n');
  await chmod(path, 0o640);
});
afterEach(() => rm(folder, { recursive: true }));

const write = () => driver.write({ kind: 'envFile', path }, [{ entry: 'A', value: 2 }], new AbortController().signal);

it('keeps owner, group and mode', async () => {
  await chown(path, NOBODY, 12);
  await write();
  const { uid, gid, mode } = await stat(path);
  expect([uid, gid, mode & 0o7777, await readFile(path, 'utf8')]).toStrictEqual([NOBODY, 12, 0o640, 'A=2\n']);
});

it('does not take a file away from its owner', async () => {
  await chmod(path, 0o644);
  await chmod(folder, 0o777);
  process.seteuid?.(NOBODY);
  try {
    await expect(write()).rejects.toMatchObject({ code: 'ownerNotKept' });
  } finally {
    process.seteuid?.(0);
  }
  expect((await stat(path)).uid).toBe(0);
  expect(readdirSync(folder)).toStrictEqual(['app.env']);
});
