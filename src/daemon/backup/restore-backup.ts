import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Event } from '../../core/event.ts';
import { evolve } from '../../core/evolve.ts';
import type { Memory } from '../../core/memory.ts';
import { formatInstant, type Millis } from '../../core/units.ts';
import type { ContentStore } from '../../store/content/content-store.ts';
import { unpackTar } from '../../store/content/tar.ts';
import { STORE_FILE } from '../../store/database.ts';
import { SCHEMA_VERSION } from '../../store/schema.ts';
import { Store } from '../../store/store.ts';
import { faultPoint } from '../fault-point.ts';
import { writeHalt } from '../halt-file.ts';
import { BackupError, inBackup } from './backup-error.ts';
import { BACKUP_NOTE, type BackupNote, readBackupNote } from './backup-note.ts';
import { holdStore, type PresentStore } from './place-store.ts';
import { hasEvent, readStoreCopy, sha256Of } from './store-copy.ts';

export type RestoreMeans = {
  readonly dataDir: string;
  readonly now: () => Millis;
  readonly actor: string;
  /** Where content of points goes; null where points live in memory only. */
  readonly content: (() => Promise<ContentStore>) | null;
  readonly onStage: (stage: string) => void;
};

export type Restored = {
  readonly note: BackupNote;
  /** Points whose content is not here, and which are none any more. */
  readonly pointsLost: readonly string[];
  readonly incidentsOpen: readonly string[];
  /** What was there before, where it had something that the backup has not. */
  readonly aside: string | null;
};

const SCRATCH = 'restore-';
const OPERATION = 'restore-backup';
const DEADLINE_MS = 24 * 3_600_000;

/**
 * Puts a backup in the place of the store, if no daemon has that and nothing would be lost that only it has; `force` puts that
 * aside. All is read, checked and brought to this version's schema first; one renaming makes it count. Whoever is interrupted
 * before finds what was there, and whoever is after finds the backup. Rejects with BackupError, ContentError or StoreError.
 */
