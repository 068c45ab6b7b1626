import { existsSync } from 'node:fs';
import {
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeRepository, type Repository, runGitIn } from '../../../test/tools/git-repository.ts';
import type { Revision } from '../../core/model/revision.ts';
import { openSource, type SourceConfig } from '../open-source.ts';
import type { PolicySource, SourceNotice, SourceReading } from '../policy-source.ts';

const { signal } = new AbortController();
let top: string;
let repository: Repository;
let notices: SourceNotice[];

beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'revertd-git-'));
  repository = makeRepository(join(top, 'repository'));
  notices = [];
});
afterEach(() => rm(top, { recursive: true, force: true }));

function open(config: Partial<SourceConfig> = {}, environment: NodeJS.ProcessEnv = process.env): PolicySource {
  const tell = (notice: SourceNotice) => notices.push(notice);
  return openSource({ url: repository.path, ...config }, join(top, 'data'), { tell, environment });
}

const read = (source: PolicySource, accepted?: Revision, ...consented: Revision[]) =>
  source.read({ accepted, consented: new Set(consented) }, signal);

function paths(reading: SourceReading): readonly string[] {
  return reading.state === 'changed' ? reading.snapshot.files.map(({ path }) => path) : [JSON.stringify(reading)];
}

const changed = (revision: Revision) => ({ state: 'changed', snapshot: { revision } });
const refused = (code: string, message = '') => ({ state: 'refused', code, message: expect.stringContaining(message) });

async function mirror(): Promise<string> {
  const [name] = await readdir(join(top, 'data/source'));
  return join(top, 'data/source', name ?? '', 'mirror.git');
}

