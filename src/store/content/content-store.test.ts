import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BlobRef, CHUNK_BYTES } from './blob-ref.ts';
import type { CaptureSession } from './capture-session.ts';
import { type ContentStore, type ContentStoreOptions, openContentStore } from './content-store.ts';

const SIGNAL = new AbortController().signal;
const KEY = Buffer.alloc(32, 7);
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'revertd-content-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function opened(options: Partial<ContentStoreOptions> = {}): Promise<ContentStore> {
  return await openContentStore(folder, { compression: 'zstd', ...options });
}

async function capture(store: ContentStore, operation: string, contents: readonly Buffer[]) {
  const session = await store.begin({ operation, signal: SIGNAL });
  const refs: BlobRef[] = [];
  for (const content of contents) refs.push(await session.put(content));
  return { refs, session, ...(await session.commit(refs.map((content, index) => ({ index, content })))) };
}

/** As after the point is in the log. */
async function captured(store: ContentStore, operation: string, contents: readonly Buffer[]) {
  const { refs, manifest, storedBytes } = await capture(store, operation, contents);
  store.release(operation);
  return { refs, manifest, storedBytes };
}

async function content(store: ContentStore, ref: BlobRef): Promise<Buffer> {
  return Buffer.concat(await gathered(store.read(ref)));
}

async function gathered<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

