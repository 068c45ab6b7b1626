import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type BlobRef, toBlobRef } from '../../../store/content/blob-ref.ts';
import type { ManifestLine } from '../../../store/content/content-reader.ts';
import { refuseOtherFormat } from '../captured-target.ts';
import { TargetError } from '../target-driver.ts';
import { type BytePath, compareWalked, fromJsonPath, toJsonPath } from './byte-path.ts';
import { type Attributes, isSameAttributes, sortedText } from './extended-attributes.ts';

/** One thing in a tree of files, as it was. */
export type FileEntry = {
  /** Which of the target's paths it is below. */
  readonly root: number;
  /** Below the root; empty for the root itself. */
  readonly path: BytePath;
  readonly type: FileType;
  /** The permission bits, set-user-id and sticky too. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeNs: bigint;
  /** With the inode: whether a file is still the one that was read. */
  readonly ctimeNs: bigint;
  readonly ino: bigint;
  /** Of a file that is the first of its name. */
  readonly content?: BlobRef;
  /** Of another name of the same file: the first one, below the same root. */
  readonly sameAs?: BytePath;
  /** Of a link. */
  readonly to?: BytePath;
  /** Of a device: its number. */
  readonly device?: string;
  /** Extended ones, of files and folders that have any. */
  readonly attributes?: Attributes;
  /** It changed each time while it was read: what is stored may be of no single moment. */
  readonly unstable?: true;
};

/** What is neither file, folder nor link is noted, and never opened, made or removed. */
export type FileType = (typeof FILE_TYPES)[number];
export const FILE_TYPES = ['file', 'folder', 'link', 'fifo', 'socket', 'device'] as const;

const { S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } = constants;
const TYPE_OF_MODE: ReadonlyMap<number, FileType> = new Map([
  [S_IFREG, 'file'],
  [S_IFDIR, 'folder'],
  [S_IFLNK, 'link'],
  [S_IFIFO, 'fifo'],
  [S_IFSOCK, 'socket'],
]);

export function typeOf({ mode }: { readonly mode: bigint }): FileType {
  return TYPE_OF_MODE.get(Number(mode) & S_IFMT) ?? 'device';
}

/** The first line of a manifest. */
export type FilesHead = {
  readonly roots: readonly string[];
  readonly exclude: readonly string[];
  readonly oneFileSystem: boolean;
  /** Whether extended attributes were looked at. */
  readonly attributes: boolean;
};

const FORMAT = 'files/1';

export function headLine({ roots, exclude, oneFileSystem, attributes }: FilesHead): ManifestLine {
  return { format: FORMAT, roots, exclude, oneFileSystem, attributes };
}

/** @throws {TargetError} `snapshot` */
export function toHead(line: ManifestLine | undefined): FilesHead {
  const { format, roots, exclude, oneFileSystem } = line ?? {};
  refuseOtherFormat(format, FORMAT);
  if (!isTexts(roots) || !isTexts(exclude) || typeof oneFileSystem !== 'boolean') throw senseless();
  return { roots, exclude, oneFileSystem, attributes: line?.['attributes'] === true };
}

export function entryLine({ content, ...entry }: FileEntry): ManifestLine {
  const { path, sameAs, to, mtimeNs, ctimeNs, ino, ...rest } = entry;
  return {
    path: toJsonPath(path),
    ...rest,
    mtimeNs: String(mtimeNs),
    ctimeNs: String(ctimeNs),
    ino: String(ino),
    ...(sameAs === undefined ? {} : { sameAs: toJsonPath(sameAs) }),
    ...(to === undefined ? {} : { to: toJsonPath(to) }),
    ...(content === undefined ? {} : { content }),
  };
}

