import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import type { EntryEdit, FileEdit } from '../../../core/model/edit-file-step.ts';
import { type AllowRules, createAllowList } from '../../allow-list.ts';
import { createSecretResolver } from '../../secrets.ts';
import type { StepOf } from '../step-driver.ts';
import { editFileStep } from './index.ts';

const never = new AbortController().signal;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'revertd-edit-'));
  return () => rmSync(folder, { recursive: true });
});

const step = (name: string, edit: FileEdit): StepOf<'editFile'> => ({
  origin: { file: 'test.yaml', line: 1, column: 1 },
  timeoutMs: 5000,
  kind: 'editFile',
  path: join(folder, name),
  edit,
});
const entries = (
  set: EntryEdit['set'],
  remove: readonly string[] = [],
  format: EntryEdit['format'] = 'auto',
): FileEdit => ({
  kind: 'entries',
  format,
  set,
  remove,
});
const driver = (rules: AllowRules = {}) => editFileStep({ allow: createAllowList(rules) });
const perform = (task: StepOf<'editFile'>, rules: AllowRules = {}, signal = never, log: () => void = () => undefined) =>
  driver(rules).perform(task, {
    signal,
    operation: 'op-1',
    once: 'op-1',
    secrets: createSecretResolver({}),
    log,
    remember: () => undefined,
  });
const write = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content);
const read = (name: string) => readFileSync(join(folder, name), 'utf8');

it.each<[string, string, FileEdit, string]>([
  [
    'app.yaml',
    '# c\npool:\n  size: 8 # was 4\n',
    entries({ '/pool/size': 4 }, ['/pool/none']),
    '# c\npool:\n  size: 4 # was 4\n',
  ],
  ['app.toml', '[pool]\nsize = 8\nover = 1\n', entries({ '/pool/size': 4 }, ['/pool/over']), '[pool]\nsize = 4\n'],
  ['app.json', '{"a": 1, "b": 2}', entries({ '/a': [1] }, ['/b']), '{"a": [1]}'],
  ['app.properties', 'a=1\r\nb=2', entries({ a: 'é' }, ['b']), 'a=\\u00e9\r\n'],
  ['.env', '\ufeffA=1\nB=2', entries({ A: 2 }), '\ufeffA=2\nB=2'],
  ['.env.local', 'A=1\n', entries({ A: 2 }), 'A=2\n'],
  ['app', 'A=1\n', entries({ A: 'x y' }, [], 'env'), 'A="x y"\n'],
  ['app.conf', 'old', { kind: 'content', content: 'mode=safe\n' }, 'mode=safe\n'],
])('edits %s, and sees after a crash that it has', async (name, before, edit, after) => {
  write(name, before);
  chmodSync(join(folder, name), 0o604);
  const task = step(name, edit);
  expect(await driver().observe(task, {}, never)).toBe('notDone');
  expect(await perform(task)).toMatchObject({ outcome: 'done', detail: expect.stringContaining('replaced') });
  expect(read(name)).toBe(after);
  expect(statSync(join(folder, name)).mode & 0o777).toBe(0o604);
  expect(await driver().observe(task, {}, never)).toBe('done');
  expect(await perform(task)).toMatchObject({ outcome: 'done', detail: expect.stringContaining('was so already') });
});

it('makes a file that is not there, but not for what would be removed', async () => {
  expect(await perform(step('new.toml', entries({ '/a': 1 })))).toMatchObject({
    detail: expect.stringContaining('created'),
  });
  expect(read('new.toml')).toBe('a = 1\n');
  expect(await perform(step('other.toml', entries({}, ['/a'])))).toMatchObject({ code: 'badFile' });
});

it('[R7] puts back a whole file, whatever it holds', async () => {
  const bytes = Uint8Array.from([0xff, 0x00, 0x0a]);
  write('settings.bak', bytes);
  write('settings', 'broken');
  const task = step('settings', { kind: 'copyOf', source: join(folder, 'settings.bak') });
  expect(await perform(task)).toMatchObject({ outcome: 'done' });
  expect(new Uint8Array(readFileSync(join(folder, 'settings')))).toStrictEqual(bytes);
  expect(await driver().observe(task, {}, never)).toBe('done');
});

it.each<[string, (() => FileEdit) | FileEdit, string | Uint8Array, string, string]>([
  ['x.yaml', entries({ '/a': 1 }), 'a: [1\n', 'badFile', 'is not valid YAML'],
  ['x.toml', entries({ '/a/b': 1 }), 'a = 1\n', 'badFile', 'is no table'],
  ['x.json', entries({ '/a': 1 }), Uint8Array.from([0x7b, 0xff, 0x7d]), 'badFile', 'is not valid UTF-8'],
  ['x.ini', entries({ '/a': 1 }), 'a=1\n', 'badFile', 'whose names end in'],
  ['x', () => ({ kind: 'copyOf', source: join(folder, 'none') }), 'old', 'badFile', 'there is nothing to put back'],
  ['x', { kind: 'copyOf', source: '/etc/shadow' }, 'old', 'notAllowed', 'is never written for a policy'],
  ['x', { kind: 'content', content: 'x'.repeat(5_000_000) }, 'old', 'badFile', 'at most'],
])('leaves %s as it is if that cannot be', async (name, edit, before, code, detail) => {
  write(name, before);
  const task = step(name, typeof edit === 'function' ? edit() : edit);
  const outcome = await perform(task);
  expect(outcome).toMatchObject({ outcome: 'failed', code, detail: expect.stringContaining(detail) });
  expect(readFileSync(join(folder, name))).toStrictEqual(Buffer.from(before));
  expect(await driver().observe(task, {}, never)).toBe('notDone');
});

it('follows a link within its folder only', async () => {
  write('real.json', '{}');
  symlinkSync('real.json', join(folder, 'near.json'));
  symlinkSync('/etc/hostname', join(folder, 'far.json'));
  expect(await perform(step('near.json', entries({ '/a': 1 })))).toMatchObject({ outcome: 'done' });
  expect(JSON.parse(read('real.json'))).toStrictEqual({ a: 1 });
  expect(await perform(step('far.json', { kind: 'content', content: 'x' }))).toMatchObject({
    code: 'badFile',
    detail: expect.stringContaining('outside its folder'),
  });
});

it('keeps what somebody else writes at the same time', async () => {
  write('app.env', 'A=1\n');
  const others = Array.from({ length: 20 }, (_, at) => perform(step('app.env', entries({ [`B${at}`]: at }))));
  appendFileSync(join(folder, 'app.env'), 'C=3\n');
  for (const outcome of await Promise.all(others)) expect(outcome).toMatchObject({ outcome: 'done' });
  const lines = read('app.env').trim().split('\n').sort();
  expect(lines).toStrictEqual(['A=1', ...Array.from({ length: 20 }, (_, at) => `B${at}=${at}`), 'C=3'].sort());
});

it('may copy only from where policies may write', async () => {
  write('a', 'secret');
  const task = step('b', { kind: 'copyOf', source: join(folder, 'a') });
  expect(await perform(task, { paths: [join(folder, 'b')] })).toMatchObject({ code: 'notAllowed' });
  expect(await perform(task, { paths: [folder] })).toMatchObject({ outcome: 'done' });
});
