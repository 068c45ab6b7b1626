/**
 * A process that captures into a content store and collects there, over and over, and kills itself at a boundary:
 * `node content-process.ts FOLDER capture|captureFiles|collect|verify BOUNDARY PASSAGE [KEPT MANIFEST …]`.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openContentStore } from '../../../src/store/content/content-store.ts';

const [folder = '', what = '', boundary = '', passage = '1', ...kept] = process.argv.slice(2);
const signal = new AbortController().signal;
let passages = 0;
const store = await openContentStore(folder, {
  compression: 'zstd',
  // Files are taken by threads only where nothing is encrypted.
  ...(what === 'captureFiles' ? {} : { key: Buffer.alloc(32, 1) }),
  at: (name) => {
    passages += name === boundary ? 1 : 0;
    if (name === boundary && passages === Number(passage)) process.kill(process.pid, 'SIGKILL');
  },
});

/** Content that nobody else has, the same at each run. */
function content(index: number): Buffer {
  const seed = createHash('sha256').update(`content ${index}`).digest();
  return Buffer.concat(Array.from({ length: 40 + index }, () => seed));
}

async function capture(): Promise<string> {
  const session = await store.begin({ operation: 'one', signal });
  const lines = [];
  for (let index = 0; index < 12; index += 1) lines.push({ index, content: await session.put(content(index)) });
  return (await session.commit(lines)).manifest;
}

/** So many that they get their names together. */
const FILES = 24;

async function captureFiles(): Promise<string> {
  const session = await store.begin({ operation: 'files', signal });
  const lines = await Promise.all(
    Array.from({ length: FILES }, async (_, index) => {
      const path = join(folder, `file-${index}`);
      writeFileSync(path, content(100 + index));
      const taken = await session.takeFile(Buffer.from(path));
      if (taken === undefined) throw new Error(`${path} was not taken`);
      return { index, content: taken.content };
    }),
  );
  return (await session.commit(lines)).manifest;
}

switch (what) {
  case 'captureFiles':
    process.stdout.write(await captureFiles());
    break;
  case 'capture':
    process.stdout.write(await capture());
    break;
  case 'collect':
    await store.collect(kept, signal);
    break;
  case 'verify': {
    const shards = readdirSync(join(folder, 'blobs'));
    const blobs = shards.flatMap((shard) =>
      readdirSync(join(folder, 'blobs', shard)).map((name) => join(folder, 'blobs', shard, name)),
    );
    const [first = ''] = blobs;
    writeFileSync(first, readFileSync(first).fill(0, 20));
    for (const manifest of kept) await store.verify(manifest, { signal });
    break;
  }
  default:
    throw new Error(`what is ${what}?`);
}