test('a commit is read with its files, its author and its subject', async () => {
  const revision = repository.commit(
    { 'b.yml': 'b', 'a.yaml': Uint8Array.of(0xff, 0, 10) },
    'Slow is bad\n\nMore words.',
  );
  expect(await read(open())).toEqual({
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
  expect(notices).toEqual([]);
});

test('a following commit is a change, and the same one is not', async () => {
  const first = repository.commit({ 'a.yaml': '1' });
  const source = open({ ref: { branch: 'main' } });
  expect(await read(source)).toMatchObject(changed(first));
  expect(await read(source, first)).toEqual({ state: 'unchanged', revision: first });
  const second = repository.commit({ 'a.yaml': '2' });
  expect(await read(source, first)).toMatchObject(changed(second));
  expect(await read(source, second)).toEqual({ state: 'unchanged', revision: second });
});

test('only policy files of the policy folder are read', async () => {
  const names = ['x.draft.yaml', '.hidden.yaml', 'sub/.x/a.yaml', 'README.md', 'data.bin'];
  repository.commit({
    ...Object.fromEntries(names.map((name) => [`team/policies/${name}`, name])),
    'team/policies/a.yaml': 'a',
    'team/policies/sub/b.yml': 'b',
    'team/other.yaml': 'other',
    'team/policies.yaml': 'beside',
    'outside.yaml': { link: '/etc/passwd' },
  });
  expect(paths(await read(open({ folder: 'team/policies/' })))).toEqual(['a.yaml', 'sub/b.yml']);
});

test('a rewritten history is refused until a person consents', async () => {
  const base = repository.commit({ 'a.yaml': '1' });
  const accepted = repository.commit({ 'a.yaml': '2' });
  const source = open({ ref: { branch: 'main' } });
  await read(source, base);
  repository.git('reset', '--quiet', '--hard', base);
  const rewritten = repository.commit({ 'a.yaml': '3' });
  expect(await read(source, accepted)).toMatchObject({
    ...refused('historyRewritten', `revertd source accept ${rewritten}`),
    revision: rewritten,
  });
  expect(await read(source, accepted, base)).toMatchObject(refused('historyRewritten'));
  expect(await read(source, accepted, rewritten)).toMatchObject(changed(rewritten));
});

test('a branch that goes back to an older commit is rewritten as well', async () => {
  const base = repository.commit({ 'a.yaml': '1' });
  const accepted = repository.commit({ 'a.yaml': '2' });
  const source = open();
  expect(await read(source)).toMatchObject(changed(accepted));
  repository.git('reset', '--quiet', '--hard', base);
  expect(await read(source, accepted)).toMatchObject(refused('historyRewritten', accepted));
  expect(await read(source, accepted, base)).toMatchObject(changed(base));
});

test('a new repository under the old address is a rewritten history, also after the mirror was lost', async () => {
  const accepted = repository.commit({ 'a.yaml': '1' });
  await read(open());
  await rm(repository.path, { recursive: true });
  repository = makeRepository(repository.path);
  const other = repository.commit({ 'b.yaml': '1' });
  expect(await read(open(), accepted)).toMatchObject(refused('historyRewritten'));
  await rm(join(top, 'data'), { recursive: true });
  expect(await read(open(), accepted)).toMatchObject({ ...refused('historyRewritten'), revision: other });
});

test('the revision in force stays readable after its history was thrown away', async () => {
  const base = repository.commit({ 'a.yaml': '1' });
  const accepted = repository.commit({ 'a.yaml': '2' });
  const source = open();
  await read(source, base);
  repository.git('reset', '--quiet', '--hard', base);
  await read(source, accepted);
  runGitIn(await mirror(), ['gc', '--quiet', '--prune=now']);
  expect(await source.readRevision?.(accepted, signal)).toMatchObject({
    revision: accepted,
    files: [{ path: 'a.yaml' }],
  });
});

test('a tag may move forward, and is refused when it moves elsewhere', async () => {
  const first = repository.commit({ 'a.yaml': '1' });
  repository.git('tag', '--annotate', '--message', 'one', 'live');
  const source = open({ ref: { tag: 'live' } });
  expect(await read(source)).toMatchObject(changed(first));
  const second = repository.commit({ 'a.yaml': '2' });
  repository.git('tag', '--force', 'live');
  expect(await read(source, first)).toMatchObject(changed(second));
  repository.git('tag', '--force', 'live', first);
  expect(await read(source, second)).toMatchObject(refused('historyRewritten'));
  repository.git('tag', '--delete', 'live');
  expect(await read(source, second)).toMatchObject(refused('branchGone', 'tag live'));
});

test('a tag on something else than a commit is refused', async () => {
  repository.commit({ 'a.yaml': '1' });
  repository.git('tag', 'live', 'HEAD:a.yaml');
  expect(await read(open({ ref: { tag: 'live' } }))).toMatchObject(refused('branchGone', 'is a blob, not a commit'));
});

test('a branch that vanished is refused, and is read again once it is back', async () => {
  const accepted = repository.commit({ 'a.yaml': '1' });
  const source = open({ ref: { branch: 'main' } });
  await read(source);
  repository.git('branch', '--move', 'trunk');
  expect(await read(source, accepted)).toMatchObject(refused('branchGone', `branch main of ${repository.path}`));
  repository.git('branch', 'main');
  expect(await read(source, accepted)).toEqual({ state: 'unchanged', revision: accepted });
});

test('a name that only ends like the branch is not taken for it', async () => {
  repository.commit({ 'a.yaml': '1' });
  repository.git('update-ref', 'refs/remotes/x/refs/heads/live', 'HEAD');
  repository.git('branch', 'x/refs/heads/live');
  expect(await read(open({ ref: { branch: 'live' } }))).toMatchObject(refused('branchGone'));
});

test('a repository without commits has nothing to follow', async () => {
  expect(await read(open())).toMatchObject(refused('branchGone', 'its HEAD'));
});

test('a commit is read by its SHA, and needs no network after that', async () => {
  const commit = repository.commit({ 'a.yaml': '1' });
  const newer = repository.commit({ 'a.yaml': '2' });
  const source = open({ ref: { commit } });
  expect(await read(source)).toMatchObject(changed(commit));
  await rename(repository.path, `${repository.path}.away`);
  expect(await read(source, commit)).toEqual({ state: 'unchanged', revision: commit });
  // The configuration chose it, although it is older than what is in force.
  expect(await read(source, newer)).toMatchObject(changed(commit));
});

test('a commit that does not exist is refused', async () => {
  repository.commit({ 'a.yaml': '1' });
  expect(await read(open({ ref: { commit: 'a'.repeat(40) } }))).toMatchObject(
    refused('branchGone', `commit ${'a'.repeat(40)}`),
  );
});

test('an emptied folder is refused until a person consents', async () => {
  repository.commit({ 'policies/a.yaml': '1', 'README.md': '' });
  const accepted = repository.commit({ 'policies/a.yaml': '2' });
  const source = open({ folder: 'policies' });
  await read(source);
  const drafts = repository.commit({ 'policies/a.yaml': null, 'policies/a.draft.yaml': '2' });
  expect(await read(source, accepted)).toMatchObject({
    ...refused('emptied', `revertd source accept ${drafts}`),
    revision: drafts,
  });
  const gone = repository.commit({ policies: null });
  expect(await read(source, accepted)).toMatchObject({ ...refused('emptied'), revision: gone });
  expect(await read(source, accepted, drafts)).toMatchObject(refused('emptied'));
  expect(await read(source, accepted, gone)).toMatchObject({
    state: 'changed',
    snapshot: { revision: gone, files: [] },
  });
  const still = repository.commit({ 'README.md': 'more' });
  expect(await read(source, gone)).toMatchObject({ state: 'changed', snapshot: { revision: still, files: [] } });
});

test('at first start an empty folder is taken, and a missing one is not', async () => {
  repository.commit({ 'policies/README.md': '', file: '' });
  expect(paths(await read(open({ folder: 'policies' })))).toEqual([]);
  expect(await read(open({ folder: 'none/there' }))).toMatchObject(
    refused('folderGone', 'there is no folder none/there'),
  );
  expect(await read(open({ folder: 'file' }))).toMatchObject(refused('folderGone', 'file is no folder'));
});

test('links within the folder are followed, also over other folders', async () => {
  repository.commit({
    'p/variants/blue.draft.yaml': 'blue',
    'p/active.yaml': { link: './variants/../variants/blue.draft.yaml' },
    'p/..2026/a.yaml': 'mounted',
    'p/..data': { link: '..2026' },
    'p/a.yaml': { link: '..data/a.yaml' },
    'p/.#a.yaml': { link: '/etc/passwd' },
    'p/NOTES': { link: 'nothing' },
  });
  const reading = await read(open({ folder: 'p' }));
  expect(paths(reading)).toEqual(['a.yaml', 'active.yaml']);
  const contents =
    reading.state === 'changed' && reading.snapshot.files.map(({ bytes }) => Buffer.from(bytes).toString());
  expect(contents).toEqual(['mounted', 'blue']);
});

test.each([
  ['a.yaml', '/etc/passwd', 'linkOutside', 'a.yaml is a link that leads out of the policy folder'],
  ['a.yaml', '../secret.yaml', 'linkOutside', 'leads out'],
  ['sub/a.yaml', '../../p/b.yaml', 'linkOutside', 'sub/a.yaml is a link'],
  ['more', '..', 'linkOutside', 'more is a link'],
  ['more', 'sub', 'unsupportedEntry', 'more is a link to a folder'],
  ['a.yaml', 'none.yaml', 'unsupportedEntry', 'leads nowhere'],
  ['a.yaml', 'a.yaml', 'unsupportedEntry', 'leads back to itself'],
  ['a.yaml', 'x'.repeat(5000), 'unsupportedEntry', 'a name that no system allows'],
])('the link %s → %s is refused', async (name, target, code, message) => {
  repository.commit({ 'secret.yaml': 'secret', 'p/b.yaml': 'b', 'p/sub/c.yaml': 'c' });
  // The index takes any link, also one that no file system would.
  const blob = runGitIn(repository.path, ['hash-object', '-w', '--stdin'], target);
  repository.git('update-index', '--add', '--cacheinfo', `120000,${blob},p/${name}`);
  repository.git('commit', '--quiet', '--message', 'Link');
  expect(await read(open({ folder: 'p' }))).toMatchObject(refused(code, message));
});

test('a submodule in the folder is refused, elsewhere it does not matter', async () => {
  const commit = repository.commit({ 'p/a.yaml': 'a' });
  repository.git('update-index', '--add', '--cacheinfo', `160000,${commit},vendor`);
  repository.git('commit', '--quiet', '--message', 'Submodule');
  expect(paths(await read(open({ folder: 'p' })))).toEqual(['a.yaml']);
  expect(await read(open())).toMatchObject(refused('unsupportedEntry', 'vendor is a submodule'));
});

test('a file name that is not UTF-8 is refused', async () => {
  repository.commit({ 'a.yaml': 'a' });
  const name = Buffer.concat([Buffer.from(`${repository.path}/`), Buffer.of(0xff), Buffer.from('.yaml')]);
  await writeFile(name, '');
  repository.commit({});
  expect(await read(open())).toMatchObject(refused('unsupportedEntry', 'UTF-8'));
});

test('a missing repository is unreachable, and is read once it is back', async () => {
  const accepted = repository.commit({ 'a.yaml': '1' });
  const source = open({ ref: { branch: 'main' } });
  await read(source);
  await rename(repository.path, `${repository.path}.away`);
  expect(await read(source, accepted)).toMatchObject({
    state: 'unreachable',
    code: 'notFound',
    message: expect.stringContaining(repository.path),
  });
  expect(await source.readRevision?.(accepted, signal)).toMatchObject({ revision: accepted });
  await rename(`${repository.path}.away`, repository.path);
  expect(await read(source, accepted)).toEqual({ state: 'unchanged', revision: accepted });
});

test('locks that a killed git left are removed and told', async () => {
  const first = repository.commit({ 'a.yaml': '1' });
  const source = open();
  await read(source);
  const at = await mirror();
  const locks = ['HEAD.lock', 'index.lock', 'packed-refs.lock', 'refs/revertd/tip.lock', 'shallow.lock'];
  for (const lock of locks) await writeFile(join(at, lock), '');
  await writeFile(join(at, 'objects/pack/tmp_pack_x'), 'half');
  const second = repository.commit({ 'a.yaml': '2' });
  expect(await read(source, first)).toMatchObject(changed(second));
  expect(notices).toEqual([
    { code: 'staleLockRemoved', message: expect.stringContaining(`left ${locks.join(', ')} in ${at}`) },
  ]);
  expect(existsSync(join(at, 'objects/pack/tmp_pack_x'))).toBe(false);
});

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
  const first = repository.commit({ 'a.yaml': '1' });
  const source = open();
  await read(source);
  await damage(await mirror());
  const second = repository.commit({ 'a.yaml': '2' });
  expect(await read(source, first)).toMatchObject(changed(second));
  expect(notices).toMatchObject([{ code: 'mirrorRebuilt' }]);
});