/** @throws {TargetError} `snapshot` */
export function toEntry(line: ManifestLine): FileEntry {
  const path = fromJsonPath(line['path']);
  const type = FILE_TYPES.find((name) => name === line['type']);
  if (path === undefined || type === undefined || !isPlain(path)) throw senseless();
  const sameAs = fromJsonPath(line['sameAs']);
  const to = fromJsonPath(line['to']);
  const content = line.content === undefined ? undefined : toBlobRef(line.content);
  const device = line['device'];
  return {
    root: numberIn(line, 'root'),
    path,
    type,
    mode: numberIn(line, 'mode'),
    uid: numberIn(line, 'uid'),
    gid: numberIn(line, 'gid'),
    size: numberIn(line, 'size'),
    mtimeNs: bigIn(line, 'mtimeNs'),
    ctimeNs: bigIn(line, 'ctimeNs'),
    ino: bigIn(line, 'ino'),
    ...(sameAs === undefined ? {} : { sameAs }),
    ...(to === undefined ? {} : { to }),
    ...(content === undefined ? {} : { content }),
    ...(typeof device === 'string' ? { device } : {}),
    ...attributesIn(line),
    ...(line['unstable'] === true ? { unstable: true } : {}),
  };
}

/** No part of a path leads out of the tree, whoever wrote the manifest. */
function isPlain(path: BytePath): boolean {
  return path === '' || path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

function attributesIn({ attributes }: ManifestLine): Pick<FileEntry, 'attributes'> {
  if (attributes === undefined) return {};
  if (typeof attributes !== 'object' || attributes === null) throw senseless();
  const pairs = Object.entries(attributes);
  if (!pairs.every(([name, value]) => /^[^\s=]+$/.test(name) && /^0x[0-9a-f]*$/.test(String(value)))) throw senseless();
  return { attributes: Object.fromEntries(pairs) };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function numberIn(line: ManifestLine, key: string): number {
  const value = line[key];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw senseless();
  return value;
}

function bigIn(line: ManifestLine, key: string): bigint {
  const value = line[key];
  if (typeof value !== 'string' || !/^-?\d+$/.test(value)) throw senseless();
  return BigInt(value);
}

function senseless(): TargetError {
  return new TargetError('snapshot', 'the snapshot has a line that makes no sense; it was written by something else');
}

/** The order of a manifest. */
export function compareEntries(a: Pick<FileEntry, 'root' | 'path'>, b: Pick<FileEntry, 'root' | 'path'>): number {
  return a.root - b.root || compareWalked(a.path, b.path);
}

/** Node sets times to the microsecond, so more is not compared. */
export function microseconds(ns: bigint): bigint {
  return ns / 1000n;
}

/** What makes the difference, for people; empty if there is none. Of folders and links the time does not count. */
export function differences(before: FileEntry, after: FileEntry): readonly string[] {
  if (before.type !== after.type) return [`${before.type} → ${after.type}`];
  const found: string[] = [];
  if (before.size !== after.size && before.type === 'file') found.push(`${before.size} → ${after.size} bytes`);
  else if (before.content?.sha256 !== after.content?.sha256) found.push(`content, ${after.size} bytes`);
  if (before.sameAs !== after.sameAs) found.push('the files that it is one with');
  if (before.to !== after.to) found.push('where it leads');
  if (before.device !== after.device) found.push('its device number');
  if (before.type !== 'link' && before.mode !== after.mode) found.push(`mode ${octal(before)} → ${octal(after)}`);
  if (before.uid !== after.uid || before.gid !== after.gid) {
    found.push(`owner ${before.uid}:${before.gid} → ${after.uid}:${after.gid}`);
  }
  if (!isSameAttributes(before.attributes, after.attributes)) found.push('extended attributes');
  if (before.type === 'file' && microseconds(before.mtimeNs) !== microseconds(after.mtimeNs)) found.push('time');
  return found;
}

/** Of its mode. */
export function octal({ mode }: FileEntry): string {
  return mode.toString(8).padStart(3, '0');
}

/** A sum over all that `differences` compares. */
export class TreeFingerprint {
  readonly #hash = createHash('sha256');

  add({ root, path, type, mode, uid, gid, mtimeNs, content, sameAs, to, device, attributes }: FileEntry): void {
    const time = type === 'file' ? String(microseconds(mtimeNs)) : '';
    const bits = type === 'link' ? 0 : mode;
    const extended = attributes === undefined ? [] : [sortedText(attributes)];
    const all = [root, path, type, bits, uid, gid, time, content?.sha256, sameAs, to, device, ...extended];
    this.#hash.update(`${JSON.stringify(all)}\n`);
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}
