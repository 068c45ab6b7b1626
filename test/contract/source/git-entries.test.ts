import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runGitIn } from '../../tools/git-repository.ts';
import { changed, contents, paths, read, refused, SourceFixture } from '../../tools/source-fixture.ts';

let its: SourceFixture;
beforeEach(() => {
  its = new SourceFixture();
});
afterEach(() => its.remove());

test('links within the folder are followed, also over other folders', async () => {
  its.repository.commit({
    'p/variants/blue.draft.yaml': 'blue',
    'p/active.yaml': { link: './variants/../variants/blue.draft.yaml' },
    'p/..2026/a.yaml': 'mounted',
    'p/..data': { link: '..2026' },
    'p/a.yaml': { link: '..data/a.yaml' },
    'p/.#a.yaml': { link: '/etc/passwd' },
    'p/NOTES': { link: 'nothing' },
  });
  const reading = await read(its.open({ folder: 'p' }));
  expect(paths(reading)).toEqual(['a.yaml', 'active.yaml']);
  expect(contents(reading)).toEqual(['mounted', 'blue']);
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
  its.repository.commit({ 'secret.yaml': 'secret', 'p/b.yaml': 'b', 'p/sub/c.yaml': 'c' });
  // The index takes any link, also one that no file system would.
  const blob = runGitIn(its.repository.path, ['hash-object', '-w', '--stdin'], target);
  its.repository.git('update-index', '--add', '--cacheinfo', `120000,${blob},p/${name}`);
  its.repository.git('commit', '--quiet', '--message', 'Link');
  expect(await read(its.open({ folder: 'p' }))).toMatchObject(refused(code, message));
});

test('a submodule in the folder is refused, elsewhere it does not matter', async () => {
  const commit = its.repository.commit({ 'p/a.yaml': 'a' });
  its.repository.git('update-index', '--add', '--cacheinfo', `160000,${commit},vendor`);
  its.repository.git('commit', '--quiet', '--message', 'Submodule');
  expect(paths(await read(its.open({ folder: 'p' })))).toEqual(['a.yaml']);
  expect(await read(its.open())).toMatchObject(refused('unsupportedEntry', 'vendor is a submodule'));
});

test('a file name that is not UTF-8 is refused', async () => {
  its.repository.commit({ 'a.yaml': 'a' });
  const name = Buffer.concat([Buffer.from(`${its.repository.path}/`), Buffer.of(0xff), Buffer.from('.yaml')]);
  await writeFile(name, '');
  its.repository.commit({});
  expect(await read(its.open())).toMatchObject(refused('unsupportedEntry', 'UTF-8'));
});

test('a 50 MB policy is refused by its size, and a larger file elsewhere does not matter', async () => {
  its.repository.commit({
    'p/a.yaml': 'a',
    'p/model.bin': Buffer.alloc(50_000_000),
    'other.yaml': Buffer.alloc(50_000_000),
  });
  const source = its.open({ folder: 'p' });
  expect(paths(await read(source))).toEqual(['a.yaml']);
  const big = its.repository.commit({ 'p/big.yaml': Buffer.alloc(50_000_000) });
  expect(await read(source)).toMatchObject({
    ...refused('fileTooLarge', 'big.yaml has 50000000 bytes'),
    revision: big,
  });
});

test('the 5001st policy is refused, and drafts do not count', async () => {
  const files = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`${i % 50}/${i}.yaml`, `# ${i}\n`]));
  const full = its.repository.commit({ ...files, 'more.draft.yaml': '' });
  const reading = await read(its.open());
  expect(reading).toMatchObject(changed(full));
  expect(paths(reading)).toHaveLength(5000);
  its.repository.commit({ 'one-more.yaml': '' });
  expect(await read(its.open(), full)).toMatchObject(refused('fileTooLarge', 'there are 5001 policy files'));
});

test('policies of more than 32 MiB together are refused', async () => {
  const files = Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`${i}.yaml`, Buffer.alloc(1_048_576, i)]));
  its.repository.commit(files);
  expect(await read(its.open())).toMatchObject(refused('fileTooLarge', '34603008 bytes together'));
});