test('a mirror whose file was replaced under its name is made again', async () => {
  const accepted = repository.commit({ 'a.yaml': 'honest' });
  const source = open();
  await read(source);
  const at = await mirror();
  const forged = runGitIn(at, ['hash-object', '-w', '--stdin'], 'forged');
  const honest = runGitIn(at, ['rev-parse', `${accepted}:a.yaml`]);
  const objectAt = (id: string) => join(at, 'objects', id.slice(0, 2), id.slice(2));
  await rename(objectAt(forged), objectAt(honest));
  const reading = await read(source);
  expect(reading).toMatchObject({ state: 'changed', snapshot: { files: [{ bytes: Buffer.from('honest') }] } });
  expect(notices).toMatchObject([{ code: 'mirrorRebuilt', message: expect.stringContaining(honest) }]);
});

test('a damaged mirror and a missing repository are unreachable, and mend together', async () => {
  const accepted = repository.commit({ 'a.yaml': '1' });
  const source = open({ ref: { branch: 'main' } });
  await read(source);
  await rm(join(await mirror(), 'HEAD'));
  await rename(repository.path, `${repository.path}.away`);
  expect(await read(source, accepted)).toMatchObject({ state: 'unreachable', code: 'notFound' });
  await rename(`${repository.path}.away`, repository.path);
  expect(await read(source, accepted)).toEqual({ state: 'unchanged', revision: accepted });
});

