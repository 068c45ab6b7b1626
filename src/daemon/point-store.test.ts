import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSecretResolver } from '../drivers/secrets.ts';
import type { PointSettings } from '../policy/host-config.ts';
import type { ContentStore } from '../store/content/content-store.ts';
import { PointStore } from './point-store.ts';

const SETTINGS: PointSettings = {
  maxPoints: 1000,
  ttlMs: 86_400_000,
  prunesItself: true,
  pruneEveryMs: 0,
  compression: 'none',
  persistence: true,
  memoryBytes: 1_000_000,
  cache: { maxItems: 10, ttlMs: 60_000 },
  formerKeys: [],
};
const TEXT = 'what nobody else should read';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'revertd-points-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function pointStore(change: Partial<PointSettings> = {}): PointStore {
  return new PointStore(folder, { ...SETTINGS, ...change }, createSecretResolver({}));
}

async function storeText(store: ContentStore): Promise<string> {
  const session = await store.begin({ operation: 'one', signal: new AbortController().signal });
  const content = await session.put(Buffer.from(TEXT));
  const { manifest } = await session.commit([{ path: 'a', content }]);
  store.release('one');
  return manifest;
}

async function readText(store: ContentStore, manifest: string): Promise<string> {
  for await (const { content } of store.manifest(manifest)) {
    const pieces: Buffer[] = [];
    if (content !== undefined) for await (const piece of store.read(content)) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  }
  return '';
}

function key(name: string, text: string) {
  writeFileSync(join(folder, name), `${text}\n`);
  return { file: join(folder, name) };
}

test('content is encrypted with the key that the configuration names, and read with former ones', async () => {
  const first = key('first', 'a'.repeat(64));
  const manifest = await storeText(await pointStore({ key: first }).open());
  expect(await readText(await pointStore({ key: first }).open(), manifest)).toBe(TEXT);
  const plain = pointStore();
  await expect(readText(await plain.open(), manifest)).rejects.toThrow('encrypted with a key that was not given');
  const second = key('second', 'b'.repeat(64));
  await expect(pointStore({ key: second }).open()).rejects.toThrow('are encrypted with another key');
  const turned = await pointStore({ key: second, formerKeys: [first] }).open();
  expect(await readText(turned, manifest)).toBe(TEXT);
});

test('a key that is not there, or too short, is told, and looked for again at the next call', async () => {
  const late = pointStore({ key: { file: join(folder, 'late') } });
  await expect(late.open()).rejects.toThrow(/the key of the points cannot be read: .*late/);
  key('late', 'short');
  await expect(late.open()).rejects.toThrow('the key of the points has 5 bytes, expected at least 32');
  key('late', 'c'.repeat(64));
  expect((await late.open()).encrypts).toBe(true);
});

test('what was read last is served from memory, and a verification looks at the disk', async () => {
  const store = await pointStore().open();
  const manifest = await storeText(store);
  expect(await readText(store, manifest)).toBe(TEXT);
  rmSync(join(folder, 'points', 'blobs'), { recursive: true });
  expect(await readText(store, manifest)).toBe(TEXT);
  const { faults } = await store.verify(manifest, { signal: new AbortController().signal });
  expect(faults).not.toEqual([]);
  const uncached = await pointStore({ cache: { maxItems: 0, ttlMs: 1000 } }).open();
  await expect(readText(uncached, manifest)).rejects.toThrow('is not in the content store');
});

test('without persistence content is in memory, up to its limit, and goes with the life of revertd', async () => {
  const points = pointStore({ persistence: false, memoryBytes: 1000 });
  try {
    expect(await points.room()).toBe(1000);
    await storeText(await points.open());
    expect(await points.room()).toBeLessThan(1000);
    expect(points.folder).toMatch(/^\/dev\/shm\/revertd-/);
    expect(existsSync(join(folder, 'points'))).toBe(false);
    expect(readdirSync(join(points.folder, 'manifests'))).toHaveLength(1);
    expect(await points.forgetEarlier()).toBe(true);
    expect(existsSync(points.folder)).toBe(false);
  } finally {
    await points.forgetEarlier();
  }
  expect(await pointStore().forgetEarlier()).toBe(false);
  expect(await pointStore({ maxSnapshotBytes: 5 }).room()).toBe(5);
});
