import { readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createAllowList } from '../allow-list.ts';
import { withFolder } from './open-document.ts';
import { digestOf, type Edit, replaceDocument } from './replace-document.ts';

const never = new AbortController().signal;
let folder: string;
let path: string;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'revertd-replace-')));
  path = join(folder, 'x.conf');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Somebody else's changes happen where the edit is made: between reading the document and replacing it. */
const replace = (edit: Edit, signal = never) =>
  withFolder(path, createAllowList({}), (opened) => replaceDocument(opened, edit, signal));
const appendLine = (bytes: Uint8Array | undefined) => Buffer.concat([bytes ?? Buffer.from(''), Buffer.from('mine\n')]);

it('edits once more what somebody else wrote meanwhile', async () => {
  writeFileSync(path, 'old\n');
  const others = ['theirs\n'];
  const written = await replace((bytes) => {
    const other = others.shift();
    if (other !== undefined) writeFileSync(path, other);
    return appendLine(bytes);
  });
  expect(readFileSync(path, 'utf8')).toBe('theirs\nmine\n');
  expect(written.before).toBe(digestOf(Buffer.from('theirs\n')));
});

it('gives up if it is changed again', async () => {
  writeFileSync(path, 'old\n');
  const others = ['first\n', 'second\n', 'third\n'];
  const edit: Edit = (bytes) => {
    writeFileSync(path, others.shift() ?? '');
    return appendLine(bytes);
  };
  await expect(replace(edit)).rejects.toMatchObject({ code: 'changedMeanwhile', path });
  expect(readFileSync(path, 'utf8')).toBe('second\n');
  expect(readdirSync(folder)).toStrictEqual(['x.conf']);
});

it('does not overwrite a document that appeared meanwhile, nor bring back one that went', async () => {
  const appear = ['theirs\n'];
  await replace((bytes) => {
    const other = appear.shift();
    if (other !== undefined) writeFileSync(path, other);
    return appendLine(bytes);
  });
  expect(readFileSync(path, 'utf8')).toBe('theirs\nmine\n');
  const written = await replace((bytes) => {
    if (bytes !== undefined) unlinkSync(path);
    return appendLine(bytes);
  });
  expect(readFileSync(path, 'utf8')).toBe('mine\n');
  expect(written.before).toBeUndefined();
});

it('changes nothing if its time ends before the replacement', async () => {
  writeFileSync(path, 'old\n');
  const controller = new AbortController();
  const edit: Edit = (bytes) => {
    controller.abort();
    return appendLine(bytes);
  };
  await expect(replace(edit, controller.signal)).rejects.toMatchObject({ code: 'aborted' });
  expect(readFileSync(path, 'utf8')).toBe('old\n');
  expect(readdirSync(folder)).toStrictEqual(['x.conf']);
});

it('passes on what the edit throws, with nothing changed', async () => {
  writeFileSync(path, 'old\n');
  const fail: Edit = () => {
    throw new Error('no');
  };
  await expect(replace(fail)).rejects.toMatchObject({ code: 'io', cause: expect.objectContaining({ message: 'no' }) });
  expect(readdirSync(folder)).toStrictEqual(['x.conf']);
});
