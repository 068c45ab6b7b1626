import { existsSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  changed,
  NEVER,
  paths,
  read,
  refused,
  SourceFixture,
  unchanged,
  unreachable,
} from '../../tools/source-fixture.ts';

let its: SourceFixture;
beforeEach(() => {
  its = new SourceFixture();
});
afterEach(() => its.remove());

test('a commit is read with its files, its author and its subject', async () => {
  const revision = its.repository.commit(
    { 'b.yml': 'b', 'a.yaml': Uint8Array.of(0xff, 0, 10) },
    'Slow is bad\n\nMore words.',
  );
  expect(await read(its.open())).toEqual({
    state: 'changed',
    snapshot: {
      revision,
      files: [
        { path: 'a.yaml', bytes: Buffer.of(0xff, 0, 10) },
        { path: 'b.yml', bytes: Buffer.from('b') },
      ],
      author: 'Ada <ada@example.org>',
      subject: 'Slow is bad',
      committedAt: Date.UTC(2026, 0, 2, 3, 4, 5),
    },
  });
  expect(its.notices).toEqual([]);
});

test('a following commit is a change, and the same one is not', async () => {
  const first = its.repository.commit({ 'a.yaml': '1' });
  const source = its.open({ ref: { branch: 'main' } });
  expect(await read(source)).toMatchObject(changed(first));
  expect(await read(source, first)).toEqual(unchanged(first));
  const second = its.repository.commit({ 'a.yaml': '2' });
  expect(await read(source, first)).toMatchObject(changed(second));
  expect(await read(source, second)).toEqual(unchanged(second));
});

test('only policy files of the policy folder are read', async () => {
  const names = ['x.draft.yaml', '.hidden.yaml', 'sub/.x/a.yaml', 'README.md', 'data.bin'];
  its.repository.commit({
    ...Object.fromEntries(names.map((name) => [`team/policies/${name}`, name])),
    'team/policies/a.yaml': 'a',
    'team/policies/sub/b.yml': 'b',
    'team/other.yaml': 'other',
    'team/policies.yaml': 'beside',
    'outside.yaml': { link: '/etc/passwd' },
  });
  expect(paths(await read(its.open({ folder: 'team/policies/' })))).toEqual(['a.yaml', 'sub/b.yml']);
});

test('a rewritten history is refused until a person consents', async () => {
  const base = its.repository.commit({ 'a.yaml': '1' });
  const accepted = its.repository.commit({ 'a.yaml': '2' });
  const source = its.open({ ref: { branch: 'main' } });
  await read(source, base);
  its.repository.git('reset', '--quiet', '--hard', base);
  const rewritten = its.repository.commit({ 'a.yaml': '3' });
  expect(await read(source, accepted)).toMatchObject({
    ...refused('historyRewritten', `revertd source accept ${rewritten}`),
    revision: rewritten,
  });
  expect(await read(source, accepted, base)).toMatchObject(refused('historyRewritten'));
  expect(await read(source, accepted, rewritten)).toMatchObject(changed(rewritten));
});

test('a branch that goes back to an older commit is rewritten as well', async () => {
  const base = its.repository.commit({ 'a.yaml': '1' });
  const accepted = its.repository.commit({ 'a.yaml': '2' });
  const source = its.open();
  expect(await read(source)).toMatchObject(changed(accepted));
  its.repository.git('reset', '--quiet', '--hard', base);
  expect(await read(source, accepted)).toMatchObject(refused('historyRewritten', accepted));
  expect(await read(source, accepted, base)).toMatchObject(changed(base));
});

test('a tag may move forward, and is refused when it moves elsewhere', async () => {
  const first = its.repository.commit({ 'a.yaml': '1' });
  its.repository.git('tag', '--annotate', '--message', 'one', 'live');
  const source = its.open({ ref: { tag: 'live' } });
  expect(await read(source)).toMatchObject(changed(first));
  const second = its.repository.commit({ 'a.yaml': '2' });
  its.repository.git('tag', '--force', 'live');
  expect(await read(source, first)).toMatchObject(changed(second));
  its.repository.git('tag', '--force', 'live', first);
  expect(await read(source, second)).toMatchObject(refused('historyRewritten'));
  its.repository.git('tag', '--delete', 'live');
  expect(await read(source, second)).toMatchObject(refused('branchGone', 'tag live'));
});

test('a branch that vanished is refused, and is read again once it is back', async () => {
  const accepted = its.repository.commit({ 'a.yaml': '1' });
  const source = its.open({ ref: { branch: 'main' } });
  await read(source);
  its.repository.git('branch', '--move', 'trunk');
  expect(await read(source, accepted)).toMatchObject(refused('branchGone', `branch main of ${its.repository.path}`));
  its.repository.git('branch', 'main');
  expect(await read(source, accepted)).toEqual(unchanged(accepted));
});

