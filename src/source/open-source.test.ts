import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeRepository, runGitIn } from '../../test/tools/git-repository.ts';
import { openSource, type SourceConfig } from './open-source.ts';

let top: string;
beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), 'revertd-open-'));
  makeRepository(join(top, 'work')).commit({ 'team/policies/a.yaml': '' });
  runGitIn(top, ['clone', '--quiet', '--bare', 'work', 'bare.git']);
  mkdirSync(join(top, 'plain/sub'), { recursive: true });
});
afterAll(() => rmSync(top, { recursive: true, force: true }));

const describe = (config: SourceConfig) =>
  openSource({ ...config, url: config.url.replace('TOP', top) }, join(top, 'data'))
    .describe()
    .replaceAll(top, 'TOP');

test.each<[SourceConfig, string]>([
  [{ url: 'https://me:hush@host/a.git' }, 'git https://host/a.git at its HEAD'],
  [
    { url: 'git@host:team/a.git', ref: { tag: 'live' }, folder: 'p/q/' },
    'git git@host:team/a.git at tag live, folder p/q',
  ],
  [{ url: 'TOP/work' }, 'git TOP/work at its committed HEAD'],
  [{ url: 'TOP/work/team/policies' }, 'git TOP/work at its committed HEAD, folder team/policies'],
  [{ url: 'TOP/work/team', folder: './policies' }, 'git TOP/work at its committed HEAD, folder team/policies'],
  [{ url: 'TOP/work/not/there/yet' }, 'git TOP/work at its committed HEAD, folder not/there/yet'],
  [{ url: 'file://TOP/work', ref: { branch: 'main' } }, 'git TOP/work at branch main'],
  [{ url: 'TOP/bare.git', folder: 'team' }, 'git TOP/bare.git at its committed HEAD, folder team'],
  [{ url: 'TOP/work/team', watch: 'folder' }, 'folder TOP/work/team, watched'],
  [{ url: 'folder:TOP/work', folder: 'team' }, 'folder TOP/work/team, watched'],
  [{ url: 'TOP/plain' }, 'folder TOP/plain, watched'],
  [{ url: 'file://TOP/plain', folder: 'sub' }, 'folder TOP/plain/sub, watched'],
  [{ url: 'TOP/none' }, 'folder TOP/none, watched'],
  [{ url: 'TOP/none', ref: { branch: 'main' } }, 'git TOP/none at branch main'],
  [{ url: 'TOP/plain', watch: 'git' }, 'git TOP/plain at its committed HEAD'],
])('%o is %s', (config, expected) => {
  expect(describe(config)).toBe(expected);
});

test.each<[SourceConfig, string]>([
  [{ url: '' }, 'empty'],
  [{ url: '--upload-pack=touch /tmp/x' }, 'no address'],
  [{ url: 'git://host/a' }, 'not supported'],
  [{ url: 'TOP/work', ref: { branch: '--upload-pack=x' } }, 'cannot be the name of a branch'],
  [{ url: 'TOP/work', ref: { commit: 'main' } }, 'no whole SHA'],
  [{ url: 'TOP/work', folder: '../other' }, 'leads out of its repository'],
  [{ url: 'TOP/work', folder: '/etc' }, 'leads out of its repository'],
  [{ url: 'folder:TOP/work', ref: { branch: 'main' } }, 'has no branches'],
  [{ url: 'https://host/a', watch: 'folder' }, 'cannot be watched as a folder'],
])('%o is refused: %s', (config, message) => {
  expect(() => describe(config)).toThrow(
    expect.objectContaining({ code: 'configuration', message: expect.stringContaining(message) }),
  );
});

test('a relative path begins at the working directory', () => {
  for (const url of ['src', './src']) {
    expect(openSource({ url, watch: 'folder' }, top).describe()).toBe(`folder ${join(process.cwd(), 'src')}, watched`);
  }
});