export async function restoreBackup(file: string, force: boolean, means: RestoreMeans): Promise<Restored> {
  const { dataDir, onStage } = means;
  return await inBackup(`restoring ${file} to ${dataDir}`, async () => {
    await mkdir(dataDir, { recursive: true, mode: 0o750 });
    await using present = holdStore(dataDir);
    const scratch = await makeScratch(dataDir);
    try {
      onStage('unpacking');
      await unpackTar(file, scratch, AbortSignal.timeout(DEADLINE_MS));
      const note = await noteIn(scratch, file);
      onStage('checking');
      await refuseDamaged(scratch, note, file);
      const aside = asideFor(present, scratch, note, { file, force, means });
      const { lost, open } = await bringOver(scratch, note, file, means);
      faultPoint('restore:ready');
      onStage('putting in place');
      // A halt is rather there for nothing than missing.
      if (note.halt !== null) writeHalt(dataDir, note.halt);
      await present.replaceBy(join(scratch, STORE_FILE), aside);
      faultPoint('restore:placed');
      return { note, pointsLost: lost, incidentsOpen: open, aside };
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  });
}

/** What a killed one left is of no use: it was not done, or it was done and only not cleared away. */
async function makeScratch(dataDir: string): Promise<string> {
  for (const name of await readdir(dataDir)) {
    if (name.startsWith(SCRATCH)) await rm(join(dataDir, name), { recursive: true, force: true });
  }
  return await mkdtemp(join(dataDir, SCRATCH));
}

async function noteIn(scratch: string, file: string): Promise<BackupNote> {
  let text: string;
  try {
    text = await readFile(join(scratch, BACKUP_NOTE), 'utf8');
  } catch (cause) {
    const hint = 'a point is brought back with `revertd points import`';
    throw new BackupError('format', `${file} is no backup that revertd wrote: it has no ${BACKUP_NOTE}; ${hint}`, {
      cause,
    });
  }
  return readBackupNote(text, file);
}

async function refuseDamaged(scratch: string, note: BackupNote, file: string): Promise<void> {
  const { schema, sha256 } = note.store;
  if (schema > SCHEMA_VERSION) {
    const message = `${file} has a store of schema ${schema}, written by revertd ${note.revertd}; this one knows ${SCHEMA_VERSION}. Restore it with that version or a newer one`;
    throw new BackupError('newer', message);
  }
  const found = await sha256Of(join(scratch, STORE_FILE));
  if (found === sha256) return;
  throw new BackupError(
    'damaged',
    `${file}: its ${STORE_FILE} has the SHA-256 ${found}, and not ${sha256} as its note says; take another backup`,
  );
}

type AsideChoice = {
  readonly file: string;
  readonly force: boolean;
  readonly means: Pick<RestoreMeans, 'dataDir' | 'now'>;
};

/** Where what is there goes: nowhere if the backup has all of it. @throws {BackupError} `wouldLose` */
function asideFor(
  { found }: PresentStore,
  scratch: string,
  note: BackupNote,
  { file, force, means }: AsideChoice,
): string | null {
  if (found === null) return null;
  const time = new Date(means.now()).toISOString().slice(0, 19).replaceAll(':', '-');
  const aside = join(means.dataDir, `before-restore-${time}Z.db`);
  const path = join(means.dataDir, STORE_FILE);
  if (found === 'damaged') {
    if (force) return aside;
    throw new BackupError(
      'wouldLose',
      `${path} cannot be read: it is damaged, or no store; with --force it is put aside as ${aside}`,
    );
  }
  if (found.schema <= note.store.schema && hasEvent(join(scratch, STORE_FILE), found)) return null;
  if (force) return aside;
  const until = found.at === null ? '' : `, the last of ${formatInstant(found.at)}`;
  const had = `${path} has ${found.seq} events${until}`;
  const lacks = `the backup was taken at ${formatInstant(note.takenAt)} after event ${note.store.seq} of ${note.host}, and has not all of them`;
  throw new BackupError(
    'wouldLose',
    `${had}; ${lacks}. With --force ${file} takes its place, and what is there is kept as ${aside}`,
  );
}

/** Makes of the unpacked store what the next daemon begins with: of this schema, with its content here, and saying where it is from. */
async function bringOver(
  scratch: string,
  note: BackupNote,
  file: string,
  means: RestoreMeans,
): Promise<{ readonly lost: readonly string[]; readonly open: readonly string[] }> {
  const store = new Store(scratch);
  try {
    const { faults } = await store.verifyChainInTurns([note.store]);
    const [first] = faults;
    if (first !== undefined) {
      const where = `events ${first.from} to ${first.to} are ${first.kind}`;
      throw new BackupError('damaged', `${file}: its log is not whole, ${where}; take another backup`);
    }
    const memory = store.memory();
    const lacking = new Set(await takeContent(scratch, note, file, memory, means));
    const lost = Object.values(memory.points).filter(({ snapshots }) =>
      snapshots.some(({ manifest }) => lacking.has(manifest)),
    );
    const { host, takenAt } = note;
    const at = means.now();
    const events: Event[] = [{ at, type: 'store.restored', file, host, takenAt, seq: note.store.seq }];
    if (lost.length > 0) events.push({ at, type: 'points.deleted', points: lost.map(({ id }) => id) });
    store.commit({ events, actor: means.actor, memory: events.reduce(evolve, memory) });
    const open = Object.values(memory.incidents).filter(({ phase }) => phase.kind !== 'closed');
    return { lost: lost.map(({ id }) => id), open: open.map(({ id }) => id) };
  } finally {
    store.close();
    readStoreCopy(join(scratch, STORE_FILE));
  }
}

/** Content is added and never replaced, so that it does no harm if the rest does not follow. Answers what is not here then. */
async function takeContent(
  scratch: string,
  note: BackupNote,
  file: string,
  memory: Memory,
  means: RestoreMeans,
): Promise<readonly string[]> {
  // Without persistence the daemon itself forgets points of earlier lives.
  if (means.content === null) return [];
  const content = await means.content();
  if (note.manifests !== null) {
    means.onStage('taking over the content of points');
    const signal = AbortSignal.timeout(DEADLINE_MS);
    await content.adopt({ from: scratch, archive: file, manifests: note.manifests, operation: OPERATION, signal });
  }
  const wanted = Object.values(memory.points).flatMap(({ snapshots }) => snapshots.map(({ manifest }) => manifest));
  return await content.lacks(new Set(wanted));
}
