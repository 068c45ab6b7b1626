import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BlobRef, CHUNK_BYTES } from './blob-ref.ts';
import { type ContentStore, type ContentStoreOptions, openContentStore } from './content-store.ts';

const SIGNAL = new AbortController().signal;
const KEY = Buffer.alloc(32, 7);
const NOTE = '{"about":"a point"}\n';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'revertd-archive-'));
  file = join(folder, 'point.tar');
});
afterEach(() => rmSync(folder, { recursive: true }));

async function storeIn(name: string, options: Partial<ContentStoreOptions> = {}): Promise<ContentStore> {
  return await openContentStore(join(folder, name), { compression: 'zstd', ...options });
}

async function captured(
  store: ContentStore,
  contents: readonly Buffer[],
): Promise<{ refs: BlobRef[]; manifest: string }> {
  const session = await store.begin({ operation: 'one', signal: SIGNAL });
  const refs: BlobRef[] = [];
  for (const content of contents) refs.push(await session.put(content));
  const lines = refs.map((content, index) => ({ content, index, after: 'the content' }));
  const { manifest } = await session.commit(lines);
  store.release('one');
  return { refs, manifest };
}

async function contentOf(store: ContentStore, ref: BlobRef): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of store.read(ref)) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function unpack(store: ContentStore, manifests: readonly string[], operation = 'import'): Promise<string> {
  let found = '';
  const read = (note: string) => {
    found = note;
    return manifests;
  };
  await store.unpack(file, { operation, signal: SIGNAL, read });
  return found;
}

/** Changes one byte in the middle of the first file that `pick` chooses of what is packed. */
function damage(pick: (name: string) => boolean): void {
  const there = join(folder, 'damaged');
  mkdirSync(there);
  execFileSync('tar', ['-xf', file, '-C', there]);
  const names = execFileSync('tar', ['-tf', file], { encoding: 'utf8' }).trim().split('\n');
  const victim = join(there, names.find(pick) ?? '');
  const bytes = readFileSync(victim);
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
  writeFileSync(victim, bytes);
  execFileSync('tar', ['-cf', file, '-C', there, ...names]);
}

describe.each([
  ['plain', undefined],
  ['encrypted', KEY],
])('%s content', (_what, key) => {
  const options = key === undefined ? {} : { key };

  test('is in another store what it was, with the note', async () => {
    const here = await storeIn('here', options);
    const contents = [Buffer.from('small'), randomBytes(CHUNK_BYTES + 10), Buffer.alloc(0), Buffer.from('small')];
    const { refs, manifest } = await captured(here, contents);
    expect(await here.pack(file, { manifests: [manifest], note: NOTE, signal: SIGNAL })).toBe(statSync(file).size);
    const there = await storeIn('there', options);
    expect(await unpack(there, [manifest])).toBe(NOTE);
    there.release('import');
    expect((await there.verify(manifest, { signal: SIGNAL })).faults).toEqual([]);
    for (const [index, ref] of refs.entries()) expect(await contentOf(there, ref)).toEqual(contents[index]);
    expect(await there.collect([manifest], SIGNAL)).toMatchObject({ blobs: 0, manifests: 0, remains: 0 });
  });

  test('holds nothing of what was not asked for', async () => {
    const here = await storeIn('here', options);
    await captured(here, [randomBytes(200_000)]);
    const { manifest } = await captured(here, [Buffer.from('nobody else')]);
    expect(await here.pack(file, { manifests: [manifest], note: NOTE, signal: SIGNAL })).toBeLessThan(50_000);
    expect(readFileSync(file).includes('nobody else')).toBe(key === undefined);
  });

  test.each([
    ['a piece', (name: string) => name.startsWith('blobs/')],
    ['the manifest', (name: string) => name.startsWith('manifests/')],
  ])('with %s damaged is refused whole, and leaves nothing', async (_part, pick) => {
    const here = await storeIn('here', options);
    const { manifest } = await captured(here, [randomBytes(1000), Buffer.from('other')]);
    await here.pack(file, { manifests: [manifest], note: NOTE, signal: SIGNAL });
    damage(pick);
    const there = await storeIn('there', options);
    await expect(unpack(there, [manifest])).rejects.toMatchObject({ code: 'corrupt' });
    expect(await there.manifestCount()).toBe(0);
    expect(await there.size()).toBe(0);
    expect(readdirSync(join(folder, 'there/scratch'))).toEqual([]);
  });
});

test('encrypted content is refused without its key, and says so', async () => {
  const here = await storeIn('here', { key: KEY });
  const { manifest } = await captured(here, [Buffer.from('secret')]);
  await here.pack(file, { manifests: [manifest], note: NOTE, signal: SIGNAL });
  await expect(unpack(await storeIn('there'), [manifest])).rejects.toMatchObject({ code: 'key' });
});

test('what was taken over stays until it is released', async () => {
  const here = await storeIn('here');
  const { manifest } = await captured(here, [Buffer.from('content')]);
  await here.pack(file, { manifests: [manifest], note: NOTE, signal: SIGNAL });
  const there = await storeIn('there');
  await unpack(there, [manifest]);
  expect(await there.collect([], SIGNAL)).toMatchObject({ blobs: 0, manifests: 0 });
  there.release('import');
  const { blobs } = await there.collect([], SIGNAL);
  expect(blobs).toBeGreaterThan(0);
});

test('a file that is none, and content that is gone, are told as what they are', async () => {
  const store = await storeIn('here');
  writeFileSync(file, 'no archive');
  await expect(unpack(store, [])).rejects.toThrow(/tar ended with 2/);
  execFileSync('tar', ['-cf', file, '-T', '/dev/null']);
  await expect(unpack(store, [])).rejects.toThrow('is no point that revertd wrote');
  const missing = join(folder, 'missing.tar');
  await expect(store.unpack(missing, { operation: 'x', signal: SIGNAL, read: () => [] })).rejects.toThrow(
    'missing.tar',
  );
  const { manifest } = await captured(store, [randomBytes(100)]);
  rmSync(join(folder, 'here/blobs'), { recursive: true });
  const again = await storeIn('here');
  const packing = again.pack(join(folder, 'gone.tar'), { manifests: [manifest], note: NOTE, signal: SIGNAL });
  await expect(packing).rejects.toMatchObject({ code: 'missing' });
});

test('a name that leads out of the folder is not followed', async () => {
  const outside = join(folder, 'outside');
  writeFileSync(join(folder, 'revertd-point.json'), NOTE);
  writeFileSync(join(folder, 'evil'), 'evil');
  execFileSync('tar', [
    '-cPf',
    file,
    '-C',
    folder,
    'revertd-point.json',
    '--transform',
    `s,^evil$,${outside},`,
    'evil',
  ]);
  await unpack(await storeIn('here'), []);
  expect(existsSync(outside)).toBe(false);
});

test('packing that is ended says so', async () => {
  const store = await storeIn('here');
  const { manifest } = await captured(store, [randomBytes(100)]);
  const signal = AbortSignal.abort();
  await expect(store.pack(file, { manifests: [manifest], note: NOTE, signal })).rejects.toMatchObject({
    code: 'aborted',
  });
});
