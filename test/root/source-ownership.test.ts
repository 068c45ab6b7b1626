import { chown, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { changed, read, SourceFixture } from '../tools/source-fixture.ts';

let its: SourceFixture;
beforeEach(() => {
  its = new SourceFixture();
});
afterEach(() => its.remove());

const NOBODY = 65_534;

test('a local repository that belongs to another user is read', async () => {
  const revision = its.repository.commit({ 'a.yaml': '1' });
  const { path } = its.repository;
  for (const name of await readdir(path, { recursive: true })) await chown(join(path, name), NOBODY, NOBODY);
  await chown(path, NOBODY, NOBODY);
  // Git itself would refuse it to anybody but its owner.
  expect(() => its.repository.git('log')).toThrow(/dubious ownership/);
  expect(await read(its.open())).toMatchObject(changed(revision));
});
