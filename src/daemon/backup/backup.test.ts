import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aPoint } from '../../../test/support/policies.ts';
import { EMPTY_MEMORY } from '../../core/memory.ts';
import type { Point } from '../../core/model/point.ts';
import { neededContent } from '../../core/points/needed-content.ts';
import { openContentStore } from '../../store/content/content-store.ts';
import { packTar } from '../../store/content/tar.ts';
import { STORE_FILE } from '../../store/database.ts';
import { GENESIS } from '../../store/hash-chain.ts';
import { migrate, SCHEMA_VERSION } from '../../store/schema.ts';
import { Store } from '../../store/store.ts';
import { readHalt, writeHalt } from '../halt-file.ts';
import { BACKUP_NOTE, type BackupNote } from './backup-note.ts';
import { type Backup, createBackup } from './create-backup.ts';
import { type Restored, restoreBackup } from './restore-backup.ts';
import { sha256Of } from './store-copy.ts';

let folder: string;
let old: string;
let fresh: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'revertd-backup-'));
  old = join(folder, 'old');
  fresh = join(folder, 'fresh');
});
afterEach(() => rmSync(folder, { recursive: true }));

const KEY = Buffer.alloc(32, 1);
const SIGNAL = AbortSignal.timeout(60_000);
const open = (dataDir: string) => openContentStore(join(dataDir, 'points'), { compression: 'zstd', key: KEY });

/** A store whose log has these events; of each the reason is what it is known by. */
function say(dataDir: string, ...reasons: string[]): void {
  const store = new Store(dataDir);
  for (const reason of reasons) {
    const event = { at: 1_000, type: 'daemon.stopped', reason } as const;
    store.commit({ events: [event], actor: 'test', memory: { ...store.memory(), revision: reason } });
  }
  store.close();
}

/** A point with content of its own. */
async function take(dataDir: string, id: string): Promise<Point> {
  const content = await open(dataDir);
  const session = await content.begin({ operation: id, signal: SIGNAL });
  const ref = await session.put(Buffer.from(`content of ${id}`));
  const { manifest } = await session.commit([{ content: ref }]);
  content.release(id);
  const made = aPoint(1_000, { id });
  const point = { ...made, snapshots: made.snapshots.map((snapshot) => ({ ...snapshot, manifest })) };
  const store = new Store(dataDir);
  const memory = store.memory();
  const event = { at: 1_000, type: 'source.recovered' } as const;
  store.commit({ events: [event], actor: 'test', memory: { ...memory, points: { ...memory.points, [id]: point } } });
  store.close();
  return point;
}

async function backUp(dataDir: string, withoutContent = false, path = join(folder, 'backup.tar')): Promise<Backup> {
  const store = new Store(dataDir);
  try {
    const manifests = () => neededContent(store.memory().points).sound;
    const means = {
      store,
      dataDir,
      host: 'h',
      version: '1',
      now: () => 2_000,
      halt: () => readHalt(dataDir),
      manifests,
    };
    return await createBackup({ ...means, content: () => open(dataDir) }, { path, withoutContent }, () => undefined);
  } finally {
    store.close();
  }
}

async function restore(file: string, force = false, dataDir = fresh): Promise<Restored> {
  const means = { dataDir, now: () => 3_000, actor: 'anna', onStage: () => undefined };
  return await restoreBackup(file, force, { ...means, content: () => open(dataDir) });
}

function reasonsIn(dataDir: string): string[] {
  const store = new Store(dataDir, { readOnly: true });
  try {
    return store.events().map(({ event }) => (event.type === 'daemon.stopped' ? event.reason : event.type));
  } finally {
    store.close();
  }
}

describe('a backup', () => {
  test('has the log, memory, the halt and the content of points', async () => {
    say(old, 'one', 'two');
    const point = await take(old, 'kept');
    writeHalt(old, { since: 5, by: 'anna', reason: 'looking' });
    const { path, seq, hash } = await backUp(old);
    const restored = await restore(path);
    expect(restored).toMatchObject({
      pointsLost: [],
      aside: null,
      note: { host: 'h', takenAt: 2_000, store: { seq, hash } },
    });
    expect(reasonsIn(fresh)).toEqual(['one', 'two', 'source.recovered', 'store.restored']);
    expect(readHalt(fresh)).toEqual({ since: 5, by: 'anna', reason: 'looking' });
    const [manifest = ''] = point.snapshots.map((snapshot) => snapshot.manifest);
    expect((await (await open(fresh)).verify(manifest, { signal: SIGNAL })).faults).toEqual([]);
    const store = new Store(fresh, { readOnly: true });
    expect(store.memory()).toMatchObject({ revision: 'two', points: { kept: { id: 'kept' } } });
    expect(store.verifyChain([{ seq, hash }])).toMatchObject({ brokenAt: null, confirmed: 1 });
    store.close();
    expect(readdirSync(fresh).filter((name) => name.startsWith('restore-'))).toEqual([]);
    expect(readdirSync(old).filter((name) => name.startsWith('backup-'))).toEqual([]);
  });

  test('without content brings back what is still there, and forgets the rest', async () => {
    say(old, 'one');
    await take(old, 'gone');
    const { path } = await backUp(old, true);
    expect(await restore(path)).toMatchObject({ pointsLost: ['gone'] });
    expect(reasonsIn(fresh)).toEqual(['one', 'source.recovered', 'store.restored', 'points.deleted']);
    say(old, 'later');
    expect(await restore(path, true, old)).toMatchObject({ pointsLost: [] });
  });

  test('gets a name in a folder, and is written over nothing', async () => {
    say(old, 'one');
    const { path } = await backUp(old, false, folder);
    expect(path).toBe(join(folder, 'revertd-h-1970-01-01T00-00-02Z.tar'));
    await expect(backUp(old, false, path)).rejects.toThrow(expect.objectContaining({ code: 'exists' }));
  });

  test('with the content of a point that is gone is not made, and leaves nothing', async () => {
    say(old, 'one');
    await take(old, 'kept');
    for (const shard of readdirSync(join(old, 'points/blobs')))
      rmSync(join(old, 'points/blobs', shard), { recursive: true });
    await expect(backUp(old)).rejects.toThrow(/points verify.*--no-content/);
    expect(readdirSync(folder)).toEqual(['old']);
  });
});