function blobFiles(): string[] {
  return readdirSync(join(folder, 'blobs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

const text = (words: string) => Buffer.from(words.repeat(100));

describe.each([
  ['zstd', undefined],
  ['gzip', undefined],
  ['none', undefined],
  ['zstd', KEY],
  ['gzip', KEY],
] as const)('with %s, and the key %s', (compression, key) => {
  const options = { compression, ...(key === undefined ? {} : { key }) };

  test.each([
    ['nothing', Buffer.alloc(0), 0],
    ['a byte', Buffer.from('a'), 0],
    ['text', text('some words '), 0],
    ['what cannot be compressed', randomBytes(10_000), 0],
    ['exactly one piece', Buffer.alloc(CHUNK_BYTES, 'x'), 0],
    ['more than two pieces', Buffer.concat([randomBytes(2 * CHUNK_BYTES), text('the end')]), 3],
  ])('%s is what it was', async (_what, plain, pieces) => {
    const { refs } = await captured(await opened(options), 'one', [plain]);
    const [ref = { sha256: '', bytes: -1 }] = refs;
    expect(ref.bytes).toBe(plain.length);
    expect(ref.chunks?.length ?? 0).toBe(pieces);
    expect((await content(await opened(options), ref)).equals(plain)).toBe(true);
  });

  test('the manifest has its lines in their order, also across pieces', async () => {
    const store = await opened(options);
    const session = await store.begin({ operation: 'one', signal: SIGNAL });
    const lines = Array.from({ length: 60_000 }, (_, index) => ({ index, name: `${index}`.repeat(20) }));
    const { manifest } = await session.commit(lines);
    const found = await gathered((await opened(options)).manifest(manifest));
    expect(found).toStrictEqual(lines);
  });
});

test('the same content is stored once', async () => {
  const store = await opened();
  const plain = randomBytes(5_000);
  const first = await captured(store, 'one', [plain, plain]);
  const again = await captured(store, 'two', [plain]);
  expect(blobFiles()).toHaveLength(3);
  expect(first.storedBytes).toBeGreaterThan(5_000);
  expect(again.storedBytes).toBeLessThan(1_000);
});

test('compresses what can be compressed, and stores the rest as it is', async () => {
  const store = await opened();
  const { storedBytes } = await captured(store, 'one', [Buffer.alloc(1_000_000, 'abc')]);
  const plain = await captured(store, 'two', [randomBytes(1_000_000)]);
  expect(storedBytes).toBeLessThan(10_000);
  expect(plain.storedBytes).toBeLessThan(1_001_000);
});

test('counts what was stored of several pieces at once', async () => {
  const store = await opened();
  const { storedBytes } = await captured(store, 'one', [randomBytes(3 * CHUNK_BYTES)]);
  expect(storedBytes).toBeGreaterThan(3 * CHUNK_BYTES);
});

test('only its owner can look into it', async () => {
  await captured(await opened(), 'one', [text('a')]);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(blobFiles().map((path) => statSync(path).mode & 0o777)).toStrictEqual([0o600, 0o600]);
});

describe('a corrupted piece', () => {
  async function corrupted(options: Partial<ContentStoreOptions>, harm: (bytes: Buffer) => Buffer) {
    const store = await opened(options);
    const [good, bad] = [randomBytes(2_000), randomBytes(3_000)];
    const taken = await captured(store, 'one', [good, bad]);
    const path = blobFiles().find((file) => statSync(file).size > 3_000) ?? '';
    writeFileSync(path, harm(readFileSync(path)));
    return { store, bad, ...taken };
  }

  function flip(at: number) {
    return (bytes: Buffer) => {
      bytes.writeUInt8((bytes.at(at) ?? 0) ^ 1, at < 0 ? bytes.length + at : at);
      return bytes;
    };
  }

  test.each([
    ['a flipped bit', {}, flip(-1)],
    ['a flipped bit of the ciphertext', { key: KEY }, flip(-20)],
    ['a flipped bit of the tag', { key: KEY }, flip(-1)],
    ['a flipped bit of the head', {}, flip(9)],
    ['a lost end', {}, (bytes: Buffer) => bytes.subarray(0, 2_000)],
    ['nothing in it', {}, () => Buffer.alloc(0)],
    ['zeros', { key: KEY }, (bytes: Buffer) => Buffer.alloc(bytes.length)],
  ])('with %s is named, and all others are fine', async (_what, options, harm) => {
    const { store, refs, manifest } = await corrupted(options, harm);
    const [good, bad] = refs;
    if (good === undefined || bad === undefined) throw new Error('expected two');
    expect((await content(store, good)).length).toBe(2_000);
    await expect(content(store, bad)).rejects.toMatchObject({ code: 'corrupt', blob: bad.sha256 });
    const verdict = await store.verify(manifest, { signal: SIGNAL });
    expect(verdict.faults).toMatchObject([{ sha256: bad.sha256, code: 'corrupt', lines: [{ index: 1 }] }]);
  });

  test('is healed by the next capture of the same content', async () => {
    const { store, bad, manifest } = await corrupted({}, flip(-1));
    await captured(store, 'before anybody knows', [bad]);
    expect((await store.verify(manifest, { signal: SIGNAL })).faults).toMatchObject([{ code: 'corrupt' }]);
    expect((await store.verify(manifest, { signal: SIGNAL })).faults).toMatchObject([{ code: 'missing' }]);
    await captured(store, 'two', [bad]);
    expect((await store.verify(manifest, { signal: SIGNAL })).faults).toStrictEqual([]);
    expect(readdirSync(join(folder, 'aside'))).toHaveLength(1);
  });

  test('of a manifest is named by the manifest', async () => {
    const store = await opened();
    const { manifest } = await captured(store, 'one', [text('a')]);
    const path = join(folder, 'manifests', manifest);
    writeFileSync(path, flip(50)(readFileSync(path)));
    await expect(gathered(store.manifest(manifest))).rejects.toMatchObject({ code: 'corrupt', blob: manifest });
    expect(await store.verify(manifest, { signal: SIGNAL })).toMatchObject({ faults: [{ sha256: manifest }] });
  });
});

describe('encryption', () => {
  test('leaves nothing to be read or recognised', async () => {
    const { refs, manifest } = await captured(await opened({ key: KEY, compression: 'none' }), 'one', [
      text('secret '),
    ]);
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).join('\n');
    expect(blobFiles().map((path) => readFileSync(path).includes('secret'))).toStrictEqual([false, false]);
    expect(names).not.toContain(manifest);
    expect(names).not.toContain(refs[0]?.sha256);
  });

  test('with a wrong key is refused before anything is written, and nothing is lost', async () => {
    const { manifest } = await captured(await opened({ key: KEY }), 'one', [text('a')]);
    await expect(opened({ key: Buffer.alloc(32, 8) })).rejects.toMatchObject({ code: 'key' });
    const without = await opened();
    await expect(gathered(without.manifest(manifest))).rejects.toMatchObject({ code: 'key' });
    await expect(without.collect([manifest], SIGNAL)).rejects.toMatchObject({ code: 'key' });
    expect((await (await opened({ key: KEY })).verify(manifest, { signal: SIGNAL })).faults).toStrictEqual([]);
  });

  test('can be turned on and off, and its key changed: what was written before stays', async () => {
    const contents = [text('the same each time')];
    const [first, second] = [KEY, Buffer.alloc(40, 9)];
    const plain = await captured(await opened(), 'plain', contents);
    const one = await captured(await opened({ key: first }), 'one', contents);
    const two = await captured(await opened({ key: second, formerKeys: [first] }), 'two', contents);
    const off = await opened({ formerKeys: [first, second] });
    const last = await captured(off, 'off', contents);
    const kept = [plain, one, two, last].map(({ manifest }) => manifest);
    await off.collect(kept, SIGNAL);
    for (const manifest of kept) expect((await off.verify(manifest, { signal: SIGNAL })).faults).toStrictEqual([]);
  });

  test('by a short key is refused', async () => {
    await expect(opened({ key: Buffer.from('password') })).rejects.toMatchObject({ code: 'key' });
  });
});

describe('a collection', () => {
  test('removes what nothing kept needs, and nothing else', async () => {
    const store = await opened();
    const [shared, mine, yours] = [randomBytes(900), randomBytes(901), randomBytes(902)];
    const kept = await captured(store, 'one', [shared, mine]);
    const dropped = await captured(store, 'two', [shared, yours]);
    expect(await store.collect([kept.manifest], SIGNAL)).toMatchObject({ manifests: 1, blobs: 2, remains: 0 });
    expect((await store.verify(kept.manifest, { signal: SIGNAL })).faults).toStrictEqual([]);
    await expect(gathered(store.manifest(dropped.manifest))).rejects.toMatchObject({ code: 'missing' });
    expect(await store.collect([kept.manifest], SIGNAL)).toMatchObject({ manifests: 0, blobs: 0, bytes: 0 });
    expect(await store.collect([], SIGNAL)).toMatchObject({ manifests: 1 });
    expect(blobFiles()).toStrictEqual([]);
    expect(await store.size()).toBe(0);
  });

  test('that is to keep what it cannot read removes nothing', async () => {
    const store = await opened();
    const { manifest } = await captured(store, 'one', [randomBytes(100)]);
    await expect(store.collect([manifest, 'f'.repeat(64)], SIGNAL)).rejects.toMatchObject({ code: 'missing' });
    expect((await store.verify(manifest, { signal: SIGNAL })).faults).toStrictEqual([]);
  });

  test('leaves a capture alone until that is released, also what it found there', async () => {
    const store = await opened();
    const old = await captured(store, 'old', [text('old'), text('both')]);
    const session = await store.begin({ operation: 'new', signal: SIGNAL });
    const refs = [await session.put(text('both')), await session.put(text('new'))];
    expect(await store.collect([], SIGNAL)).toMatchObject({ manifests: 1, blobs: 2 });
    const { manifest } = await session.commit(refs.map((ref) => ({ content: ref })));
    expect(await store.collect([], SIGNAL)).toMatchObject({ manifests: 0, blobs: 0 });
    expect((await store.verify(manifest, { signal: SIGNAL })).faults).toStrictEqual([]);
    await expect(gathered(store.manifest(old.manifest))).rejects.toMatchObject({ code: 'missing' });
    store.release('new');
    expect(await store.collect([], SIGNAL)).toMatchObject({ manifests: 1, blobs: 3 });
  });

  test('keeps what a capture reuses from the one before, and one that has begun takes it away beforehand', async () => {
    const store = await opened();
    const { manifest, refs } = await captured(store, 'old', [text('old')]);
    const session = await store.begin({ operation: 'new', previous: manifest, signal: SIGNAL });
    expect(session.previous).toBe(manifest);
    const collecting = store.collect([], SIGNAL);
    const late = await store.begin({ operation: 'late', previous: 'a'.repeat(64), signal: SIGNAL });
    await collecting;
    expect(late.previous).toBeUndefined();
    const [ref = { sha256: '', bytes: 0 }] = refs;
    expect(await session.reuse(ref)).toBe(true);
  });

  test('beside captures of the same content never takes what they need', async () => {
    const store = await opened();
    const contents = Array.from({ length: 20 }, (_, index) => text(`content ${index}`));
    const keep = new Set<string>();
    for (let round = 0; round < 15; round += 1) {
      const collecting = store.collect(keep, SIGNAL);
      const taken = await Promise.all([capture(store, `a${round}`, contents), capture(store, `b${round}`, contents)]);
      await collecting;
      for (const { manifest } of taken) {
        expect((await store.verify(manifest, { signal: SIGNAL })).faults).toStrictEqual([]);
      }
      for (const operation of ['a', 'b']) store.release(`${operation}${round}`);
    }
  });

  test('takes the remains of writers that were killed', async () => {
    const store = await opened();
    const { manifest } = await captured(store, 'one', [text('a')]);
    writeFileSync(join(folder, 'tmp', 'left'), 'half');
    expect(await store.collect([manifest], SIGNAL)).toMatchObject({ remains: 1, blobs: 0 });
    expect(readdirSync(join(folder, 'tmp'))).toStrictEqual([]);
  });
});

describe('a capture', () => {
  test('that is aborted ends, and leaves nothing after the next collection', async () => {
    const store = await opened();
    const control = new AbortController();
    const session = await store.begin({ operation: 'one', signal: control.signal });
    await session.put(randomBytes(100));
    const put = session.put(async (buffer) => {
      control.abort();
      return await Promise.resolve(buffer.length);
    });
    await expect(put).rejects.toMatchObject({ code: 'aborted' });
    store.release('one');
    await store.collect([], SIGNAL);
    expect(blobFiles()).toStrictEqual([]);
  });

  test('whose source fails gives the buffers back', async () => {
    const store = await opened();
    const session = await store.begin({ operation: 'one', signal: SIGNAL });
    const failing = async () => await Promise.reject(new Error('the source failed'));
    for (let turn = 0; turn < 20; turn += 1) await expect(session.put(failing)).rejects.toThrow('the source failed');
    expect(await session.put(text('a'))).toMatchObject({ bytes: 100 });
  });

  test('reuses only what is there', async () => {
    const store = await opened();
    const { refs } = await captured(store, 'one', [text('a')]);
    const session: CaptureSession = await store.begin({ operation: 'two', signal: SIGNAL });
    const [ref = { sha256: '', bytes: 0 }] = refs;
    expect(await session.reuse(ref)).toBe(true);
    expect(await session.reuse({ ...ref, sha256: 'b'.repeat(64) })).toBe(false);
  });
});

test.each([
  ['random throughout', [randomBytes(60_000)], 60_000],
  [
    'random at its beginning',
    [randomBytes(20_000), text('a text that repeats itself ').subarray(0, 2_000), Buffer.alloc(60_000, 'ab')],
    25_000,
  ],
])('content that is %s is compressed only where that pays', async (_what, parts, most) => {
  const store = await opened();
  const plain = Buffer.concat(parts);
  const { refs } = await captured(store, 'one', [plain]);
  const stored = Math.max(...blobFiles().map((path) => statSync(path).size));
  expect(stored).toBeGreaterThanOrEqual(Math.min(most, plain.length) - 6_000);
  expect(stored).toBeLessThan(most + 100);
  const [ref = { sha256: '', bytes: 0 }] = refs;
  expect(await content(store, ref)).toEqual(plain);
});

test('where no folder can be made says so', async () => {
  writeFileSync(join(folder, 'file'), '');
  const store = await openContentStore(join(folder, 'file', 'points'), { compression: 'zstd' });
  await expect(store.begin({ operation: 'one', signal: SIGNAL })).rejects.toMatchObject({ code: 'io' });
});
