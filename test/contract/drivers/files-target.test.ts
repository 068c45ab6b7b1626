import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FilesTarget } from '../../../src/core/model/target.ts';
import { CapturedStage, totals } from '../../support/points/captured-stage.ts';

let stage: CapturedStage;
let app: string;

async function begin(change: Partial<FilesTarget> = {}, paths = ['app']): Promise<void> {
  stage = await CapturedStage.open((live) => ({
    kind: 'files',
    paths: paths.map((path) => join(live, path)),
    exclude: [],
    oneFileSystem: false,
    ...change,
  }));
  app = join(stage.live, 'app');
  mkdirSync(app);
}

beforeEach(() => begin());
afterEach(() => stage.close(), 60_000);

const write = (name: string, text: string | Buffer = name) => writeFileSync(join(app, name), text);
const read = (name: string) => readFileSync(join(app, name), 'utf8');

describe('what is kept', () => {
  test('of names: every byte of them', async () => {
    const names = [
      Buffer.from('new\nline'),
      Buffer.from('quote"\\'),
      Buffer.from([0xff, 0xfe, 0x41]),
      Buffer.from('ümlaut'),
      Buffer.from('-rf'),
      Buffer.from(' '),
      Buffer.from('x'.repeat(255)),
    ];
    for (const name of names) writeFileSync(Buffer.concat([Buffer.from(`${app}/`), name]), name);
    const snapshot = await stage.capture();
    rmSync(app, { recursive: true });
    expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
    const found = readdirSync(app, { encoding: 'buffer' });
    expect(found.map((name) => name.toString('hex')).sort()).toStrictEqual(
      names.map((name) => name.toString('hex')).sort(),
    );
    for (const name of names)
      expect(readFileSync(Buffer.concat([Buffer.from(`${app}/`), name])).equals(name)).toBe(true);
  });

  test('of files: mode and time; of folders too', async () => {
    mkdirSync(join(app, 'closed'));
    write('closed/script', '#!/bin/sh\n');
    chmodSync(join(app, 'closed/script'), 0o4751);
    utimesSync(join(app, 'closed/script'), 1_600_000_000.123_456, 1_600_000_000.123_456);
    chmodSync(join(app, 'closed'), 0o700);
    utimesSync(join(app, 'closed'), 1_500_000_000, 1_500_000_000);
    const before = statSync(join(app, 'closed/script'), { bigint: true });
    const snapshot = await stage.capture();
    write('closed/script', 'other');
    chmodSync(join(app, 'closed/script'), 0o644);
    chmodSync(join(app, 'closed'), 0o755);
    await stage.restore(snapshot);
    const after = statSync(join(app, 'closed/script'), { bigint: true });
    expect([after.mode, after.mtimeNs / 1_000n]).toStrictEqual([before.mode, before.mtimeNs / 1_000n]);
    const folder = statSync(join(app, 'closed'));
    expect([folder.mode & 0o7777, folder.mtimeMs]).toStrictEqual([0o700, 1_500_000_000_000]);
  });

  test('of links: where they lead, not what is there', async () => {
    writeFileSync(join(stage.live, 'outside'), 'outside');
    symlinkSync('../outside', join(app, 'link'));
    symlinkSync('nowhere', join(app, 'dangling'));
    lutimesSync(join(app, 'link'), 1_500_000_000, 1_500_000_000);
    const snapshot = await stage.capture();
    for (const name of ['link', 'dangling']) rmSync(join(app, name));
    write('link', 'no link');
    expect(totals(await stage.diff(snapshot))).toStrictEqual({ added: 0, removed: 1, changed: 1 });
    await stage.restore(snapshot);
    expect([readlinkSync(join(app, 'link')), readlinkSync(join(app, 'dangling'))]).toStrictEqual([
      '../outside',
      'nowhere',
    ]);
    expect(readFileSync(join(stage.live, 'outside'), 'utf8')).toBe('outside');
  });

  test('of files with several names: that they are one', async () => {
    write('one', 'content');
    linkSync(join(app, 'one'), join(app, 'two'));
    linkSync(join(app, 'one'), join(app, 'zwei'));
    const snapshot = await stage.capture();
    rmSync(join(app, 'one'));
    write('two', 'changed');
    await stage.restore(snapshot);
    const inodes = ['one', 'two', 'zwei'].map((name) => statSync(join(app, name)).ino);
    expect(new Set(inodes).size).toBe(1);
    expect(read('zwei')).toBe('content');
    expect((await stage.capture()).fingerprint).toBe(snapshot.fingerprint);
  });

  test('of pipes: that they are there; they are neither opened nor touched', async () => {
    execFileSync('mkfifo', [join(app, 'pipe')]);
    write('a');
    const snapshot = await stage.capture();
    expect(snapshot.detail).toContain('1 pipe(s)');
    write('a', 'other');
    execFileSync('mkfifo', [join(app, 'new-pipe')]);
    expect(await stage.restore(snapshot)).toMatchObject({ detail: expect.stringContaining('left as they are') });
    expect(lstatSync(join(app, 'new-pipe')).isFIFO()).toBe(true);
    rmSync(join(app, 'pipe'));
    expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
    expect(await stage.observe(snapshot)).toBe('done');
  });
});