test('a damaged policy repository is unreachable, and costs the mirror nothing', async () => {
  const accepted = repository.commit({ 'a.yaml': '1' });
  const source = open({ ref: { branch: 'main' } });
  await read(source);
  repository.commit({ 'a.yaml': '2' });
  for (const object of await everyObject(join(repository.path, '.git'))) {
    await chmod(object, 0o600);
    await truncate(object, 10);
  }
  expect(await read(source, accepted)).toMatchObject({ state: 'unreachable', code: 'corrupt' });
  expect(notices).toEqual([]);
  expect(await source.readRevision?.(accepted, signal)).toMatchObject({ revision: accepted });
});

test('a repository that changes to SHA-256 gets a mirror that can hold it', async () => {
  const accepted = repository.commit({ 'a.yaml': '1' });
  await read(open());
  await rm(repository.path, { recursive: true });
  repository = makeRepository(repository.path, '--object-format=sha256');
  const revision = repository.commit({ 'a.yaml': '1' });
  expect(revision).toHaveLength(64);
  expect(await read(open())).toMatchObject(changed(revision));
  expect(await read(open(), accepted)).toMatchObject(refused('historyRewritten'));
  expect(await read(open({ ref: { commit: revision } }), revision)).toEqual({ state: 'unchanged', revision });
});

