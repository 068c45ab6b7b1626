import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { signalByPidFile } from '../../../src/drivers/steps/service/pid-file.ts';

const LISTENER = `process.on('SIGHUP', () => process.stdout.write('hup')); process.stdout.write('ready'); setInterval(() => {}, 1e6)`;
let folder: string;
let path: string;
let child: ChildProcess;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'revertd-pid-'));
  path = join(folder, 'x.pid');
  child = spawn(process.execPath, ['-e', LISTENER], { stdio: ['ignore', 'pipe', 'inherit'] });
  await nextOutput();
});
afterEach(async () => {
  child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

async function nextOutput(): Promise<string> {
  if (child.stdout === null) throw new Error('the child has no output');
  const [data] = await once(child.stdout, 'data');
  return String(data);
}

it('signals the process', async () => {
  await writeFile(path, `${child.pid}\n`);
  const heard = nextOutput();
  expect(await signalByPidFile(path, 'SIGHUP')).toMatchObject({
    outcome: 'done',
    detail: expect.stringMatching(/^sent SIGHUP to process \d+ \(.+\)$/),
  });
  expect(await heard).toBe('hup');
});

it('refuses a number that was given to a later process', async () => {
  await writeFile(path, `${child.pid}\n`);
  const hourAgo = new Date(Date.now() - 3_600_000);
  await utimes(path, hourAgo, hourAgo);
  expect(await signalByPidFile(path, 'SIGKILL')).toMatchObject({
    code: 'pidFile',
    detail: expect.stringContaining('the number was given to another'),
  });
  expect(child.exitCode).toBeNull();
});

it('refuses a process that has ended', async () => {
  await writeFile(path, `${child.pid}\n`);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await signalByPidFile(path, 'SIGHUP')).toMatchObject({
    code: 'pidFile',
    detail: expect.stringContaining('does not exist any more'),
  });
});

it.each([
  ['1\n', 'no service'],
  ['0', 'no service'],
  ['-5', 'expected a process number'],
  ['', 'expected a process number'],
  ['12 13', 'expected a process number'],
  ['x'.repeat(10_000), 'expected a process number'],
  [String(process.pid), 'revertd itself'],
])('refuses %.20j', async (content, words) => {
  await writeFile(path, content);
  expect(await signalByPidFile(path, 'SIGHUP')).toMatchObject({
    code: 'pidFile',
    detail: expect.stringContaining(words),
  });
});

it('refuses files that are missing or none, and signals that do not exist', async () => {
  expect(await signalByPidFile(path, 'SIGHUP')).toMatchObject({
    code: 'pidFile',
    detail: expect.stringContaining('ENOENT'),
  });
  expect(await signalByPidFile(folder, 'SIGHUP')).toMatchObject({ code: 'pidFile' });
  expect(await signalByPidFile(path, 'SIGNOPE')).toMatchObject({ code: 'notSupported' });
});