describe('a capture', () => {
  test('does not read what did not change', async () => {
    for (let index = 0; index < 50; index += 1) write(`file-${index}`);
    const first = await stage.capture();
    // If it were opened, it would be seen that its content is another: this time is set back after a write.
    write('file-7', 'new content');
    const second = await stage.capture({ previous: first });
    expect(second.detail).toContain('49 of them unchanged');
    const third = await stage.capture({ previous: second });
    expect(third.detail).toContain('50 of them unchanged');
    expect(third.fingerprint).toBe(second.fingerprint);
  });

  test('sees a change that keeps size and time', async () => {
    write('a', 'before');
    const { atimeMs, mtimeMs } = statSync(join(app, 'a'));
    const first = await stage.capture();
    write('a', 'after!');
    utimesSync(join(app, 'a'), atimeMs / 1_000, mtimeMs / 1_000);
    const second = await stage.capture({ previous: first });
    expect(second.fingerprint).not.toBe(first.fingerprint);
  });

  test('reads again what the store has lost', async () => {
    write('a', 'text'.repeat(1_000));
    const first = await stage.capture();
    for (const path of stage.blobs()) if (statSync(path).size < 150) rmSync(path);
    stage.store = await (await import('../../../src/store/content/content-store.ts')).openContentStore(
      stage.store.folder,
      {
        compression: 'zstd',
      },
    );
    const second = await stage.capture({ previous: first });
    expect(await stage.points.verify(stage.target, second, stage.pointContext())).toMatchObject({ outcome: 'valid' });
  });

  test('says which files changed each time while they were read', async () => {
    write('steady');
    write('busy', 'x'.repeat(100));
    const { begin: beginCapture } = stage.store;
    let turn = 0;
    const session = await beginCapture.call(stage.store, { operation: 'inner', signal: new AbortController().signal });
    const put: typeof session.put = async (content) => {
      turn += 1;
      const ref = await session.put(content);
      if (ref.bytes >= 100) write('busy', 'x'.repeat(100 + turn));
      return ref;
    };
    const store = Object.assign(Object.create(stage.store) as typeof stage.store, {
      // A file that changes is never taken the short way.
      begin: async () =>
        await Promise.resolve({ ...session, put, takeFile: () => Promise.resolve(undefined), previous: undefined }),
    });
    const outcome = await stage.points.capture(stage.target, stage.captureContext({ store }));
    expect(outcome.detail).toContain(`1 changed each time while read (${join(app, 'busy')})`);
  });

  test('leaves out what is excluded, and a restore leaves it alone', async () => {
    stage.close();
    await begin({ exclude: ['*.log', 'cache/**', '/**/tmp'] });
    mkdirSync(join(app, 'cache'));
    mkdirSync(join(app, 'sub/tmp'), { recursive: true });
    for (const name of ['a', 'a.log', 'sub/b.log', 'cache/x', 'sub/tmp/y', 'sub/z']) write(name);
    const snapshot = await stage.capture();
    expect(snapshot.detail).toContain('2 files');
    for (const name of ['a', 'a.log', 'cache/x', 'sub/tmp/y', 'sub/new', 'sub/new.log']) write(name, 'new');
    mkdirSync(join(app, 'later'));
    write('later/only.log');
    expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
    expect(['a', 'a.log', 'cache/x', 'sub/tmp/y', 'sub/z', 'later/only.log'].map(read)).toStrictEqual([
      'a',
      'new',
      'new',
      'new',
      'sub/z',
      'later/only.log',
    ]);
    expect(readdirSync(join(app, 'sub')).sort()).toStrictEqual(['b.log', 'new.log', 'tmp', 'z']);
    expect(await stage.observe(snapshot)).toBe('done');
  });

  test('of what is no longer there at all fails', async () => {
    rmSync(app, { recursive: true });
    const outcome = await stage.points.capture(stage.target, stage.captureContext());
    expect(outcome).toStrictEqual({ outcome: 'failed', detail: `${app} does not exist` });
  });

  test('of a link fails, and says what to name', async () => {
    renameSync(app, join(stage.live, 'real'));
    symlinkSync('real', app);
    const outcome = await stage.points.capture(stage.target, stage.captureContext());
    expect(outcome.detail).toContain("is a link; name what it leads to as the target's path");
  });

  test('of a single file and of several paths', async () => {
    stage.close();
    await begin({}, ['app', 'one.conf']);
    write('a');
    const conf = join(stage.live, 'one.conf');
    writeFileSync(conf, 'before');
    const snapshot = await stage.capture();
    writeFileSync(conf, 'after');
    write('b');
    expect((await stage.diff(snapshot)).groups.map(({ name, added, changed }) => [name, added, changed])).toStrictEqual(
      [
        [app, 1, 0],
        [conf, 0, 1],
      ],
    );
    await stage.restore(snapshot);
    expect([readFileSync(conf, 'utf8'), readdirSync(app)]).toStrictEqual(['before', ['a']]);
    rmSync(conf);
    await stage.restore(snapshot, [conf]);
    expect(readFileSync(conf, 'utf8')).toBe('before');
    expect(await stage.restore(snapshot, ['a'])).toMatchObject({ detail: expect.stringContaining('absolute path') });
  });

  test('of 10,000 small files in one folder', async () => {
    for (let index = 0; index < 10_000; index += 1) write(`${index}`, `${index}`);
    const snapshot = await stage.capture();
    expect(snapshot.detail).toContain('10000 files');
    const second = await stage.capture({ previous: snapshot });
    expect(second.detail).toContain('10000 of them unchanged');
    expect(await stage.store.collect([second.manifest], new AbortController().signal)).toMatchObject({ blobs: 0 });
  }, 120_000);
});