test('a commit is read by its SHA, and needs no network after that', async () => {
  const commit = its.repository.commit({ 'a.yaml': '1' });
  const newer = its.repository.commit({ 'a.yaml': '2' });
  const source = its.open({ ref: { commit } });
  expect(await read(source)).toMatchObject(changed(commit));
  await rename(its.repository.path, `${its.repository.path}.away`);
  expect(await read(source, commit)).toEqual(unchanged(commit));
  // The configuration chose it, although it is older than what is in force.
  expect(await read(source, newer)).toMatchObject(changed(commit));
});

test('an emptied folder is refused until a person consents', async () => {
  its.repository.commit({ 'policies/a.yaml': '1', 'README.md': '' });
  const accepted = its.repository.commit({ 'policies/a.yaml': '2' });
  const source = its.open({ folder: 'policies' });
  await read(source);
  const drafts = its.repository.commit({ 'policies/a.yaml': null, 'policies/a.draft.yaml': '2' });
  expect(await read(source, accepted)).toMatchObject({
    ...refused('emptied', `revertd source accept ${drafts}`),
    revision: drafts,
  });
  const gone = its.repository.commit({ policies: null });
  expect(await read(source, accepted)).toMatchObject({ ...refused('emptied'), revision: gone });
  expect(await read(source, accepted, drafts)).toMatchObject(refused('emptied'));
  expect(await read(source, accepted, gone)).toMatchObject({
    state: 'changed',
    snapshot: { revision: gone, files: [] },
  });
  const still = its.repository.commit({ 'README.md': 'more' });
  expect(await read(source, gone)).toMatchObject({ state: 'changed', snapshot: { revision: still, files: [] } });
});

test('at first start an empty folder is taken, and a missing one is not', async () => {
  its.repository.commit({ 'policies/README.md': '', file: '' });
  expect(paths(await read(its.open({ folder: 'policies' })))).toEqual([]);
  expect(await read(its.open({ folder: 'none/there' }))).toMatchObject(
    refused('folderGone', 'there is no folder none/there'),
  );
  expect(await read(its.open({ folder: 'file' }))).toMatchObject(refused('folderGone', 'file is no folder'));
});

test('a missing repository is unreachable, and is read once it is back', async () => {
  const accepted = its.repository.commit({ 'a.yaml': '1' });
  const source = its.open({ ref: { branch: 'main' } });
  await read(source);
  await rename(its.repository.path, `${its.repository.path}.away`);
  expect(await read(source, accepted)).toMatchObject(unreachable('notFound', its.repository.path));
  expect(await source.readRevision?.(accepted, NEVER)).toMatchObject({ revision: accepted });
  await rename(`${its.repository.path}.away`, its.repository.path);
  expect(await read(source, accepted)).toEqual(unchanged(accepted));
});

test('locks that a killed git left are removed and told', async () => {
  const first = its.repository.commit({ 'a.yaml': '1' });
  const source = its.open();
  await read(source);
  const at = its.mirror();
  const locks = ['HEAD.lock', 'index.lock', 'packed-refs.lock', 'refs/revertd/tip.lock', 'shallow.lock'];
  for (const lock of locks) await writeFile(join(at, lock), '');
  await writeFile(join(at, 'objects/pack/tmp_pack_x'), 'half');
  const second = its.repository.commit({ 'a.yaml': '2' });
  expect(await read(source, first)).toMatchObject(changed(second));
  expect(its.notices).toEqual([
    { code: 'staleLockRemoved', message: expect.stringContaining(`left ${locks.join(', ')} in ${at}`) },
  ]);
  expect(existsSync(join(at, 'objects/pack/tmp_pack_x'))).toBe(false);
});

test('readings at the same time wait for each other', async () => {
  const revision = its.repository.commit({ 'a.yaml': '1' });
  const source = its.open();
  const readings = await Promise.all([
    read(source),
    read(source, revision),
    source.readRevision?.('main', NEVER),
    read(source),
  ]);
  expect(readings).toMatchObject([changed(revision), { state: 'unchanged' }, { revision }, changed(revision)]);
  expect(its.notices).toEqual([]);
});

test('an aborted reading rejects with the reason, and does not stop the next', async () => {
  const revision = its.repository.commit({ 'a.yaml': '1' });
  const source = its.open();
  const abort = new AbortController();
  const reason = new Error('shutting down');
  const reading = source.read({ accepted: undefined, consented: new Set() }, abort.signal);
  abort.abort(reason);
  await expect(reading).rejects.toBe(reason);
  expect(await read(source)).toMatchObject(changed(revision));
});
