import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import {
  chmod,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readlink,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NO_ENGINE } from '../../../test/support/no-engine.ts';
import type { DocumentRef } from '../../core/model/flag.ts';
import type { JsonValue } from '../../core/model/step.ts';
import { createAllowList } from '../allow-list.ts';
import { matchesValue } from './matches-value.ts';
import { LARGEST_DOCUMENT_BYTES } from './open-document.ts';
import { createPlaceDrivers, PLACE_DRIVERS } from './registry.ts';
import { digestOf } from './replace-document.ts';

type Sample = {
  readonly name: string;
  readonly entry: string;
  readonly other: string;
  /** A document in which the entry is true, and what it is when the entry is false. */
  readonly on: string;
  readonly off: string;
  /** A document that has nothing but the entry set to true, as the driver creates it. */
  readonly created: string;
  readonly broken: string;
  readonly brokenAt: string;
  /** So many bytes that are no entry. */
  readonly padding: (bytes: number) => string;
};

/** A new driver is held to the whole suite as soon as it has a sample here. */
const SAMPLES = {
  envFile: {
    name: 'app.env',
    entry: 'FEATURE',
    other: 'OTHER',
    on: '# keep\nFEATURE=true\nOTHER="x"',
    off: '# keep\nFEATURE=false\nOTHER="x"',
    created: 'FEATURE=true\n',
    broken: 'FEATURE=true\nOTHER="x\n',
    brokenAt: '2:7',
    padding: (bytes) => `#${'x'.repeat(bytes - 2)}\n`,
  },
  file: {
    name: 'app.json',
    entry: '/flags/FEATURE',
    other: '/other',
    on: '{\r\n  // keep\r\n  "flags": { "FEATURE": true },\r\n  "other": "x"\r\n}',
    off: '{\r\n  // keep\r\n  "flags": { "FEATURE": false },\r\n  "other": "x"\r\n}',
    created: '{\n  "flags": {\n    "FEATURE": true\n  }\n}\n',
    broken: '{\n  "flags": {,}\n}',
    brokenAt: '2:13',
    padding: (bytes) => `/*${'x'.repeat(bytes - 4)}*/`,
  },
} satisfies Record<DocumentRef['kind'], Sample>;

const never = new AbortController().signal;
const isRoot = process.getuid?.() === 0;
const drivers = createPlaceDrivers({ allow: createAllowList({}), engine: NO_ENGINE });

it('has a folder with a README for each driver and a driver for each folder', () => {
  const folders = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map((folder) => folder.name).sort()).toStrictEqual(Object.keys(PLACE_DRIVERS).sort());
  for (const { name } of folders) expect(existsSync(join(import.meta.dirname, name, 'README.md'))).toBe(true);
});

