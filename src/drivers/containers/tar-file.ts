import { EngineError } from './engine-error.ts';

/** One file in a tar archive, which is how the engine hands files in and out. */
export type TarFile = {
  /** Without a folder. */
  readonly name: string;
  /** Permission bits, with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly bytes: Uint8Array;
};

const BLOCK = 512;
/** The largest number that fits into seven octal digits. */
const LARGEST_OCTAL = 0o7777777;

/** An archive with this file alone, in POSIX' ustar form; what does not fit stands in a pax header before it. */
export function packFile(file: TarFile, mtimeS: number): Buffer {
  const pax = [
    Buffer.byteLength(file.name) > 100 ? paxRecord('path', file.name) : '',
    file.uid > LARGEST_OCTAL ? paxRecord('uid', String(file.uid)) : '',
    file.gid > LARGEST_OCTAL ? paxRecord('gid', String(file.gid)) : '',
  ].join('');
  const extension = pax === '' ? [] : entry('x', { ...file, name: 'pax', bytes: Buffer.from(pax) }, mtimeS);
  return Buffer.concat([...extension, ...entry('0', file, mtimeS), Buffer.alloc(2 * BLOCK)]);
}

function entry(type: string, file: TarFile, mtimeS: number): Buffer[] {
  const header = Buffer.alloc(BLOCK);
  header.write(file.name, 0, 100, 'utf8');
  header.write(octal(file.mode & 0o7777, 7), 100, 'latin1');
  header.write(octal(Math.min(file.uid, LARGEST_OCTAL), 7), 108, 'latin1');
  header.write(octal(Math.min(file.gid, LARGEST_OCTAL), 7), 116, 'latin1');
  header.write(octal(file.bytes.length, 11), 124, 'latin1');
  header.write(octal(Math.max(0, Math.floor(mtimeS)), 11), 136, 'latin1');
  header.write(type, 156, 'latin1');
  header.write('ustar\u{0}00', 257, 'latin1');
  header.write(octal(checksum(header), 6), 148, 'latin1');
  header.write('\u{0} ', 154, 'latin1');
  const padding = Buffer.alloc((BLOCK - (file.bytes.length % BLOCK)) % BLOCK);
  return [header, Buffer.from(file.bytes), padding];
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

/** Of the header with blanks where the sum itself stands. */
function checksum(header: Buffer): number {
  let sum = 0;
  for (const [at, byte] of header.entries()) sum += at >= 148 && at < 156 ? 0x20 : byte;
  return sum;
}

/** `LENGTH key=value\n`, where the length counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest) + 1;
  while (String(length).length + Buffer.byteLength(rest) !== length) length += 1;
  return `${length}${rest}`;
}

/** The first file of an archive; undefined if its first entry is something else: a folder, a link, a pipe. */
export function unpackFile(archive: Buffer): TarFile | undefined {
  let overrides: ReadonlyMap<string, string> = new Map();
  let longName: string | undefined;
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const header = archive.subarray(at, at + BLOCK);
    if (checksum(header) !== numberIn(header, 148, 8)) throw broken('its checksum is wrong');
    const size = numberIn(header, 124, 12);
    const bytes = archive.subarray(at + BLOCK, at + BLOCK + size);
    if (bytes.length < size) throw broken('it ends in the middle');
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    const type = String.fromCharCode(header.readUInt8(156));
    if (type === 'x') overrides = parsePax(bytes);
    else if (type === 'L') longName = textIn(bytes, 0, bytes.length);
    else if (type !== 'g') return fileOf(header, type, bytes, overrides, longName);
  }
  throw broken('it is empty');
}

function fileOf(
  header: Buffer,
  type: string,
  bytes: Buffer,
  overrides: ReadonlyMap<string, string>,
  longName: string | undefined,
): TarFile | undefined {
  if (type !== '0' && type !== '\u{0}') return undefined;
  const path = overrides.get('path') ?? longName ?? textIn(header, 0, 100);
  return {
    name: path.slice(path.lastIndexOf('/') + 1),
    mode: numberIn(header, 100, 8) & 0o7777,
    uid: Number(overrides.get('uid') ?? numberIn(header, 108, 8)),
    gid: Number(overrides.get('gid') ?? numberIn(header, 116, 8)),
    bytes,
  };
}

/** Octal digits, or, with the first bit set, a binary number (GNU). */
function numberIn(header: Buffer, at: number, length: number): number {
  if ((header.readUInt8(at) & 0x80) !== 0) return header.readUIntBE(at + length - 6, 6);
  const digits = textIn(header, at, length).trim();
  if (!/^[0-7]*$/.test(digits)) throw broken(`${JSON.stringify(digits)} is not an octal number`);
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

function textIn(bytes: Buffer, at: number, length: number): string {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? field.length : end);
}

function parsePax(bytes: Buffer): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(0x20, at);
    const length = Number(bytes.toString('latin1', at, blank));
    if (blank === -1 || !Number.isInteger(length) || length <= 0) throw broken('its pax header cannot be read');
    const record = bytes.toString('utf8', blank + 1, at + length - 1);
    const equals = record.indexOf('=');
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

function broken(why: string): EngineError {
  return new EngineError('notAnEngine', `the engine's archive cannot be read: ${why}`);
}