describe('what is there already', () => {
  test('is replaced where the backup has all of it', async () => {
    say(old, 'one');
    await backUp(old, false, join(folder, 'first.tar'));
    say(old, 'two');
    const { path } = await backUp(old);
    await restore(join(folder, 'first.tar'));
    // What the first restore wrote down itself is in no backup.
    await expect(restore(path)).rejects.toThrow(expect.objectContaining({ code: 'wouldLose' }));
    expect(await restore(path, false, old)).toMatchObject({ aside: null });
    expect(reasonsIn(old)).toEqual(['one', 'two', 'store.restored']);
  });

  test('stays where it has more, and is put aside by force', async () => {
    say(old, 'one');
    const { path } = await backUp(old);
    say(old, 'two');
    await expect(restore(path, false, old)).rejects.toThrow(/has 2 events, .* after event 1 of h.*--force/);
    expect(reasonsIn(old)).toEqual(['one', 'two']);
    const { aside } = await restore(path, true, old);
    expect(reasonsIn(old)).toEqual(['one', 'store.restored']);
    const kept = new DatabaseSync(aside ?? '', { readOnly: true });
    expect(kept.prepare('SELECT count(*) AS events FROM events').get()).toEqual({ events: 2 });
    kept.close();
  });

  test('is never taken from a daemon, whatever is forced', async () => {
    say(old, 'one');
    const { path } = await backUp(old);
    const daemon = new Store(old);
    await expect(restore(path, true, old)).rejects.toThrow(expect.objectContaining({ code: 'locked' }));
    daemon.close();
  });

  test('is put aside by force where nobody can read it', async () => {
    say(old, 'one');
    const { path } = await backUp(old);
    writeFileSync(join(old, STORE_FILE), 'no database at all, but long enough to be taken for one'.repeat(100));
    await expect(restore(path, false, old)).rejects.toThrow(/cannot be read.*--force/);
    const { aside } = await restore(path, true, old);
    expect(readFileSync(aside ?? '', 'utf8')).toContain('no database at all');
    expect(reasonsIn(old)).toEqual(['one', 'store.restored']);
  });
});

describe('a file', () => {
  test('that a version older wrote is brought over', async () => {
    const path = await archiveOf(1, { schema: 1 });
    await restore(path);
    const store = new Store(fresh, { readOnly: true });
    expect(store.memory().revision).toBe('of the first version');
    store.close();
  });

  test.each<[string, Partial<BackupNote['store']>, RegExp]>([
    ['that a newer version wrote', { schema: SCHEMA_VERSION + 1 }, /schema \d+, written by revertd 1.*newer/],
    ['whose store was changed', { sha256: 'f'.repeat(64) }, /has the SHA-256 .* take another backup/],
    ['whose log does not end as its note says', { seq: 4 }, /its log is not whole, events 1 to 4 are cut/],
  ])('%s is refused, and nothing is there afterwards', async (_what, changed, message) => {
    const path = await archiveOf(1, changed);
    await expect(restore(path)).rejects.toThrow(message);
    expect(readdirSync(fresh)).toEqual([]);
  });

  test('that is none, or was cut off, is refused', async () => {
    say(old, 'one');
    const { path } = await backUp(old);
    truncateSync(path, 6_000);
    await expect(restore(path)).rejects.toThrow(expect.objectContaining({ name: 'ContentError' }));
    writeFileSync(join(folder, 'x'), '{}');
    await packTar(join(folder, 'other.tar'), [{ folder, names: ['x'] }], SIGNAL);
    await expect(restore(join(folder, 'other.tar'))).rejects.toThrow(/no backup that revertd wrote/);
    expect(existsSync(join(fresh, STORE_FILE))).toBe(false);
  });
});

/** A backup of a store as that version left it, with another note. */
async function archiveOf(schema: number, changed: Partial<BackupNote['store']>): Promise<string> {
  const from = mkdtempSync(join(folder, 'made-'));
  const file = join(from, STORE_FILE);
  const database = new DatabaseSync(file);
  migrate(database, schema);
  const memory = JSON.stringify({ ...EMPTY_MEMORY, revision: 'of the first version' });
  database.prepare('INSERT INTO memory (id, seq, json) VALUES (1, 0, ?)').run(memory);
  database.close();
  const store = { schema, seq: 0, hash: GENESIS, sha256: await sha256Of(file), ...changed };
  const note: BackupNote = {
    schemaVersion: 1,
    revertd: '1',
    host: 'h',
    takenAt: 1,
    store,
    halt: null,
    manifests: null,
  };
  writeFileSync(join(from, BACKUP_NOTE), JSON.stringify(note));
  const path = join(folder, 'made.tar');
  await packTar(path, [{ folder: from, names: [BACKUP_NOTE, STORE_FILE] }], SIGNAL);
  return path;
}
