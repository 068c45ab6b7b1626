import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Revision } from '../../core/model/revision.ts';
import type { PolicySource, SourceReading } from '../policy-source.ts';
import { EMPTY_FOLDER, folderSource } from './folder-source.ts';

const { signal } = new AbortController();
let top: string;
let root: string;
let source: PolicySource;

beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'revertd-folder-'));
  root = join(top, 'policies');
  await mkdir(root);
  source = folderSource({ root, tell: (notice) => expect.unreachable(notice.message) });
});
afterEach(() => rm(top, { recursive: true, force: true }));

async function put(path: string, content: string | Uint8Array = `# ${path}\n`): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}

const read = (accepted?: Revision, ...consented: Revision[]) =>
  source.read({ accepted, consented: new Set(consented) }, signal);

function paths(reading: SourceReading): readonly string[] {
  return reading.state === 'changed' ? reading.snapshot.files.map(({ path }) => path) : [JSON.stringify(reading)];
}

async function revision(): Promise<Revision> {
  const reading = await read();
  if (reading.state === 'changed') return reading.snapshot.revision;
  throw new Error(`expected files, got ${JSON.stringify(reading)}`);
}

test('policy files are read with their bytes, everything else is left', async () => {
  for (const path of ['b.yml', 'sub/a.yaml', 'sub/deep/c.yaml', 'templates/t.md']) await put(path);
  for (const path of ['x.draft.yaml', '.hidden.yaml', '.git/config.yaml', 'sub/.x/a.yaml', 'README.md'])
    await put(path);
  await put('a.yaml', Uint8Array.of(0xff, 0x00));
  const reading = await read();
  expect(paths(reading)).toEqual(['a.yaml', 'b.yml', 'sub/a.yaml', 'sub/deep/c.yaml', 'templates/t.md']);
  expect(reading.state === 'changed' && [...(reading.snapshot.files[0]?.bytes ?? [])]).toEqual([0xff, 0x00]);
});

test('the revision follows content and names, and nothing else', async () => {
  await put('a.yaml', 'one');
  const first = await revision();
  expect(first).toMatch(/^folder:[0-9a-f]{64}$/);
  await put('a.draft.yaml', 'ignored');
  expect(await read(first)).toEqual({ state: 'unchanged', revision: first });
  await put('a.yaml', 'two');
  const second = await revision();
  expect(second).not.toBe(first);
  await rename(join(root, 'a.yaml'), join(root, 'b.yaml'));
  expect(await revision()).not.toBe(second);
  await rename(join(root, 'b.yaml'), join(root, 'a.yaml'));
  await put('a.yaml', 'one');
  expect(await revision()).toBe(first);
});

test('an empty folder is taken at first start, and refused after that until a person consents', async () => {
  expect(paths(await read())).toEqual([]);
  await put('a.yaml');
  const accepted = await revision();
  await rm(join(root, 'a.yaml'));
  await put('templates/left.md');
  expect(await read(accepted)).toMatchObject({
    state: 'refused',
    code: 'emptied',
    revision: EMPTY_FOLDER,
    message: expect.stringContaining(`revertd source accept ${EMPTY_FOLDER}`),
  });
  expect(await read(accepted, EMPTY_FOLDER)).toMatchObject({ state: 'changed', snapshot: { files: [] } });
  expect(await read(EMPTY_FOLDER)).toEqual({ state: 'unchanged', revision: EMPTY_FOLDER });
});

test('a folder that is gone, or a file in its place, is refused', async () => {
  await rm(root, { recursive: true });
  expect(await read()).toMatchObject({ state: 'refused', code: 'folderGone', message: expect.stringContaining(root) });
  await writeFile(root, '');
  expect(await read()).toMatchObject({
    state: 'refused',
    code: 'folderGone',
    message: expect.stringContaining('no folder'),
  });
});

test('links within the folder are followed under their own name, also through hidden folders', async () => {
  await put('..2026/a.yaml', 'mounted');
  await symlink('..2026', join(root, '..data'));
  await symlink('..data/a.yaml', join(root, 'a.yaml'));
  await put('variants/blue.draft.yaml', 'blue');
  await symlink('variants/blue.draft.yaml', join(root, 'active.yaml'));
  await symlink('active.yaml', join(root, 'README.md'));
  const reading = await read();
  expect(paths(reading)).toEqual(['a.yaml', 'active.yaml']);
  const contents =
    reading.state === 'changed' ? reading.snapshot.files.map(({ bytes }) => Buffer.from(bytes).toString()) : [];
  expect(contents).toEqual(['mounted', 'blue']);
});

