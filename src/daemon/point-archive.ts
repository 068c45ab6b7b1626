import { access } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import type { EventSpec } from '../core/event.ts';
import { isCaptured, type PointId } from '../core/model/point.ts';
import { CommandError, type Situation } from '../core/operator-commands.ts';
import { importPoint, refuseKnown } from '../core/points/import-point.ts';
import { pointCalled } from '../core/points/point-called.ts';
import { ContentError } from '../store/content/content-error.ts';
import type { ContentStore } from '../store/content/content-store.ts';
import { pointNote, readPointNote } from './apply/point-note.ts';

/** What is needed to write points into files, and to read them from there. */
export type ArchiveMeans = {
  readonly host: string;
  readonly situation: () => Situation;
  readonly content: () => Promise<ContentStore>;
  readonly record: (events: readonly EventSpec[]) => void;
};

const DEADLINE_MS = 6 * 3_600_000;

/** Writes a point into one file, which must not be there yet. Resolves with its size. @throws CommandError */
export async function exportPoint(
  id: PointId,
  path: string,
  { host, situation, content }: ArchiveMeans,
): Promise<number> {
  const point = pointCalled(situation().memory, id);
  if (!isCaptured(point) && point.state !== 'pruned') {
    throw new CommandError('refused', `${id} is ${point.state}: there is nothing to write`);
  }
  refuseRelative(path);
  if (await isThere(path)) throw new CommandError('refused', `${path} is there already; nothing is written over`);
  const manifests = point.snapshots.map(({ manifest }) => manifest);
  return await asCommand(async () => {
    const store = await content();
    return await store.pack(path, {
      manifests,
      note: pointNote(point, host),
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
  });
}

/** Takes over a point that another host, or another life, wrote into a file. Answers its id. @throws CommandError */
export async function importFile(path: string, { situation, content, record }: ArchiveMeans): Promise<PointId> {
  refuseRelative(path);
  const operation = `import:${path}`;
  return await asCommand(async () => {
    const store = await content();
    let note: ReturnType<typeof readPointNote> | undefined;
    try {
      await store.unpack(path, {
        operation,
        signal: AbortSignal.timeout(DEADLINE_MS),
        read: (text) => {
          note = readPointNote(text);
          refuseKnown(situation(), note.point);
          return note.point.snapshots.map(({ manifest }) => manifest);
        },
      });
      if (note === undefined) throw new ContentError('format', `${path} says nothing of its point`);
      record(importPoint(situation(), note.point, `${path}, of ${note.host}`));
      return note.point.id;
    } finally {
      store.release(operation);
    }
  });
}

function refuseRelative(path: string): void {
  if (!isAbsolute(path)) throw new CommandError('invalid', `name the file by its whole path, not ${path}`);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

/** What is wrong with a file, or with the store, is the answer to a command. */
async function asCommand<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof ContentError) throw new CommandError('refused', error.message);
    throw error;
  }
}
