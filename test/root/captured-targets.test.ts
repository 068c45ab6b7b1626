import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import type { TargetType } from '../../src/core/model/target.ts';
import { openContentStore } from '../../src/store/content/content-store.ts';
import { CapturedStage } from '../support/points/captured-stage.ts';

const NOBODY = 65_534;

async function opened(typeOf: (live: string) => TargetType, within?: string): Promise<CapturedStage> {
  const stage = await CapturedStage.open(typeOf, within === undefined ? {} : { within });
  onTestFinished(() => stage.close());
  return stage;
}

const files = (live: string): TargetType => ({
  kind: 'files',
  paths: [join(live, 'app')],
  exclude: [],
  oneFileSystem: false,
});

function smallDisk(size: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'revertd-small-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  onTestFinished(() => {
    execFileSync('umount', [folder]);
    rmSync(folder, { recursive: true });
  });
  return folder;
}

test('owners are kept, of files, folders and links', async () => {
  const stage = await opened(files);
  const app = join(stage.live, 'app');
  mkdirSync(join(app, 'sub'), { recursive: true });
  writeFileSync(join(app, 'sub/file'), 'x');
  chownSync(join(app, 'sub/file'), NOBODY, 12);
  chmodSync(join(app, 'sub/file'), 0o4750);
  chownSync(join(app, 'sub'), 33, 33);
  execFileSync('ln', ['-s', 'file', join(app, 'link')]);
  execFileSync('chown', ['-h', '33:12', join(app, 'link')]);
  const snapshot = await stage.capture();
  rmSync(app, { recursive: true });
  expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
  const owners = ['sub/file', 'sub', 'link'].map((name) => lstatSync(join(app, name)));
  expect(owners.map(({ uid, gid }) => [uid, gid])).toStrictEqual([
    [NOBODY, 12],
    [33, 33],
    [33, 12],
  ]);
  expect((owners[0]?.mode ?? 0) & 0o7777).toBe(0o4750);
});

test('links that somebody plants in a tree of his own lead root nowhere', async () => {
  const stage = await opened(files);
  const app = join(stage.live, 'app');
  const victim = join(stage.folder, 'victim');
  mkdirSync(join(app, 'etc/deep'), { recursive: true });
  for (const name of ['etc/shadow', 'etc/deep/file', 'top']) writeFileSync(join(app, name), 'of the snapshot');
  const snapshot = await stage.capture();
  mkdirSync(join(victim, 'deep'), { recursive: true });
  for (const name of ['shadow', 'deep/file', 'extra']) writeFileSync(join(victim, name), 'of the victim');
  chmodSync(join(victim, 'shadow'), 0o600);
  rmSync(join(app, 'etc'), { recursive: true });
  rmSync(join(app, 'top'));
  symlinkSync(victim, join(app, 'etc'));
  symlinkSync(join(victim, 'shadow'), join(app, 'top'));
  symlinkSync(victim, join(app, `.revertd-stage-0000000000000000`));
  expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
  const theirs = ['shadow', 'deep/file', 'extra'].map((name) => readFileSync(join(victim, name), 'utf8'));
  expect(theirs).toStrictEqual(['of the victim', 'of the victim', 'of the victim']);
  expect(statSync(join(victim, 'shadow')).mode & 0o777).toBe(0o600);
  expect(lstatSync(join(app, 'etc')).isDirectory()).toBe(true);
  expect(readFileSync(join(app, 'top'), 'utf8')).toBe('of the snapshot');
});

test('a folder that becomes a link while it is restored leads root nowhere', async () => {
  const stage = await opened(files);
  const app = join(stage.live, 'app');
  const victim = join(stage.folder, 'victim');
  mkdirSync(join(app, 'etc'), { recursive: true });
  mkdirSync(victim);
  writeFileSync(join(app, 'etc/conf'), 'of the snapshot');
  writeFileSync(join(victim, 'conf'), 'of the victim');
  const snapshot = await stage.capture();
  writeFileSync(join(app, 'etc/conf'), 'changed');
  const { filesTarget } = await import('../../src/drivers/targets/files/index.ts');
  const { createAllowList } = await import('../../src/drivers/allow-list.ts');
  const { createSecretResolver } = await import('../../src/drivers/secrets.ts');
  const swap = (boundary: string) => {
    if (boundary !== 'ready') return;
    renameSync(join(app, 'etc'), join(app, 'moved'));
    symlinkSync(victim, join(app, 'etc'));
  };
  const driver = filesTarget({ allow: createAllowList({}), secrets: createSecretResolver({}), at: swap });
  const outcome = await driver.restore({ target: stage.target, to: 'p', paths: [], snapshot }, stage.restoreContext());
  expect(outcome.outcome).toBe('failed');
  expect(readFileSync(join(victim, 'conf'), 'utf8')).toBe('of the victim');
});