describe('a restore', () => {
  test('of a part changes nothing else', async () => {
    mkdirSync(join(app, 'etc/deep'), { recursive: true });
    for (const name of ['a', 'b', 'etc/c', 'etc/deep/d']) write(name);
    const snapshot = await stage.capture();
    rmSync(join(app, 'etc'), { recursive: true });
    for (const name of ['a', 'b']) write(name, 'changed');
    expect(await stage.restore(snapshot, ['a', join(app, 'etc/deep')])).toMatchObject({ outcome: 'done' });
    expect([read('a'), read('b'), read('etc/deep/d'), readdirSync(join(app, 'etc'))]).toStrictEqual([
      'a',
      'changed',
      'etc/deep/d',
      ['deep'],
    ]);
    expect(await stage.observe(snapshot, ['a', 'etc/deep'])).toBe('done');
    expect(await stage.observe(snapshot)).toBe('notDone');
  });

  test('of a part that the snapshot does not have says so, and changes nothing', async () => {
    write('a');
    const snapshot = await stage.capture();
    write('a', 'changed');
    for (const path of ['b', '/etc/passwd', '../outside']) {
      expect(await stage.restore(snapshot, ['a', path])).toMatchObject({ outcome: 'failed' });
    }
    expect(read('a')).toBe('changed');
  });

  test('turns anything into anything else', async () => {
    mkdirSync(join(app, 'folder/sub'), { recursive: true });
    write('folder/sub/x');
    write('file');
    symlinkSync('file', join(app, 'link'));
    const snapshot = await stage.capture();
    rmSync(join(app, 'folder'), { recursive: true });
    rmSync(join(app, 'file'));
    rmSync(join(app, 'link'));
    write('folder', 'now a file');
    mkdirSync(join(app, 'link/with'), { recursive: true });
    write('link/with/content');
    symlinkSync('/etc', join(app, 'file'));
    expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
    expect([read('folder/sub/x'), read('file'), readlinkSync(join(app, 'link'))]).toStrictEqual([
      'folder/sub/x',
      'file',
      'file',
    ]);
    expect((await stage.capture()).fingerprint).toBe(snapshot.fingerprint);
  });

  test('leaves a folder that is a link now alone, and what it leads to', async () => {
    mkdirSync(join(app, 'etc'));
    write('etc/conf', 'ours');
    const snapshot = await stage.capture();
    rmSync(join(app, 'etc'), { recursive: true });
    mkdirSync(join(stage.live, 'victim'));
    writeFileSync(join(stage.live, 'victim/conf'), 'theirs');
    symlinkSync('../victim', join(app, 'etc'));
    expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
    expect([readFileSync(join(stage.live, 'victim/conf'), 'utf8'), read('etc/conf')]).toStrictEqual(['theirs', 'ours']);
  });

  test('takes what an earlier one has left away', async () => {
    write('a');
    const snapshot = await stage.capture();
    mkdirSync(join(app, '.revertd-stage-0123456789abcdef'));
    write('.revertd-stage-0123456789abcdef/1');
    write('a', 'changed');
    await stage.restore(snapshot);
    expect(await stage.observe(snapshot)).toBe('done');
    expect(read('a')).toBe('a');
  });

  test('of paths that the target no longer has is refused', async () => {
    write('a');
    const snapshot = await stage.capture();
    const target = { ...stage.target, type: { ...stage.target.type, paths: ['/srv/other'] } as FilesTarget };
    const outcome = await stage.driver.restore({ target, to: 'point', paths: [], snapshot }, stage.restoreContext());
    expect(outcome.detail).toContain('which target has no longer');
  });
});

test('a diff has the lines of small text, and counts what it does not show', async () => {
  write('conf', 'a\nb\nc\n');
  write('binary', Buffer.from([0, 1, 2]));
  const snapshot = await stage.capture();
  write('conf', 'a\nB\nc\n');
  write('binary', Buffer.from([0, 1, 3]));
  chmodSync(join(app, 'binary'), 0o600);
  for (let index = 0; index < 250; index += 1) write(`new-${index}`);
  const [group] = (await stage.diff(snapshot)).groups;
  expect(group).toMatchObject({ added: 250, changed: 2, isCut: true });
  expect(group?.items).toHaveLength(200);
  const conf = group?.items.find(({ what }) => what === 'conf');
  expect(conf?.lines).toContain('-b\n+B\n');
  expect(group?.items.find(({ what }) => what === 'binary')).toMatchObject({
    detail: 'content, 3 bytes, mode 644 → 600, time',
  });
});
