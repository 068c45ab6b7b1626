import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runGitIn } from '../../tools/git-repository.ts';
import { contents, paths, read, refused, SourceFixture } from '../../tools/source-fixture.ts';

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