describe.each(Object.keys(PLACE_DRIVERS) as (keyof typeof PLACE_DRIVERS)[])('%s', (kind) => {
  const sample: Sample = SAMPLES[kind];
  const driver = drivers[kind];
  let folder: string;
  let path: string;
  const document = (at = path): DocumentRef => ({ kind, path: at });
  const write = (value: JsonValue, at = path) => driver.write(document(at), [{ entry: sample.entry, value }], never);
  const read = (at = path) => driver.read(document(at), [sample.entry, sample.other], never);
  const content = (at: string) => readFile(at).then(digestOf, () => undefined);
  const refusal = async (at = path) => {
    const before = await content(at);
    const fault: unknown = await write(false, at).catch((error: unknown) => error);
    expect(await content(at)).toBe(before);
    return fault;
  };

  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'revertd-place-')));
    path = join(folder, sample.name);
  });
  afterEach(async () => {
    await chmod(folder, 0o755);
    await rm(folder, { recursive: true });
  });

  it('reads values and the digest of the content', async () => {
    await writeFile(path, sample.on);
    const reading = await read();
    expect(reading).toMatchObject({ state: 'read', exists: true, digest: digestOf(Buffer.from(sample.on)) });
    const values = reading.state === 'read' ? reading.values : {};
    expect(matchesValue(kind, values[sample.entry], true)).toBe(true);
    expect(matchesValue(kind, values[sample.entry], false)).toBe(false);
    expect(matchesValue(kind, values[sample.other], 'x')).toBe(true);
  });

  it('reads a document that does not exist as one without entries', async () => {
    const reading = await read();
    expect(reading).toStrictEqual({
      state: 'read',
      exists: false,
      digest: digestOf(new Uint8Array()),
      values: { [sample.entry]: undefined, [sample.other]: undefined },
    });
    expect(matchesValue(kind, undefined, 'undefined')).toBe(false);
  });

  it('changes the value and nothing else, and leaves no other file', async () => {
    await writeFile(path, sample.on);
    const written = await write(false);
    expect(await readFile(path, 'utf8')).toBe(sample.off);
    expect(written).toStrictEqual({
      digest: digestOf(Buffer.from(sample.off)),
      before: digestOf(Buffer.from(sample.on)),
    });
    expect(readdirSync(folder)).toStrictEqual([sample.name]);
  });

  it('keeps a byte order mark', async () => {
    await writeFile(path, `\u{feff}${sample.on}`);
    await write(false);
    expect(await readFile(path, 'utf8')).toBe(`\u{feff}${sample.off}`);
    expect((await readFile(path)).subarray(0, 3)).toStrictEqual(Buffer.from([0xef, 0xbb, 0xbf]));
  });

  it('touches nothing if the value is there already', async () => {
    await writeFile(path, sample.on);
    const before = await stat(path, { bigint: true });
    const written = await write(true);
    expect(written.digest).toBe(written.before);
    const after = await stat(path, { bigint: true });
    expect([after.ino, after.mtimeNs]).toStrictEqual([before.ino, before.mtimeNs]);
  });

  it('creates the document with mode 0640 whatever the umask, but no folder', async () => {
    const umask = process.umask(0o077);
    try {
      expect(await write(true)).toStrictEqual({ digest: digestOf(Buffer.from(sample.created)), before: undefined });
    } finally {
      process.umask(umask);
    }
    expect(await readFile(path, 'utf8')).toBe(sample.created);
    expect((await stat(path)).mode & 0o7777).toBe(0o640);
    const absent = join(folder, 'absent', sample.name);
    expect(await refusal(absent)).toMatchObject({ code: 'folderMissing' });
    expect(await read(absent)).toMatchObject({ state: 'unreadable', code: 'folderMissing' });
  });

  it.each([0o600, 0o644, 0o4755, 0o664])('keeps mode %o', async (mode) => {
    await writeFile(path, sample.on);
    await chmod(path, mode);
    await write(false);
    expect((await stat(path)).mode & 0o7777).toBe(mode);
  });

  it('removes what a crash left, and only that', async () => {
    await writeFile(path, sample.on);
    await writeFile(join(folder, '.revertd-tmp-of-something-else'), 'x');
    const name = digestOf(Buffer.from(sample.name)).slice(0, 16);
    await writeFile(join(folder, `.revertd-tmp-${name}-0123456789ab`), 'half');
    await write(false);
    expect(readdirSync(folder).sort()).toStrictEqual(['.revertd-tmp-of-something-else', sample.name]);
  });

  it('takes writes to one document in turn', async () => {
    await writeFile(path, sample.on);
    await Promise.all([write(false), write(true), write('a'), write('b')]);
    expect(await readFile(path, 'utf8')).toContain('b');
    expect(readdirSync(folder)).toStrictEqual([sample.name]);
  });

  it('follows a link within the folder, and replaces its target', async () => {
    await mkdir(join(folder, 'sub'));
    const target = join(folder, 'sub', `real-${sample.name}`);
    await writeFile(target, sample.on);
    await symlink(`sub/real-${sample.name}`, path);
    await write(false);
    expect(await readFile(target, 'utf8')).toBe(sample.off);
    expect(await readlink(path)).toBe(`sub/real-${sample.name}`);
    expect(await read()).toMatchObject({ state: 'read', digest: digestOf(Buffer.from(sample.off)) });
  });

  it('refuses a link out of the folder and says where it leads', async () => {
    const inner = join(folder, 'inner');
    await mkdir(inner);
    await writeFile(path, sample.on);
    await symlink(path, join(inner, sample.name));
    const words = { code: 'linkLeavesFolder', message: expect.stringContaining(`is a link to ${path}`) };
    expect(await refusal(join(inner, sample.name))).toMatchObject(words);
    expect(await read(join(inner, sample.name))).toMatchObject({ state: 'unreadable', ...words });
  });

  it('refuses links that lead nowhere or in a circle', async () => {
    await symlink('absent', path);
    expect(await refusal()).toMatchObject({ code: 'linkDangling' });
    await rm(path);
    await symlink(sample.name, path);
    expect(await refusal()).toMatchObject({ code: 'linkDangling' });
    expect((await lstat(path)).isSymbolicLink()).toBe(true);
  });

  it('looks at what the path really is when it asks whether it may write', async () => {
    const forbidden = join(folder, 'forbidden');
    await mkdir(forbidden);
    await writeFile(join(forbidden, sample.name), sample.on);
    await symlink('forbidden', join(folder, 'alias'));
    const careful = createPlaceDrivers({ allow: createAllowList({ ownFolders: [forbidden] }), engine: NO_ENGINE })[
      kind
    ];
    const at = document(join(folder, 'alias', sample.name));
    await expect(careful.write(at, [{ entry: sample.entry, value: false }], never)).rejects.toMatchObject({
      code: 'notAllowed',
    });
    expect(await careful.read(at, [sample.entry], never)).toMatchObject({ state: 'unreadable', code: 'notAllowed' });
    expect(await readFile(join(forbidden, sample.name), 'utf8')).toBe(sample.on);
  });

  it('refuses folders and pipes, without waiting for somebody to write into them', async () => {
    await mkdir(path);
    expect(await refusal()).toMatchObject({ code: 'notRegular', message: expect.stringContaining('a folder') });
    await rm(path, { recursive: true });
    execFileSync('mkfifo', [path]);
    expect(await write(true).catch((error: unknown) => error)).toMatchObject({ code: 'notRegular' });
    expect(await read()).toMatchObject({ state: 'unreadable', message: expect.stringContaining('a pipe') });
  });

  it('replaces only its own name of a file that has two', async () => {
    await writeFile(path, sample.on);
    await link(path, join(folder, 'second'));
    await write(false);
    expect(await readFile(join(folder, 'second'), 'utf8')).toBe(sample.on);
  });

  it('says where in the document the fault is', async () => {
    await writeFile(path, sample.broken);
    const words = { code: 'syntax', message: expect.stringContaining(`${path}:${sample.brokenAt}: `) };
    expect(await refusal()).toMatchObject(words);
    expect(await read()).toMatchObject({ state: 'unreadable', ...words });
  });

  it('refuses what is not UTF-8', async () => {
    await writeFile(path, Buffer.concat([Buffer.from(sample.on), Buffer.from([0xff])]));
    expect(await refusal()).toMatchObject({ code: 'notUtf8' });
    expect(await read()).toMatchObject({ state: 'unreadable', code: 'notUtf8' });
  });

  it('takes documents up to 4 MiB', async () => {
    const room = LARGEST_DOCUMENT_BYTES - Buffer.byteLength(sample.on);
    await writeFile(path, `${sample.padding(room)}${sample.on}`);
    expect(await read()).toMatchObject({ state: 'read' });
    expect(await refusal()).toMatchObject({ code: 'tooLarge' });
    await writeFile(path, `${sample.padding(room + 1)}${sample.on}`);
    expect(await read()).toMatchObject({ state: 'unreadable', code: 'tooLarge' });
  });

  it('leaves a read-only folder alone and says so', async () => {
    await writeFile(path, sample.on);
    await chmod(path, 0o644);
    await chmod(folder, 0o555);
    expect(await asNobody(() => refusal())).toMatchObject({ code: 'notPermitted' });
    expect(readdirSync(folder)).toStrictEqual([sample.name]);
  });

  it('stops before it begins if there is no time left', async () => {
    await writeFile(path, sample.on);
    const aborted = AbortSignal.abort();
    const changes = [{ entry: sample.entry, value: false }];
    await expect(driver.write(document(), changes, aborted)).rejects.toMatchObject({ code: 'aborted' });
    expect(await driver.read(document(), [], aborted)).toMatchObject({ state: 'unreadable', code: 'aborted' });
    expect(await readFile(path, 'utf8')).toBe(sample.on);
  });

  it('refuses paths that are not allowed, and relative ones', async () => {
    expect(await read('/etc/shadow.json')).toMatchObject({ state: 'unreadable', code: 'notAllowed' });
    expect(await write(true, `relative/${sample.name}`).catch((error: unknown) => error)).toMatchObject({
      code: 'notAllowed',
    });
    expect(await write(true, `/proc/self/${sample.name}`).catch((error: unknown) => error)).toMatchObject({
      code: 'notAllowed',
    });
  });
});

/** root may write anywhere, so that what others may not is tried as one of them. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  if (!isRoot) return await work();
  process.setegid?.(65_534);
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}
