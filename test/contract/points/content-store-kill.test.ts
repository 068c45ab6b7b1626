import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Boundary } from '../../../src/store/content/content-folder.ts';
import { type ContentStore, openContentStore } from '../../../src/store/content/content-store.ts';

const PROGRAM = join(import.meta.dirname, '../../support/points/content-process.ts');
const SIGNAL = new AbortController().signal;
const KEY = Buffer.alloc(32, 1);
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'revertd-kill-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function run(what: string, boundary: Boundary | 'none', passage: number, ...kept: readonly string[]) {
  const args = ['--disable-warning=ExperimentalWarning', PROGRAM, folder, what, boundary, String(passage), ...kept];
  const { signal, status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { signal, status, stdout, stderr };
}

async function opened(): Promise<ContentStore> {
  return await openContentStore(folder, { compression: 'zstd', key: KEY });
}

/** A point from before, part of whose content is what the other process captures too. */
async function keptPoint(): Promise<string> {
  const other = run('capture', 'none', 1).stdout;
  const store = await opened();
  const session = await store.begin({ operation: 'kept', signal: SIGNAL });
  const lines = [];
  for await (const line of store.manifest(other)) if (lines.length < 6) lines.push(line);
  const { manifest } = await session.commit([
    ...lines,
    { content: await session.put(Buffer.from('of its own'.repeat(9))) },
  ]);
  await store.collect([manifest], SIGNAL);
  return manifest;
}

async function isWhole(store: ContentStore, manifest: string): Promise<boolean> {
  return (await store.verify(manifest, { signal: SIGNAL })).faults.length === 0;
}

/** Nothing is lost, nothing stays, and everything can be done anew. */
async function expectSound(kept: string): Promise<void> {
  const store = await opened();
  expect(await isWhole(store, kept)).toBe(true);
  await store.collect([kept], SIGNAL);
  expect(await isWhole(store, kept)).toBe(true);
  expect(readdirSync(join(folder, 'tmp'))).toStrictEqual([]);
  expect(readdirSync(join(folder, 'manifests'))).toHaveLength(1);
  const again = run('capture', 'none', 1);
  expect(again.status).toBe(0);
  expect(await isWhole(await opened(), again.stdout)).toBe(true);
  expect(await (await opened()).collect([kept, again.stdout], SIGNAL)).toMatchObject({ blobs: 0, manifests: 0 });
}

describe('a capture that is killed', () => {
  const boundaries: readonly (readonly [Boundary, number])[] = [
    ['layout', 1],
    ['written', 1],
    ['written', 4],
    ['written', 7],
    ['synced', 1],
    ['synced', 2],
    ['named', 1],
    ['named', 5],
    ['durable', 1],
    ['written', 8],
    ['named', 8],
    ['committed', 1],
  ];
  test.each(boundaries)('at %s, passage %i', async (boundary, passage) => {
    const kept = await keptPoint();
    expect(run('capture', boundary, passage).signal).toBe('SIGKILL');
    await expectSound(kept);
  });

  test.each([
    ['written', 1],
    ['written', 12],
    ['written', 24],
    ['synced', 1],
    ['named', 1],
    ['named', 13],
    ['named', 24],
    ['durable', 1],
    ['committed', 1],
  ] satisfies readonly (readonly [Boundary, number])[])(
    'while threads take files, at %s, passage %i',
    async (boundary, passage) => {
      const kept = await keptPoint();
      expect(run('captureFiles', boundary, passage).signal).toBe('SIGKILL');
      await expectSound(kept);
      const again = run('captureFiles', 'none', 1);
      expect(again.status).toBe(0);
      expect(await isWhole(await opened(), again.stdout)).toBe(true);
    },
  );

  test('while the store is made, leaves one that can be used', async () => {
    for (const boundary of ['layout', 'written', 'named'] as const) {
      expect(run('capture', boundary, 1).signal).toBe('SIGKILL');
    }
    const { stdout } = run('capture', 'none', 1);
    expect(await isWhole(await opened(), stdout)).toBe(true);
  });
});

test.each([
  ['layout', 1],
  ['marked', 1],
  ['manifestRemoved', 1],
  ['blobRemoved', 1],
  ['blobRemoved', 4],
] satisfies readonly (readonly [Boundary, number])[])(
  'a collection that is killed at %s, passage %i',
  async (boundary, passage) => {
    const kept = await keptPoint();
    run('capture', 'none', 1);
    expect(run('collect', boundary, passage, kept).signal).toBe('SIGKILL');
    await expectSound(kept);
  },
);

test('a verification that is killed as it puts a piece aside', async () => {
  const { stdout: manifest } = run('capture', 'none', 1);
  expect(run('verify', 'setAside', 1, manifest).signal).toBe('SIGKILL');
  expect(await isWhole(await opened(), manifest)).toBe(false);
  expect(run('capture', 'none', 1).stdout).toBe(manifest);
  expect(await isWhole(await opened(), manifest)).toBe(true);
});