test.each([
  ['out.yaml', '../outside.yaml', 'linkOutside', 'out.yaml is a link that leads out of the policy folder'],
  ['absolute.yaml', '/etc/passwd', 'linkOutside', 'absolute.yaml is a link that leads out'],
  ['folder', '..', 'linkOutside', 'folder is a link that leads out'],
  ['folder', 'sub', 'unsupportedEntry', 'folder is a link to a folder'],
  ['none.yaml', 'nothing.yaml', 'unsupportedEntry', 'none.yaml is a link that leads nowhere'],
  ['self.yaml', 'self.yaml', 'unsupportedEntry', 'self.yaml is a link that leads back to itself'],
])('the link %s → %s is refused', async (path, target, code, message) => {
  await writeFile(join(top, 'outside.yaml'), 'secret');
  await put('sub/a.yaml');
  await symlink(target, join(root, path));
  expect(await read()).toMatchObject({ state: 'refused', code, message: expect.stringContaining(message) });
});

test('links that nobody loads harm nothing', async () => {
  await put('a.yaml');
  await symlink('/etc/passwd', join(root, '.#a.yaml'));
  await symlink('nothing', join(root, 'notes.txt'));
  expect(paths(await read())).toEqual(['a.yaml']);
});

test('a pipe in the place of a policy is refused instead of waited for', async () => {
  execFileSync('mkfifo', [join(root, 'a.yaml')]);
  expect(await read()).toMatchObject({ state: 'refused', code: 'unsupportedEntry' });
});

test('a name that is not UTF-8 is refused', async () => {
  await writeFile(Buffer.concat([Buffer.from(`${root}/`), Buffer.of(0xff), Buffer.from('.yaml')]), '');
  expect(await read()).toMatchObject({
    state: 'refused',
    code: 'unsupportedEntry',
    message: expect.stringContaining('UTF-8'),
  });
});

test('an aborted reading rejects with the reason', async () => {
  await put('a.yaml');
  const reason = new Error('shutting down');
  await expect(source.read({ accepted: undefined, consented: new Set() }, AbortSignal.abort(reason))).rejects.toBe(
    reason,
  );
});

test('it says what it reads', () => {
  expect(source.describe()).toBe(`folder ${root}, watched`);
});

/** Resolves at the next hint; what happened before the call does not count. */
function hints(): { next: () => Promise<void>; stop: () => Promise<void> } {
  let wake: () => void = () => {};
  const stop = source.watch?.(() => wake());
  return {
    next: () =>
      new Promise((resolve) => {
        wake = resolve;
      }),
    stop: async () => stop?.(),
  };
}

/** Waits until a reading after a hint satisfies; hints may be more than the changes. */
async function until(next: () => Promise<void>, satisfied: (reading: SourceReading) => boolean): Promise<void> {
  for (;;) {
    const hinted = next();
    if (satisfied(await read())) return;
    await hinted;
  }
}

test('a hint comes for each change, also after the folder was gone', async () => {
  const watching = hints();
  await watching.next();
  const sees = (expected: readonly string[]) => (reading: SourceReading) =>
    paths(reading).join(' ') === expected.join(' ');

  await put('a.yaml');
  await until(watching.next, sees(['a.yaml']));
  await put('new/b.yaml');
  await until(watching.next, sees(['a.yaml', 'new/b.yaml']));
  const before = await revision();
  await writeFile(join(root, 'new/b.yaml.tmp'), 'replaced');
  await rename(join(root, 'new/b.yaml.tmp'), join(root, 'new/b.yaml'));
  await until(watching.next, (reading) => reading.state === 'changed' && reading.snapshot.revision !== before);
  await rm(root, { recursive: true });
  await until(watching.next, (reading) => reading.state === 'refused');
  await put('c.yaml');
  await until(watching.next, sees(['c.yaml']));
  await put('c.yaml', 'again');
  await watching.next();
  expect(await readFile(join(root, 'c.yaml'), 'utf8')).toBe('again');
  await watching.stop();
});
