import { expect, test } from 'vitest';
import { type Change, ChangeList, sightOf } from './change-list.ts';
import type { FileEntry } from './file-entry.ts';

const sha256 = 'ab'.repeat(32);
const entry = (path: string, more: Partial<FileEntry> = {}): FileEntry => ({
  root: 1,
  path,
  type: 'file',
  mode: 0o4755,
  uid: 4_294_967_294,
  gid: 0,
  size: 12,
  mtimeNs: -1n,
  ctimeNs: 0n,
  ino: 0n,
  ...more,
});

const CHANGES: readonly Omit<Change, 'seen'>[] = [
  { kind: 'put', entry: entry('a/b', { content: { sha256, bytes: 12 } }) },
  { kind: 'put', entry: entry('\xff\n', { size: 0, content: { sha256, bytes: 0 } }) },
  {
    kind: 'put',
    entry: entry('long', { size: 2 ** 33, content: { sha256, bytes: 2 ** 33, chunks: Array(2_048).fill(sha256) } }),
  },
  // Stored while it changed: another length than the one that it had.
  { kind: 'put', entry: entry('moving', { content: { sha256, bytes: 13 } }) },
  { kind: 'link', entry: entry('link', { type: 'link', size: 0, to: '../\xe9' }) },
  { kind: 'join', entry: entry('second', { sameAs: 'a/b' }) },
  { kind: 'make', entry: entry('', { type: 'folder', size: 0, attributes: { 'user.a': '0x00' } }) },
  { kind: 'attributes', entry: entry('a', { type: 'folder', mtimeNs: 1_700_000_000_123_456_789n }) },
  { kind: 'remove', entry: entry('gone') },
  { kind: 'remove', entry: entry('gone/too', { type: 'folder' }) },
];

test('gives back what was added, in its order', () => {
  const list = new ChangeList();
  for (const { kind, entry: added } of CHANGES) list.add(kind, added);
  expect([...list]).toStrictEqual(CHANGES.map((change) => ({ ...change, seen: 0n })));
  expect([list.length, list.count('put', 'link'), list.count('remove')]).toStrictEqual([10, 5, 2]);
  expect(Array.from(list.backwards('remove'), (change) => change.entry.path)).toStrictEqual(['gone/too', 'gone']);
});

test('has neither time nor number of an inode', () => {
  const list = new ChangeList();
  list.add('put', entry('a', { ctimeNs: 5n, ino: 6n }));
  expect([...list].map((change) => [change.entry.ctimeNs, change.entry.ino])).toStrictEqual([[0n, 0n]]);
});

test('goes on over many blocks', () => {
  const list = new ChangeList();
  const paths = Array.from({ length: 5_000 }, (_, index) => `${'x'.repeat(index % 250)}${index}`);
  for (const path of paths) list.add('put', entry(path));
  expect(Array.from(list, (change) => change.entry.path)).toStrictEqual(paths);
});

test('tells two lists apart by what they do, and to what', () => {
  const digestOf = (...changes: readonly Change[]) => {
    const list = new ChangeList();
    for (const { kind, entry: added, seen } of changes) list.add(kind, added, seen);
    return list.digest();
  };
  const seen = sightOf(entry('a', { ino: 7n }));
  const change = { kind: 'put', entry: entry('a', { content: { sha256, bytes: 12 } }), seen } as const;
  const others: readonly Change[] = [
    { ...change, kind: 'remove' },
    { ...change, entry: entry('b') },
    { ...change, seen: sightOf(entry('a', { ino: 7n, size: 13 })) },
    { ...change, seen: sightOf(entry('a', { ino: 7n, mode: 0o600 })) },
  ];
  expect(digestOf(change)).toBe(digestOf(change));
  expect(new Set([digestOf(), digestOf(change), ...others.map((one) => digestOf(one))]).size).toBe(6);
});

test('sees a folder as the same whatever is put into it, and a file whatever other names it has', () => {
  const folder = entry('a', { type: 'folder', ino: 7n });
  expect(sightOf({ ...folder, mtimeNs: 5n })).toBe(sightOf(folder));
  expect(sightOf(entry('a', { ctimeNs: 5n }))).toBe(sightOf(entry('a')));
});