test('nothing that the repository or the environment brings along is run', async () => {
  const revision = repository.commit({ 'a.yaml': '1', '.gitattributes': '* filter=evil' });
  const ran = join(top, 'ran');
  const script = join(top, 'evil.sh');
  await writeFile(script, `#!/bin/sh\ntouch ${ran}\nexec "$@"\n`, { mode: 0o755 });
  repository.git('config', 'uploadpack.packObjectsHook', script);
  repository.git('config', 'core.fsmonitor', script);
  repository.git('config', 'filter.evil.smudge', script);
  const environment = {
    ...process.env,
    GIT_DIR: '/nonexistent',
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'uploadpack.packObjectsHook',
    GIT_CONFIG_VALUE_0: script,
    GIT_SSH_COMMAND: script,
    GIT_EXEC_PATH: top,
  };
  expect(await read(open({}, environment))).toMatchObject(changed(revision));
  expect(existsSync(ran)).toBe(false);
  expect(existsSync(join(await mirror(), 'hooks'))).toBe(false);
});

test('without git the source is unreachable, and says why', async () => {
  repository.commit({ 'a.yaml': '1' });
  expect(await read(open({}, { PATH: top }))).toMatchObject({
    state: 'unreachable',
    code: 'gitMissing',
    message: expect.stringContaining('not installed'),
  });
});

test('a data folder that cannot be made is unreachable, and says where', async () => {
  repository.commit({ 'a.yaml': '1' });
  await writeFile(join(top, 'data'), '');
  expect(await read(open())).toMatchObject({
    state: 'unreachable',
    code: 'storage',
    message: expect.stringContaining(join(top, 'data')),
  });
});

test('readings at the same time wait for each other', async () => {
  const revision = repository.commit({ 'a.yaml': '1' });
  const source = open();
  const readings = await Promise.all([
    read(source),
    read(source, revision),
    source.readRevision?.('main', signal),
    read(source),
  ]);
  expect(readings).toMatchObject([changed(revision), { state: 'unchanged' }, { revision }, changed(revision)]);
  expect(notices).toEqual([]);
});

