import { execFileSync } from 'node:child_process';
import { hash, randomBytes } from 'node:crypto';
import {
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { doFileJob, type FileJob, type NewFile } from './file-job.ts';
import { statsIn } from './file-stats.ts';
import { FileWorkers } from './file-workers.ts';
import { pathText } from './path-text.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'revertd-jobs-'));
  for (const name of ['tmp', 'blobs', 'live']) mkdirSync(join(folder, name));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (...names: readonly string[]) => Buffer.from(join(folder, ...names));
const text = (path: Buffer) => path.toString();
const piecePlace = (name = 'piece') => ({
  temporary: text(at('tmp', name)),
  blobs: text(at('blobs')),
  compression: 'zstd' as const,
});
const take = (path: Buffer): FileJob => ({ kind: 'take', path: pathText(path), most: 1_000, into: piecePlace() });
const newFile = (): NewFile => {
  const { uid, gid } = statSync(folder);
  return { path: pathText(at('live', 'given')), uid, gid, mode: 0o640, seconds: 1_000, mayKeepOwner: false };
};

describe('a file is not taken the short way', () => {
  test.each([
    ['that is not there', () => undefined],
    ['that is empty', () => writeFileSync(at('live', 'file'), '')],
    ['that is longer', () => writeFileSync(at('live', 'file'), 'x'.repeat(1_001))],
    ['that is a folder', () => mkdirSync(at('live', 'file'))],
    ['that is a pipe', () => execFileSync('mkfifo', [text(at('live', 'file'))])],
    ['that is a link', () => symlinkSync('/etc/hostname', at('live', 'file'))],
  ])('%s; nothing is left of it', (_name, make) => {
    make();
    expect(doFileJob(take(at('live', 'file')))).toStrictEqual({ kind: 'again' });
    expect(readdirSync(at('tmp'))).toStrictEqual([]);
  });
});

test('what is there already is not written again', () => {
  const content = 'there'.repeat(50);
  const sha256 = hash('sha256', content);
  mkdirSync(at('blobs', sha256.slice(0, 2)));
  writeFileSync(at('blobs', sha256.slice(0, 2), sha256), 'whatever');
  writeFileSync(at('live', 'file'), content);
  expect(doFileJob(take(at('live', 'file')))).toMatchObject({ piece: { sha256, bytes: 250, storedBytes: 0 } });
  expect(readdirSync(at('tmp'))).toStrictEqual([]);
});

test('a corrupted piece is not given; nothing is left of the file', () => {
  const content = randomBytes(500);
  writeFileSync(at('live', 'file'), content);
  doFileJob(take(at('live', 'file')));
  const blob = text(at('tmp', 'piece'));
  const give: FileJob = { kind: 'give', blob, sha256: hash('sha256', content), bytes: 500, to: newFile() };
  const bytes = readFileSync(blob);
  bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100);
  writeFileSync(blob, bytes);
  expect(doFileJob(give)).toStrictEqual({ kind: 'again' });
  expect(existsSync(at('live', 'given'))).toBe(false);
});

test('a file that stands in the place of the new one stays, and is not followed', () => {
  writeFileSync(at('live', 'file'), 'x'.repeat(100));
  doFileJob(take(at('live', 'file')));
  symlinkSync('file', at('live', 'given'));
  const sha256 = hash('sha256', 'x'.repeat(100));
  const give: FileJob = { kind: 'give', blob: text(at('tmp', 'piece')), sha256, bytes: 100, to: newFile() };
  expect(doFileJob(give)).toStrictEqual({ kind: 'again' });
  expect(readFileSync(at('live', 'given'), 'utf8')).toBe('x'.repeat(100));
});

test('renaming ends at the first that fails, and says how many it were', () => {
  for (const name of ['a', 'c']) writeFileSync(at('tmp', name), name);
  const pairs = ['a', 'b', 'c'].map((name) => [pathText(at('tmp', name)), pathText(at('live', name))] as const);
  expect(doFileJob({ kind: 'rename', pairs, makesFolder: false })).toStrictEqual({ kind: 'renamed', count: 1 });
  expect([readdirSync(at('tmp')), readdirSync(at('live'))]).toStrictEqual([['c'], ['a']]);
});

test('names are looked at without following links; what is gone is told apart', () => {
  const odd = Buffer.from([0x66, 0xff]);
  writeFileSync(Buffer.concat([at('live'), Buffer.from('/'), odd]), 'four');
  symlinkSync('/etc/hostname', at('live', 'link'));
  const names = [odd.toString('latin1'), 'gone', 'link', 'f/below'];
  const reply = doFileJob({ kind: 'look', folder: `${text(at('live'))}/`, names });
  if (reply.kind !== 'looked') throw new Error(reply.kind);
  const { mode, size, mtimeNs, ino, dev, nlink } = lstatSync(Buffer.concat([at('live'), Buffer.from('/'), odd]), {
    bigint: true,
  });
  expect(names.map((_name, index) => statsIn(reply.numbers, index))).toMatchObject([
    { mode, size, mtimeNs, ino, dev, nlink },
    undefined,
    { mode: BigInt(constants.S_IFLNK | 0o777) },
    undefined,
  ]);
});

test('a name that cannot be looked at is left to the long way', () => {
  expect(doFileJob({ kind: 'look', folder: `${text(at('live'))}/`, names: ['x'.repeat(300)] })).toStrictEqual({
    kind: 'again',
  });
});

test('threads do many jobs, long and short, and each gets its own reply', async () => {
  const workers = new FileWorkers();
  const names = Array.from({ length: 100 }, (_, index) => `file-${index}`);
  for (const name of names) writeFileSync(at('live', name), name.repeat(20));
  const jobs = names.map((name, index): FileJob => {
    const path = pathText(at('live', name));
    if (index % 7 === 0) return { kind: 'sum', path };
    return { kind: 'take', path, most: 1_000, into: piecePlace(name) };
  });
  const replies = await Promise.all(jobs.map((job) => workers.run(job)));
  const sums = replies.map((reply) =>
    reply.kind === 'taken' ? reply.piece.sha256 : reply.kind === 'summed' ? reply.sha256 : reply.kind,
  );
  expect(sums).toStrictEqual(names.map((name) => hash('sha256', name.repeat(20))));
});
