import { appendFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Revision } from '../../../src/core/model/revision.ts';
import { makeRepository, runGitIn } from '../../tools/git-repository.ts';
import { changed, NEVER, paths, read, refused, SourceFixture } from '../../tools/source-fixture.ts';

let its: SourceFixture;
beforeEach(() => {
  its = new SourceFixture();
});
afterEach(() => its.remove());

test('a new repository under the old address is a rewritten history, also after the mirror was lost', async () => {
  const accepted = its.repository.commit({ 'a.yaml': '1' });
  await read(its.open());
  await rm(its.repository.path, { recursive: true });
  its.repository = makeRepository(its.repository.path);
  const other = its.repository.commit({ 'b.yaml': '1' });
  expect(await read(its.open(), accepted)).toMatchObject(refused('historyRewritten'));
  await rm(its.at('data'), { recursive: true });
  expect(await read(its.open(), accepted)).toMatchObject({ ...refused('historyRewritten'), revision: other });
});

test('the revision in force stays readable after its history was thrown away', async () => {
  const base = its.repository.commit({ 'a.yaml': '1' });
  const accepted = its.repository.commit({ 'a.yaml': '2' });
  const source = its.open();
  await read(source, base);
  its.repository.git('reset', '--quiet', '--hard', base);
  await read(source, accepted);
  runGitIn(its.mirror(), ['gc', '--quiet', '--prune=now']);
  expect(await source.readRevision?.(accepted, NEVER)).toMatchObject({
    revision: accepted,
    files: [{ path: 'a.yaml' }],
  });
});

test('a tag on something else than a commit is refused', async () => {
  its.repository.commit({ 'a.yaml': '1' });
  its.repository.git('tag', 'live', 'HEAD:a.yaml');
  expect(await read(its.open({ ref: { tag: 'live' } }))).toMatchObject(
    refused('branchGone', 'is a blob, not a commit'),
  );
});

test('a name that only ends like the branch is not taken for it', async () => {
  its.repository.commit({ 'a.yaml': '1' });
  its.repository.git('update-ref', 'refs/remotes/x/refs/heads/live', 'HEAD');
  its.repository.git('branch', 'x/refs/heads/live');
  expect(await read(its.open({ ref: { branch: 'live' } }))).toMatchObject(refused('branchGone'));
});

test('a repository without commits has nothing to follow', async () => {
  expect(await read(its.open())).toMatchObject(refused('branchGone', 'its HEAD'));
});

test('a commit that does not exist is refused', async () => {
  its.repository.commit({ 'a.yaml': '1' });
  expect(await read(its.open({ ref: { commit: 'a'.repeat(40) } }))).toMatchObject(
    refused('branchGone', `commit ${'a'.repeat(40)}`),
  );
});

test('what is uncommitted in a work tree is not seen', async () => {
  const revision = its.repository.commit({ 'policies/a.yaml': 'committed' });
  await appendFile(join(its.repository.path, 'policies/a.yaml'), ' and more');
  await writeFile(join(its.repository.path, 'policies/b.yaml'), 'new');
  const source = its.open({ url: join(its.repository.path, 'policies') });
  expect(await read(source)).toMatchObject({
    state: 'changed',
    snapshot: { revision, files: [{ path: 'a.yaml', bytes: Buffer.from('committed') }] },
  });
  its.repository.git('checkout', '--quiet', '--detach');
  const detached = its.repository.commit({});
  expect(await read(source, revision)).toMatchObject(changed(detached));
});

test('a shallow clone and a linked work tree are repositories too', async () => {
  its.repository.commit({ 'a.yaml': '1' });
  const revision = its.repository.commit({ 'a.yaml': '2' });
  its.repository.git('clone', '--quiet', '--depth=1', `file://${its.repository.path}`, its.at('shallow'));
  its.repository.git('worktree', 'add', '--quiet', '-b', 'other', its.at('linked'));
  expect(await read(its.open({ url: its.at('shallow') }))).toMatchObject(changed(revision));
  const shallow = runGitIn(its.at('shallow'), ['rev-list', '--count', 'HEAD']);
  expect(shallow).toBe('1');
  await writeFile(its.at('linked/b.yaml'), '');
  runGitIn(its.at('linked'), ['add', '.']);
  runGitIn(its.at('linked'), ['commit', '--quiet', '--message', 'More']);
  expect(paths(await read(its.open({ url: its.at('linked') })))).toEqual(['a.yaml', 'b.yaml']);
});

test('revisions are found by the names that people use', async () => {
  const first = its.repository.commit({ 'a.yaml': '1' });
  its.repository.git('tag', '--annotate', '--message', 'one', 'v1');
  const second = its.repository.commit({ 'a.yaml': '2' });
  its.repository.git('checkout', '--quiet', '-b', 'team/feature');
  const third = its.repository.commit({ 'a.yaml': '3' });
  const source = its.open({ ref: { branch: 'main' } });
  await read(source);
  const names: Readonly<Record<string, Revision>> = {
    main: second,
    'main~1': first,
    'main^': first,
    HEAD: second,
    '@~': first,
    v1: first,
    'team/feature': third,
    'team/feature~2': first,
    [third]: third,
    [first.slice(0, 8)]: first,
    [`${second}~`]: first,
  };
  for (const [name, revision] of Object.entries(names)) {
    expect([name, (await source.readRevision?.(name, NEVER))?.revision]).toEqual([name, revision]);
  }
  await rename(its.repository.path, `${its.repository.path}.away`);
  for (const [name, revision] of Object.entries(names)) {
    expect([name, (await source.readRevision?.(name, NEVER))?.revision]).toEqual([name, revision]);
  }
  await expect(source.readRevision?.('other', NEVER)).rejects.toMatchObject({ code: 'notFound' });
  expect(its.notices).toEqual([]);
});

test.each([
  'none',
  'main~99',
  'main:a.yaml',
  '--all',
  '-',
  '',
  '^main',
  'main..HEAD',
  'main@{1}',
  '0',
  'f'.repeat(40),
  'main\n',
  ':/Change',
])('there is no revision %j', async (name) => {
  its.repository.commit({ 'a.yaml': '1' });
  const source = its.open({ ref: { branch: 'main' } });
  await read(source);
  await expect(source.readRevision?.(name, NEVER)).rejects.toMatchObject({
    code: 'unknownRevision',
    message: expect.stringContaining(name.trim()),
  });
  expect(its.notices).toEqual([]);
});

test('a look at another commit does not change what is followed', async () => {
  const old = its.repository.commit({ 'a.yaml': '1' });
  const tip = its.repository.commit({ 'a.yaml': '2' });
  its.repository.git('checkout', '--quiet', '--detach', old);
  const aside = its.repository.commit({ 'b.yaml': '1' });
  const source = its.open({ ref: { branch: 'main' } });
  await read(source);
  expect(await source.readRevision?.(aside, NEVER)).toMatchObject({ revision: aside });
  await rename(its.repository.path, its.at('away'));
  expect(await source.readRevision?.('HEAD', NEVER)).toMatchObject({ revision: tip });
});

test('two sources of one process on one mirror wait for each other', async () => {
  const revision = its.repository.commit({ 'a.yaml': '1' });
  const readings = await Promise.all(
    [its.open(), its.open({ ref: { branch: 'main' } }), its.open()].map((source) => read(source)),
  );
  for (const reading of readings) expect(reading).toMatchObject(changed(revision));
  expect(its.notices).toEqual([]);
});