test('an aborted reading rejects with the reason, and does not stop the next', async () => {
  const revision = repository.commit({ 'a.yaml': '1' });
  const source = open();
  const abort = new AbortController();
  const reason = new Error('shutting down');
  const reading = source.read({ accepted: undefined, consented: new Set() }, abort.signal);
  abort.abort(reason);
  await expect(reading).rejects.toBe(reason);
  expect(await read(source)).toMatchObject(changed(revision));
});

test('what is uncommitted in a work tree is not seen', async () => {
  const revision = repository.commit({ 'policies/a.yaml': 'committed' });
  await appendFile(join(repository.path, 'policies/a.yaml'), ' and more');
  await writeFile(join(repository.path, 'policies/b.yaml'), 'new');
  const source = open({ url: join(repository.path, 'policies') });
  expect(await read(source)).toMatchObject({
    state: 'changed',
    snapshot: { revision, files: [{ path: 'a.yaml', bytes: Buffer.from('committed') }] },
  });
  repository.git('checkout', '--quiet', '--detach');
  const detached = repository.commit({});
  expect(await read(source, revision)).toMatchObject(changed(detached));
});

test('a shallow clone and a linked work tree are repositories too', async () => {
  repository.commit({ 'a.yaml': '1' });
  const revision = repository.commit({ 'a.yaml': '2' });
  repository.git('clone', '--quiet', '--depth=1', `file://${repository.path}`, join(top, 'shallow'));
  repository.git('worktree', 'add', '--quiet', '-b', 'other', join(top, 'linked'));
  expect(await read(open({ url: join(top, 'shallow') }))).toMatchObject(changed(revision));
  const shallow = runGitIn(join(top, 'shallow'), ['rev-list', '--count', 'HEAD']);
  expect(shallow).toBe('1');
  await writeFile(join(top, 'linked/b.yaml'), '');
  runGitIn(join(top, 'linked'), ['add', '.']);
  runGitIn(join(top, 'linked'), ['commit', '--quiet', '--message', 'More']);
  expect(paths(await read(open({ url: join(top, 'linked') })))).toEqual(['a.yaml', 'b.yaml']);
});

test('revisions are found by the names that people use', async () => {
  const first = repository.commit({ 'a.yaml': '1' });
  repository.git('tag', '--annotate', '--message', 'one', 'v1');
  const second = repository.commit({ 'a.yaml': '2' });
  repository.git('checkout', '--quiet', '-b', 'team/feature');
  const third = repository.commit({ 'a.yaml': '3' });
  const source = open({ ref: { branch: 'main' } });
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
    expect([name, (await source.readRevision?.(name, signal))?.revision]).toEqual([name, revision]);
  }
  await rename(repository.path, `${repository.path}.away`);
  for (const [name, revision] of Object.entries(names)) {
    expect([name, (await source.readRevision?.(name, signal))?.revision]).toEqual([name, revision]);
  }
  await expect(source.readRevision?.('other', signal)).rejects.toMatchObject({ code: 'notFound' });
  expect(notices).toEqual([]);
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
  repository.commit({ 'a.yaml': '1' });
  const source = open({ ref: { branch: 'main' } });
  await read(source);
  await expect(source.readRevision?.(name, signal)).rejects.toMatchObject({
    code: 'unknownRevision',
    message: expect.stringContaining(name.trim()),
  });
  expect(notices).toEqual([]);
});

test('the mirror is for nobody else', async () => {
  repository.commit({ 'a.yaml': '1' });
  await mkdir(join(top, 'data'));
  await read(open());
  const at = await mirror();
  expect(await readFile(join(at, '../git.config'), 'utf8')).toContain('allow = never');
  await expect(readdir(at)).resolves.toEqual(expect.arrayContaining(['HEAD', 'objects', 'refs']));
});
