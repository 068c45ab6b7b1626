import type { Snapshot } from '../../../core/model/point.ts';
import type { BlobRef } from '../../../store/content/blob-ref.ts';
import type { ManifestLine } from '../../../store/content/content-reader.ts';
import type { ContentStore } from '../../../store/content/content-store.ts';
import { refuseOtherFormat } from '../captured-target.ts';
import { TargetError } from '../target-driver.ts';
import { shownTable, type TableContent } from './contents.ts';
import type { DatabaseProperties } from './properties.ts';

/** What a snapshot is: the archive that pg_dump wrote, and what was counted in the same state. */
export type DatabaseRecord = {
  readonly database: string;
  /** Of the server that wrote it, such as 150018. */
  readonly version: number;
  /** On the server's disk. */
  readonly sizeBytes: number;
  readonly properties: DatabaseProperties;
  /** A digest of all definitions; of a part, of the columns of its tables. */
  readonly definitions: string;
  /** Whether it is the rows of some tables alone. */
  readonly isPart: boolean;
  /** Where the sequences stood; empty of a part. */
  readonly sequences: string;
  /** Whether large objects are among it, which are in no table and are not compared. */
  readonly hasLargeObjects: boolean;
  readonly content: BlobRef;
  readonly tables: readonly TableContent[];
};

const FORMAT = 'postgres/1';

export function* recordLines({ tables, content, ...head }: DatabaseRecord): Generator<ManifestLine> {
  yield { format: FORMAT, ...head, content };
  for (const { schema, name, rows, digest, key } of tables) yield { schema, name, rows, digest, key };
}

/** `database shop`, `orders`. */
export function shownLine(line: ManifestLine): string {
  if (typeof line['database'] === 'string') return `database ${line['database']}`;
  return shownTable({ schema: String(line['schema']), name: String(line['name']) });
}

/** Rejects with TargetError `snapshot`, and with ContentError. */
export async function recordOf(store: ContentStore, { manifest }: Pick<Snapshot, 'manifest'>): Promise<DatabaseRecord> {
  let head: Omit<DatabaseRecord, 'tables'> | undefined;
  const tables: TableContent[] = [];
  for await (const line of store.manifest(manifest)) {
    if (head === undefined) head = toHead(line);
    else tables.push(toTable(line));
  }
  if (head === undefined) throw senseless();
  return { ...head, tables };
}

function toHead(line: ManifestLine): Omit<DatabaseRecord, 'tables'> {
  const { format, database, version, sizeBytes, properties, definitions, sequences, hasLargeObjects, content } = line;
  refuseOtherFormat(format, FORMAT);
  if (typeof database !== 'string' || typeof definitions !== 'string' || typeof sequences !== 'string') {
    throw senseless();
  }
  if (!isCount(version) || !isCount(sizeBytes) || content === undefined || !isProperties(properties)) throw senseless();
  const flags = { isPart: line['isPart'] === true, hasLargeObjects: hasLargeObjects === true };
  return { database, version, sizeBytes, properties, definitions, sequences, ...flags, content };
}

function isProperties(value: unknown): value is DatabaseProperties {
  if (typeof value !== 'object' || value === null) return false;
  const { encoding, owner, settings, grants }: { [K in keyof DatabaseProperties]?: unknown } = value;
  return typeof encoding === 'string' && typeof owner === 'string' && Array.isArray(settings) && Array.isArray(grants);
}

function toTable({ schema, name, rows, digest, key }: ManifestLine): TableContent {
  if (typeof schema !== 'string' || typeof name !== 'string') throw senseless();
  if (!isCount(rows) || typeof digest !== 'string') throw senseless();
  if (!Array.isArray(key) || !key.every((column) => typeof column === 'string')) throw senseless();
  return { schema, name, rows, digest, key };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function senseless(): TargetError {
  return new TargetError('snapshot', 'the snapshot of the database makes no sense; it was written by something else');
}