test('what may not be read fails the capture, which says what it is', async () => {
  const stage = await opened(files);
  const app = join(stage.live, 'app');
  mkdirSync(app);
  writeFileSync(join(app, 'readable'), 'x');
  writeFileSync(join(app, 'secret'), 'x');
  chmodSync(join(app, 'secret'), 0o600);
  execFileSync('chown', ['-R', String(NOBODY), stage.folder]);
  chownSync(join(app, 'secret'), 0, 0);
  process.seteuid?.(NOBODY);
  try {
    const store = await openContentStore(join(stage.folder, 'points'), { compression: 'none' });
    const outcome = await stage.points.capture(stage.target, stage.captureContext({ store }));
    expect(outcome).toStrictEqual({ outcome: 'failed', detail: `${join(app, 'secret')}: permission denied` });
  } finally {
    process.seteuid?.(0);
  }
});

test('a full disk leaves nothing half in the store, and what was there is whole', async () => {
  const disk = smallDisk('8m');
  const store = await openContentStore(join(disk, 'points'), { compression: 'none' });
  const stage = await opened(files);
  const app = join(stage.live, 'app');
  mkdirSync(app);
  writeFileSync(join(app, 'small'), 'x'.repeat(100_000));
  const kept = await stage.capture({ store });
  for (let index = 0; index < 200; index += 1) writeFileSync(join(app, `more-${index}`), String(index).repeat(30_000));
  const outcome = await stage.points.capture(stage.target, stage.captureContext({ store }));
  expect(outcome.outcome).toBe('failed');
  expect(outcome.detail).toContain('no space is left');
  await store.collect([kept.manifest], new AbortController().signal);
  expect(await stage.points.verify(stage.target, kept, stage.pointContext({ store }))).toMatchObject({
    outcome: 'valid',
  });
  expect(readdirSync(join(disk, 'points/tmp'))).toStrictEqual([]);
  expect(await store.size()).toBeLessThan(200_000);
});

test('a restore that has no room changes nothing, of files and of databases', async () => {
  const disk = smallDisk('12m');
  const trees = await opened(files, disk);
  const elsewhere = await openContentStore(join(mkdtempSync(join(tmpdir(), 'revertd-points-')), 'points'), {
    compression: 'none',
  });
  const app = join(trees.live, 'app');
  mkdirSync(app);
  writeFileSync(join(app, 'large'), Buffer.alloc(5_000_000, 1));
  const snapshot = await trees.capture({ store: elsewhere });
  writeFileSync(join(app, 'large'), Buffer.alloc(5_000_000, 2));
  writeFileSync(join(disk, 'rest'), Buffer.alloc(4_000_000));
  const outcome = await trees.restore(snapshot, [], { store: elsewhere });
  expect(outcome.detail).toMatch(/needs \d+ bytes, and \d+ are free; nothing was changed/);
  expect(readFileSync(join(app, 'large'))[0]).toBe(2);
  expect(trees.remains()).toStrictEqual([]);
  rmSync(join(disk, 'rest'));
  expect(await trees.restore(snapshot, [], { store: elsewhere })).toMatchObject({ outcome: 'done' });
  rmSync(join(elsewhere.folder, '..'), { recursive: true });
});

test('a database keeps its owner, also when root puts it back', async () => {
  const stage = await opened((live) => ({ kind: 'sqlite', path: join(live, 'app.db') }));
  const path = join(stage.live, 'app.db');
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES ('old')");
  database.close();
  chownSync(path, NOBODY, 12);
  chmodSync(path, 0o640);
  const snapshot = await stage.capture();
  rmSync(path);
  expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
  const { uid, gid, mode } = statSync(path);
  expect([uid, gid, mode & 0o777, readdirSync(stage.live)]).toStrictEqual([NOBODY, 12, 0o640, ['app.db']]);
});

test('a file system that is mounted within a tree is left out if it is to be, and otherwise restored', async () => {
  const stage = await opened(files);
  const app = join(stage.live, 'app');
  const inner = join(app, 'inner');
  mkdirSync(inner, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', inner]);
  onTestFinished(() => void execFileSync('umount', [inner]));
  writeFileSync(join(inner, 'file'), 'before');
  const snapshot = await stage.capture();
  writeFileSync(join(inner, 'file'), 'after');
  expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
  expect(readFileSync(join(inner, 'file'), 'utf8')).toBe('before');
});
