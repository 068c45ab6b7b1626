import { execFileSync } from 'node:child_process';
import { hash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Snapshot } from '../../src/core/model/point.ts';
import type { TargetType } from '../../src/core/model/target.ts';
import { openContentStore } from '../../src/store/content/content-store.ts';
import { CapturedStage } from '../support/points/captured-stage.ts';

const KIB = 1024;
/** Where SQLite cannot make a file it says no more. */
const NO_ROOM = /no space is left|are free|full|unable to open database file/;
const SIGNAL = new AbortController().signal;
let disk: string;

beforeEach(() => {
  disk = mkdtempSync(join(tmpdir(), 'revertd-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,nr_inodes=400', 'tmpfs', disk]);
});
afterEach(() => {
  execFileSync('umount', [disk]);
  rmSync(disk, { recursive: true });
});

/** Leaves so many bytes of the disk, and takes the rest. */
function leave(bytes: number): void {
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(join(disk, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize - bytes)));
}

/** Leaves so many files, whatever their size. */
function leaveFiles(count: number): void {
  const { ffree } = statfsSync(disk);
  mkdirSync(join(disk, 'fillers'));
  for (let index = 0; index < ffree - 1 - count; index += 1) writeFileSync(join(disk, 'fillers', String(index)), '');
}

function makeRoom(): void {
  for (const name of ['filler', 'fillers']) rmSync(join(disk, name), { recursive: true, force: true });
}

const files = (live: string): TargetType => ({
  kind: 'files',
  paths: [join(live, 'app')],
  exclude: [],
  oneFileSystem: false,
});
const database = (live: string): TargetType => ({ kind: 'sqlite', path: join(live, 'app.db') });

function writeTree(app: string): void {
  mkdirSync(app, { recursive: true });
  for (let index = 0; index < 40; index += 1) writeFileSync(join(app, `file-${index}`), randomBytes(6 * KIB));
}

function writeDatabase(path: string): void {
  rmSync(path, { force: true });
  const app = new DatabaseSync(path);
  app.exec('CREATE TABLE t (a)');
  const insert = app.prepare('INSERT INTO t VALUES (?)');
  for (let index = 0; index < 40; index += 1) insert.run(randomBytes(6 * KIB));
  app.close();
}

async function storeOn(stage: CapturedStage) {
  stage.store = await openContentStore(join(disk, 'points'), { compression: 'zstd' });
}

async function isWhole(stage: CapturedStage, { manifest }: Pick<Snapshot, 'manifest'>): Promise<boolean> {
  return (await stage.store.verify(manifest, { signal: SIGNAL })).faults.length === 0;
}

/** A capture while the disk of the store has too little of something; says whether it was done. */
async function captureInvain(stage: CapturedStage, earlier: Snapshot): Promise<boolean> {
  const context = stage.captureContext();
  const outcome = await stage.points.capture(stage.target, context);
  expect(outcome.outcome === 'failed' ? outcome.detail : 'full, or nearly').toMatch(NO_ROOM);
  makeRoom();
  const manifests = [earlier.manifest, ...(outcome.outcome === 'done' ? [outcome.snapshot.manifest] : [])];
  for (const manifest of manifests) expect(await isWhole(stage, { manifest })).toBe(true);
  stage.store.release(context.operation);
  expect(readdirSync(join(disk, 'points/scratch'))).toStrictEqual([]);
  await stage.store.collect([earlier.manifest], SIGNAL);
  expect(readdirSync(join(disk, 'points/tmp'))).toStrictEqual([]);
  expect(readdirSync(join(disk, 'points/manifests'))).toHaveLength(1);
  return outcome.outcome === 'done';
}

describe.each([
  ['files', files, (live: string) => writeTree(join(live, 'app'))],
  ['a database', database, (live: string) => writeDatabase(join(live, 'app.db'))],
] as const)('of %s', (_name, typeOf, write) => {
  test('a capture meets the end of the disk at any byte: whole or not at all, and the point before stays', async () => {
    const stage = await CapturedStage.open(typeOf);
    try {
      await storeOn(stage);
      write(stage.live);
      const earlier = await stage.capture();
      const outcomes = new Set<boolean>();
      for (let free = 0; free <= 720; free += 40) {
        write(stage.live);
        leave(free * KIB);
        outcomes.add(await captureInvain(stage, earlier));
      }
      expect(outcomes).toStrictEqual(new Set([false, true]));
    } finally {
      stage.close();
    }
  });

  test('a capture meets the end of the inodes at any file', async () => {
    const stage = await CapturedStage.open(typeOf);
    try {
      await storeOn(stage);
      write(stage.live);
      const earlier = await stage.capture();
      const outcomes = new Set<boolean>();
      for (let left = 0; left <= 100; left += left < 6 ? 1 : 10) {
        write(stage.live);
        leaveFiles(left);
        outcomes.add(await captureInvain(stage, earlier));
      }
      expect(outcomes).toStrictEqual(new Set([false, true]));
    } finally {
      stage.close();
    }
  });
});

/** What is live, byte for byte. */
function contentOf(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    names.map(({ parentPath, name }) => [join(parentPath, name), hash('sha256', readFileSync(join(parentPath, name)))]),
  );
}

describe.each([
  ['files', files, (live: string) => writeTree(join(live, 'app'))],
  ['a database', database, (live: string) => writeDatabase(join(live, 'app.db'))],
] as const)('of %s', (_name, typeOf, write) => {
  test.each([
    ['bytes', (step: number) => leave(step * 24 * KIB), 20],
    ['inodes', leaveFiles, 50],
  ] as const)('a restore meets the end of the %s at any moment: all of it or nothing', async (_what, limit, most) => {
    const stage = await CapturedStage.open(typeOf, { within: disk });
    try {
      // The points are elsewhere; only what is live is on the disk that is full.
      const points = mkdtempSync(join(tmpdir(), 'revertd-points-'));
      stage.store = await openContentStore(points, { compression: 'zstd' });
      write(stage.live);
      const snapshot = await stage.capture();
      const outcomes = new Set<string>();
      for (let step = 0; step <= most; step += 1) {
        write(stage.live);
        const before = contentOf(stage.live);
        limit(step);
        const { outcome, detail } = await stage.restore(snapshot);
        makeRoom();
        outcomes.add(outcome);
        const found = outcome === 'failed' ? contentOf(stage.live) : await stage.observe(snapshot);
        expect(found).toStrictEqual(outcome === 'failed' ? before : 'done');
        expect(outcome === 'failed' ? detail : 'full, or nearly').toMatch(NO_ROOM);
        expect(stage.remains()).toStrictEqual([]);
      }
      expect(outcomes).toStrictEqual(new Set(['failed', 'done']));
      rmSync(points, { recursive: true });
    } finally {
      stage.close();
    }
  });
});
