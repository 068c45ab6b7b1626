import { fstatSync, readSync } from 'node:fs';

/** The pages of a database file, whatever they hold: sqlite.org/fileformat2.html. Nothing here trusts what it reads. */
export type PageFile = {
  readonly pageSize: number;
  /** Without what is reserved at the end of each page. */
  readonly usable: number;
  readonly count: number;
  readonly header: FileHeader;
  /** Pages count from 1; undefined if there is none of that number. */
  readonly page: (number: number) => Buffer | undefined;
};

export type FileHeader = {
  readonly encoding: TextEncodingOf;
  readonly freelist: number;
  readonly autoVacuum: number;
  readonly userVersion: number;
  readonly applicationId: number;
  /** It was in WAL mode. */
  readonly isWal: boolean;
};

export type TextEncodingOf = 'UTF-8' | 'UTF-16le' | 'UTF-16be';

const MAGIC = 'SQLite format 3\0';
const HEADER_BYTES = 100;
const SMALLEST_PAGE = 512;
const LARGEST_PAGE = 65_536;
/** What most databases have, for one whose header is gone. */
const USUAL_PAGE = 4096;
const PAGES_TRIED = 200;

/** @throws an error of a system call */
export function openPages(fd: number): PageFile {
  const { size } = fstatSync(fd);
  const head = Buffer.alloc(HEADER_BYTES);
  readSync(fd, head, 0, HEADER_BYTES, 0);
  const hasHeader = head.toString('latin1', 0, 16) === MAGIC && isPageSize(statedSize(head));
  const pageSize = hasHeader ? statedSize(head) : guessedSize(fd, size);
  const reserved = hasHeader ? head.readUInt8(20) : 0;
  const count = Math.ceil(size / pageSize);
  return {
    pageSize,
    usable: pageSize - reserved,
    count,
    header: hasHeader ? headerOf(head) : headerOf(Buffer.alloc(HEADER_BYTES)),
    page: (number) => {
      if (number < 1 || number > count) return undefined;
      // What is missing at the end of a file that was cut off reads as zeros.
      const page = Buffer.alloc(pageSize);
      readSync(fd, page, 0, pageSize, (number - 1) * pageSize);
      return page;
    },
  };
}

function statedSize(head: Buffer): number {
  const size = head.readUInt16BE(16);
  return size === 1 ? LARGEST_PAGE : size;
}

function isPageSize(size: number): boolean {
  return size >= SMALLEST_PAGE && size <= LARGEST_PAGE && (size & (size - 1)) === 0;
}

function headerOf(head: Buffer): FileHeader {
  const encoding = head.readUInt32BE(56);
  return {
    encoding: encoding === 2 ? 'UTF-16le' : encoding === 3 ? 'UTF-16be' : 'UTF-8',
    freelist: head.readUInt32BE(32),
    autoVacuum: head.readUInt32BE(52) === 0 ? 0 : head.readUInt32BE(64) === 0 ? 1 : 2,
    userVersion: head.readInt32BE(60),
    applicationId: head.readInt32BE(68),
    isWal: head.readUInt8(18) === 2,
  };
}

/**
 * The smallest size at whose multiples about as many pages begin as the leaves of a table do as at those of any other: at
 * half the true size only half of them do, at the double one all of what is left.
 */
function guessedSize(fd: number, size: number): number {
  const sizes = Array.from({ length: 8 }, (_, power) => SMALLEST_PAGE << power);
  const shares = sizes.map((pageSize) => ({ pageSize, share: shareOfLeaves(fd, size, pageSize) }));
  const best = Math.max(...shares.map(({ share }) => share));
  const found = shares.find(({ share }) => share > 0 && share >= best * 0.75);
  return found?.pageSize ?? USUAL_PAGE;
}

function shareOfLeaves(fd: number, size: number, pageSize: number): number {
  const tried = Math.min(PAGES_TRIED, Math.floor(size / pageSize) - 1);
  let leaves = 0;
  const start = Buffer.alloc(8);
  for (let page = 1; page <= tried; page += 1) {
    readSync(fd, start, 0, 8, page * pageSize);
    const content = start.readUInt16BE(5);
    const isLeaf = start.readUInt8(0) === 0x0d && start.readUInt16BE(3) > 0;
    leaves += Number(isLeaf && content > 8 && content <= pageSize);
  }
  return tried <= 0 ? 0 : leaves / tried;
}
