import type { Snapshot } from '../../../core/model/point.ts';
import type { ManifestLine } from '../../../store/content/content-reader.ts';
import type { ContentStore } from '../../../store/content/content-store.ts';
import { refuseOtherFormat } from '../captured-target.ts';
import { TargetError } from '../target-driver.ts';
import type { DatabaseRecord } from './database-file.ts';

const FORMAT = 'sqlite/1';

export function recordLine({ content, ...record }: DatabaseRecord): ManifestLine {
  return { format: FORMAT, ...record, content };
}

/** Rejects with TargetError `snapshot`, and with ContentError. */
export async function recordOf(store: ContentStore, { manifest }: Pick<Snapshot, 'manifest'>): Promise<DatabaseRecord> {
  for await (const line of store.manifest(manifest)) return toRecord(line);
  throw senseless();
}

function toRecord(line: ManifestLine): DatabaseRecord {
  const { format, path, mode, uid, gid, source, content } = line;
  refuseOtherFormat(format, FORMAT);
  if (typeof path !== 'string' || content === undefined) throw senseless();
  if (!isCount(mode) || !isCount(uid) || !isCount(gid)) throw senseless();
  return { path, mode, uid, gid, content, source: typeof source === 'string' ? source : null };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function senseless(): TargetError {
  return new TargetError('snapshot', 'the snapshot of the database makes no sense; it was written by something else');
}
