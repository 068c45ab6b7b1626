import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeRepository, runGitIn } from '../../tools/git-repository.ts';
import { changed, NEVER, read, refused, SourceFixture, unchanged, unreachable } from '../../tools/source-fixture.ts';

let its: SourceFixture;
beforeEach(() => {
  its = new SourceFixture();
});
afterEach(() => its.remove());

async function everyObject(folder: string): Promise<string[]> {
  const names = await readdir(join(folder, 'objects'), { recursive: true });
  return names.filter((name) => /[0-9a-f]{38}$|\.pack$/.test(name)).map((name) => join(folder, 'objects', name));
}

const DAMAGES: readonly (readonly [string, (at: string) => Promise<unknown>])[] = [
  ['without HEAD', (at) => rm(join(at, 'HEAD'))],
  ['without objects', (at) => rm(join(at, 'objects'), { recursive: true })],
  ['with a garbled config', (at) => writeFile(join(at, 'config'), '[[[')],
  ['with an emptied ref', (at) => truncate(join(at, 'refs/revertd/tip'))],
  [
    'with truncated objects',
    async (at) => {
      for (const object of await everyObject(at)) {
        await chmod(object, 0o600);
        await truncate(object, 10);
      }
    },
  ],
];

test.each(DAMAGES)('a mirror %s is made again and told', async (_, damage) => {
  const first = its.repository.commit({ 'a.yaml': '1' });
  const source = its.open();
  await read(source);
  await damage(its.mirror());
  const second = its.repository.commit({ 'a.yaml': '2' });
  expect(await read(source, first)).toMatchObject(changed(second));
  expect(its.notices).toMatchObject([{ code: 'mirrorRebuilt' }]);
});

test('a mirror whose file was replaced under its name is made again', async () => {
  const accepted = its.repository.commit({ 'a.yaml': 'honest' });
  const source = its.open();
  await read(source);
  const at = its.mirror();
  const forged = runGitIn(at, ['hash-object', '-w', '--stdin'], 'forged');
  const honest = runGitIn(at, ['rev-parse', `${accepted}:a.yaml`]);
  const objectAt = (id: string) => join(at, 'objects', id.slice(0, 2), id.slice(2));
  await rename(objectAt(forged), objectAt(honest));
  const reading = await read(source);
  expect(reading).toMatchObject({ state: 'changed', snapshot: { files: [{ bytes: Buffer.from('honest') }] } });
  expect(its.notices).toMatchObject([{ code: 'mirrorRebuilt', message: expect.stringContaining(honest) }]);
});

test('a damaged mirror and a missing repository are unreachable, and mend together', async () => {
  const accepted = its.repository.commit({ 'a.yaml': '1' });
  const source = its.open({ ref: { branch: 'main' } });
  await read(source);
  await rm(join(its.mirror(), 'HEAD'));
  await rename(its.repository.path, `${its.repository.path}.away`);
  expect(await read(source, accepted)).toMatchObject(unreachable('notFound'));
  await rename(`${its.repository.path}.away`, its.repository.path);
  expect(await read(source, accepted)).toEqual(unchanged(accepted));
});

test('a damaged policy repository is unreachable, and costs the mirror nothing', async () => {
  const accepted = its.repository.commit({ 'a.yaml': '1' });
  const source = its.open({ ref: { branch: 'main' } });
  await read(source);
  its.repository.commit({ 'a.yaml': '2' });
  for (const object of await everyObject(join(its.repository.path, '.git'))) {
    await chmod(object, 0o600);
    await truncate(object, 10);
  }
  expect(await read(source, accepted)).toMatchObject(unreachable('corrupt'));
  expect(its.notices).toEqual([]);
  expect(await source.readRevision?.(accepted, NEVER)).toMatchObject({ revision: accepted });
});

test('a repository that changes to SHA-256 gets a mirror that can hold it', async () => {
  const accepted = its.repository.commit({ 'a.yaml': '1' });
  await read(its.open());
  await rm(its.repository.path, { recursive: true });
  its.repository = makeRepository(its.repository.path, '--object-format=sha256');
  const revision = its.repository.commit({ 'a.yaml': '1' });
  expect(revision).toHaveLength(64);
  expect(await read(its.open())).toMatchObject(changed(revision));
  expect(await read(its.open(), accepted)).toMatchObject(refused('historyRewritten'));
  expect(await read(its.open({ ref: { commit: revision } }), revision)).toEqual(unchanged(revision));
});

test('nothing that the repository or the environment brings along is run', async () => {
  const revision = its.repository.commit({ 'a.yaml': '1', '.gitattributes': '* filter=evil' });
  const ran = its.at('ran');
  const script = its.at('evil.sh');
  await writeFile(script, `#!/bin/sh\ntouch ${ran}\nexec "$@"\n`, { mode: 0o755 });
  its.repository.git('config', 'uploadpack.packObjectsHook', script);
  its.repository.git('config', 'core.fsmonitor', script);
  its.repository.git('config', 'filter.evil.smudge', script);
  const environment = {
    ...process.env,
    GIT_DIR: '/nonexistent',
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'uploadpack.packObjectsHook',
    GIT_CONFIG_VALUE_0: script,
    GIT_SSH_COMMAND: script,
    GIT_EXEC_PATH: its.at('.'),
  };
  expect(await read(its.open({}, environment))).toMatchObject(changed(revision));
  expect(existsSync(ran)).toBe(false);
  expect(existsSync(join(its.mirror(), 'hooks'))).toBe(false);
});

test('without git the source is unreachable, and says why', async () => {
  its.repository.commit({ 'a.yaml': '1' });
  expect(await read(its.open({}, { PATH: its.at('.') }))).toMatchObject(unreachable('gitMissing', 'not installed'));
});

test('a data folder that cannot be made is unreachable, and says where', async () => {
  its.repository.commit({ 'a.yaml': '1' });
  await writeFile(its.at('data'), '');
  expect(await read(its.open())).toMatchObject(unreachable('storage', its.at('data')));
});

test('the mirror is for nobody else', async () => {
  its.repository.commit({ 'a.yaml': '1' });
  await mkdir(its.at('data'));
  await read(its.open());
  const at = its.mirror();
  expect(await readFile(join(at, '../git.config'), 'utf8')).toContain('allow = never');
  await expect(readdir(at)).resolves.toEqual(expect.arrayContaining(['HEAD', 'objects', 'refs']));
});
