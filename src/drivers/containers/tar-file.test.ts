import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { packFile, type TarFile, unpackFile } from './tar-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'revertd-tar-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file: TarFile = { name: 'a.env', mode: 0o4640, uid: 1234, gid: 77, bytes: Buffer.from('A=1\n') };

/** What GNU tar makes of it. */
function listed(archive: Buffer): string {
  return execFileSync('tar', ['--numeric-owner', '--utc', '-tvf', '-'], { input: archive, encoding: 'utf8' });
}

it('is what tar reads', () => {
  expect(listed(packFile(file, 0))).toBe('-rwSr----- 1234/77           4 1970-01-01 00:00 a.env\n');
  expect(execFileSync('tar', ['-xOf', '-'], { input: packFile(file, 0), encoding: 'utf8' })).toBe('A=1\n');
});

it('holds names and owners of any length', () => {
  const long = { ...file, name: `${'ä'.repeat(90)}.env`, uid: 4_000_000_000, gid: 3_000_000 };
  expect(listed(packFile(long, 0))).toContain('4000000000/3000000');
  expect(unpackFile(packFile(long, 0))).toStrictEqual(long);
});

it('is what it reads, whatever it is', () => {
  const any = fc.record(
    {
      name: fc.stringMatching(/^[^/\0]{1,200}$/),
      mode: fc.nat(0o7777),
      uid: fc.nat(4_294_967_294),
      gid: fc.nat(4_294_967_294),
      bytes: fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(any, (given) => {
      expect(unpackFile(packFile(given, 1e9))).toStrictEqual(given);
    }),
  );
});

describe.each(['gnu', 'pax', 'ustar', 'v7', 'oldgnu'])('an archive of tar in the format %s', (format) => {
  const tar = (...names: readonly string[]) =>
    execFileSync('tar', [`--format=${format}`, '--owner=9:1234', '--group=9:77', '-C', folder, '-cf', '-', ...names]);

  it('is read', () => {
    const name = `${'n'.repeat(format === 'gnu' || format === 'pax' || format === 'oldgnu' ? 150 : 50)}.env`;
    writeFileSync(join(folder, name), 'A=1\n');
    chmodSync(join(folder, name), 0o640);
    expect(unpackFile(tar(name))).toStrictEqual({ name, mode: 0o640, uid: 1234, gid: 77, bytes: Buffer.from('A=1\n') });
  });

  it('is no file if it begins with a folder or a link', () => {
    symlinkSync('x', join(folder, `link-${format}`));
    mkdirSync(join(folder, `folder-${format}`));
    expect(unpackFile(tar(`folder-${format}`))).toBeUndefined();
    expect(unpackFile(tar(`link-${format}`))).toBeUndefined();
  });
});

describe('refuses', () => {
  const good = packFile(file, 0);
  const changed = (at: number, text: string) => {
    const copy = Buffer.from(good);
    copy.write(text, at, 'latin1');
    return copy;
  };
  it.each([
    ['nothing', Buffer.alloc(0), 'it is empty'],
    ['half of a header', good.subarray(0, 100), 'it is empty'],
    ['half of a file', good.subarray(0, 513), 'ends in the middle'],
    ['what is no archive', Buffer.alloc(1024, 'x'), 'octal'],
    ['a header that was changed', changed(0, 'b'), 'checksum'],
  ])('%s', (_, archive, why) => {
    expect(() => unpackFile(archive)).toThrow(
      expect.objectContaining({ code: 'notAnEngine', message: expect.stringContaining(why) }),
    );
  });
});
