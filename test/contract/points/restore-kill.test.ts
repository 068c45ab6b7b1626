import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import type { Snapshot } from '../../../src/core/model/point.ts';
import type { MergeOrder } from '../../../src/drivers/targets/target-driver.ts';
import { CapturedStage } from '../../support/points/captured-stage.ts';

const PROGRAM = join(import.meta.dirname, '../../support/points/restore-process.ts');
let stage: CapturedStage;
afterEach(() => stage.close());

function restoreUntil(snapshot: Snapshot, boundary: string, passage: number, merge?: MergeOrder) {
  const texts = [JSON.stringify(stage.target), JSON.stringify(snapshot)];
  const args = [
    '--disable-warning=ExperimentalWarning',
    PROGRAM,
    stage.store.folder,
    ...texts,
    boundary,
    String(passage),
    ...(merge === undefined ? [] : [JSON.stringify(merge)]),
  ];
  return spawnSync(process.execPath, args, { encoding: 'utf8' }).signal;
}

describe('trees of files, whose restore is killed', () => {
  test.each([
    ['staged', 1, 6],
    ['ready', 1, 6],
    ['removed', 1, 6],
    ['removed', 3, 6],
    ['changed', 1, 6],
    ['changed', 4, 6],
    ['placed', 1, 6],
    // So many are renamed by a thread, in two runs.
    ['ready', 1, 300],
    ['removed', 3, 300],
    ['changed', 1, 300],
    ['changed', 256, 300],
    ['placed', 1, 300],
  ])(
    'at %s, passage %i, of %i files: each is old or new, and doing it again finishes it',
    async (boundary, passage, count) => {
      stage = await CapturedStage.open((live) => ({
        kind: 'files',
        paths: [join(live, 'app')],
        exclude: [],
        oneFileSystem: false,
      }));
      const app = join(stage.live, 'app');
      const names = Array.from({ length: count }, (_, index) => `file-${index}`);
      mkdirSync(join(app, 'sub'), { recursive: true });
      for (const name of names) writeFileSync(join(app, name), `old ${name}`.repeat(500));
      const snapshot = await stage.capture();
      for (const name of names) writeFileSync(join(app, name), `new ${name}`.repeat(300));
      for (const name of ['x', 'y', 'z']) writeFileSync(join(app, 'sub', name), 'to be removed');
      const outcomes = names.map((name) => [`old ${name}`.repeat(500), `new ${name}`.repeat(300)]);
      expect(restoreUntil(snapshot, boundary, passage)).toBe('SIGKILL');
      for (const [index, name] of names.entries())
        expect(outcomes[index]).toContain(readFileSync(join(app, name), 'utf8'));
      expect(await stage.observe(snapshot)).toBe(boundary === 'placed' ? 'done' : 'notDone');
      expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
      expect((await stage.capture()).fingerprint).toBe(snapshot.fingerprint);
    },
  );
});

describe('trees of files, whose merge is killed', () => {
  test.each([
    ['staged', 1],
    ['ready', 1],
    ['removed', 1],
    ['removed', 2],
    ['removed', 3],
    ['removed', 4],
    ['changed', 1],
    ['changed', 2],
    ['changed', 4],
    ['changed', 6],
    ['placed', 1],
  ])('at %s, passage %i: each is old or merged, and doing it again finishes it', async (boundary, passage) => {
    stage = await CapturedStage.open((live) => ({
      kind: 'files',
      paths: [join(live, 'app')],
      exclude: [],
      oneFileSystem: false,
    }));
    const app = join(stage.live, 'app');
    mkdirSync(app);
    const put = (name: string, text: string) => writeFileSync(join(app, name), text);
    for (const name of ['a', 'b', 'c']) put(name, `good ${name}\n\n\nend\n`);
    put('was-file', 'file');
    mkdirSync(join(app, 'was-folder'));
    put('was-folder/in', 'in');
    const snapshot = await stage.capture();
    for (const name of ['a', 'b', 'c']) put(name, `bad ${name}\n\n\nend\n`);
    rmSync(join(app, 'was-file'));
    mkdirSync(join(app, 'was-file'));
    put('was-file/in', 'in');
    rmSync(join(app, 'was-folder'), { recursive: true });
    put('was-folder', 'file');
    put('junk', 'junk');
    const ancestor = await stage.capture();
    for (const name of ['a', 'b', 'c']) put(name, `bad ${name}\n\n\nmine\n`);
    put('mine', 'mine');
    const merge = { conflicts: 'abort', ancestor } as const;
    expect(restoreUntil(snapshot, boundary, passage, merge)).toBe('SIGKILL');
    for (const name of ['a', 'b', 'c']) {
      const found = readFileSync(join(app, name), 'utf8');
      expect([`bad ${name}\n\n\nmine\n`, `good ${name}\n\n\nmine\n`]).toContain(found);
    }
    expect(await stage.merge(snapshot, ancestor, 'abort')).toMatchObject({ merge: { end: 'completed', conflicts: 0 } });
    const text = (name: string) => readFileSync(join(app, name), 'utf8');
    expect(readdirSync(app)).toStrictEqual(['a', 'b', 'c', 'mine', 'was-file', 'was-folder']);
    expect(['a', 'b', 'c', 'mine', 'was-file', 'was-folder/in'].map(text)).toStrictEqual([
      ...['a', 'b', 'c'].map((name) => `good ${name}\n\n\nmine\n`),
      'mine',
      'file',
      'in',
    ]);
    const { fingerprint } = await stage.capture();
    expect(await stage.merge(snapshot, ancestor, 'abort')).toMatchObject({ merge: { end: 'completed' } });
    expect((await stage.capture()).fingerprint).toBe(fingerprint);
    expect(stage.remains()).toStrictEqual([]);
  });
});

describe('a database, whose restore is killed', () => {
  test.each([
    ['staged', ['old', 'new']],
    ['settled', ['old', 'new']],
    ['placed', ['old']],
  ])('at %s: it is whole, and doing it again finishes it', async (boundary, expected) => {
    stage = await CapturedStage.open((live) => ({ kind: 'sqlite', path: join(live, 'app.db') }));
    const path = join(stage.live, 'app.db');
    const first = new DatabaseSync(path);
    first.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (name); INSERT INTO t VALUES ('old')");
    const snapshot = await stage.capture();
    first.exec("INSERT INTO t VALUES ('new')");
    // The service is killed, so its -wal stays.
    const [main, wal] = [readFileSync(path), readFileSync(`${path}-wal`)];
    first.close();
    writeFileSync(path, main);
    writeFileSync(`${path}-wal`, wal);
    rmSync(`${path}-shm`, { force: true });
    expect(restoreUntil(snapshot, boundary, 1)).toBe('SIGKILL');
    const found = new DatabaseSync(path);
    expect(
      found
        .prepare('SELECT name FROM t')
        .all()
        .map(({ name }) => name),
    ).toStrictEqual(expected);
    found.close();
    expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
    expect(await stage.observe(snapshot)).toBe('done');
    expect(stage.remains()).toStrictEqual([]);
  });
});
