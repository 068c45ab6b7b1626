import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { NO_ENGINE } from '../../../test/support/no-engine.ts';
import { createAllowList } from '../allow-list.ts';
import type { TextFormat } from './text-format.ts';
import { textPlace } from './text-place.ts';

/** A format with a fault: it sets the entry in a place where it does not look for it. */
const faulty: TextFormat = {
  empty: '',
  read: (text, entries) => new Map(entries.map((entry) => [entry, text.split('\n')[0]])),
  remove: (text) => text,
  edit: (text, changes) => `${text}${changes.map(({ value }) => JSON.stringify(value)).join('\n')}\n`,
  matches: (observed, desired) => observed === desired,
};

it('writes nothing that would not read back', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'revertd-text-'));
  const path = join(folder, 'x.conf');
  await writeFile(path, 'old\n');
  const place = textPlace({ allow: createAllowList({}), engine: NO_ENGINE }, () => faulty);
  const write = place.write({ kind: 'file', path }, [{ entry: 'a', value: 'new' }], new AbortController().signal);
  await expect(write).rejects.toMatchObject({ code: 'notTaken', path });
  expect(await readFile(path, 'utf8')).toBe('old\n');
  await rm(folder, { recursive: true });
});
