import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runProcess } from '../../../src/drivers/process.ts';
import { createSecretResolver } from '../../../src/drivers/secrets.ts';

const never = new AbortController().signal;
const secrets = createSecretResolver({ TOKEN: 'hunter22' });
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'revertd-process-'));
});
afterEach(() => rm(folder, { recursive: true }));

const node = (script: string, ...rest: readonly string[]) => [process.execPath, '-e', script, ...rest];
const sh = (script: string) => ['/bin/sh', '-c', script];

/** A process that no longer exists, or of which only the entry is left that its parent has not asked for. */
async function isGone(pid: number): Promise<boolean> {
  const line = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '0 (x) Z');
  return line.slice(line.lastIndexOf(')') + 2).startsWith('Z');
}

it('passes arguments as they are, without a shell', async () => {
  const script = 'process.stdout.write(JSON.stringify(process.argv.slice(1)))';
  const end = await runProcess({ argv: node(script, '$HOME', '; rm x', 'a b', '*'), secrets }, never);
  expect(end).toStrictEqual({ kind: 'exited', code: 0, output: '["$HOME","; rm x","a b","*"]' });
});

it('passes on little of the environment, and what the step adds', async () => {
  process.env['REVERTD_TEST_LEAK'] = 'x';
  const end = await runProcess({ argv: ['env'], env: { ADDED: 'yes' }, secrets }, never);
  delete process.env['REVERTD_TEST_LEAK'];
  const names =
    end.kind === 'exited'
      ? end.output
          .trim()
          .split('\n')
          .map((line) => line.split('=')[0])
      : [];
  expect(new Set(names)).toStrictEqual(new Set(['ADDED', 'HOME', 'LANG', 'PATH']));
});

it('runs in its folder, in a process group of its own, with its input', async () => {
  const script = 'pwd; ps -o pgid= -p $$ | tr -d " "; echo $$; cat';
  const end = await runProcess({ argv: sh(script), cwd: folder, stdin: 'hello', secrets }, never);
  const [place, group, pid, input] = end.kind === 'exited' ? end.output.split('\n') : [];
  expect([place, input]).toStrictEqual([folder, 'hello']);
  expect(group).toBe(pid);
});

it('does not mind a program that reads no input', async () => {
  const end = await runProcess({ argv: ['true'], stdin: 'x'.repeat(1_000_000), secrets }, never);
  expect(end).toMatchObject({ kind: 'exited', code: 0 });
});

it('tells exit codes and signals apart', async () => {
  expect(await runProcess({ argv: sh('echo out; echo err >&2; exit 3'), secrets }, never)).toMatchObject({ code: 3 });
  expect(await runProcess({ argv: sh('kill -SEGV $$'), secrets }, never)).toMatchObject({
    kind: 'killed',
    by: 'SIGSEGV',
  });
});

it.each([
  [
    'a program that is not in PATH',
    ['revertd-no-such-program'],
    undefined,
    'missingProgram',
    'is not in /usr/local/sbin',
  ],
  ['a path that does not exist', ['/no/such/program'], undefined, 'missingProgram', '/no/such/program does not exist'],
  ['a folder that does not exist', ['true'], '/no/such/folder', 'missingFolder', '/no/such/folder'],
  ['a file that is no program', [import.meta.filename], undefined, 'notPermitted', 'is it executable?'],
  ['an argument that no program can get', ['true', 'a\0b'], undefined, 'io', 'could not be started'],
])('says so of %s', async (_, argv, cwd, code, message) => {
  const end = await runProcess({ argv, ...(cwd === undefined ? {} : { cwd }), secrets }, never);
  expect(end).toMatchObject({ kind: 'notStarted', code, message: expect.stringContaining(message) });
});

it('keeps the beginning and the end of long output', async () => {
  const script = 'process.stdout.write("a".repeat(10000) + "b".repeat(1e6) + "c".repeat(10000))';
  const end = await runProcess({ argv: node(script), secrets }, never);
  const output = end.kind === 'exited' ? end.output : '';
  expect(output).toMatch(/^a{8192}\n\[… 1003616 characters left out …\]\nc{8192}$/);
});

it('keeps secrets out of the output, also where it is cut', async () => {
  await secrets.resolve({ env: 'TOKEN' });
  const script = 'process.stdout.write("hunter22".repeat(5000)); process.stderr.write("x hunter22 y")';
  const end = await runProcess({ argv: node(script), secrets }, never);
  const output = end.kind === 'exited' ? end.output : '';
  expect(output).not.toMatch(/hunt|nter|er22/);
  expect(output.length).toBeGreaterThan(10_000);
});

it('ends the whole group when its time is over', async () => {
  const file = join(folder, 'pids');
  await writeFile(file, '');
  const controller = new AbortController();
  const script = `sleep 1000 & echo $! $$ > ${file}; kill -USR1 ${process.pid}; wait`;
  process.once('SIGUSR1', () => controller.abort());
  const end = await runProcess({ argv: sh(script), secrets }, controller.signal);
  expect(end.kind).toBe('stopped');
  const pids = (await readFile(file, 'utf8')).trim().split(' ').map(Number);
  expect(await Promise.all(pids.map(isGone))).toStrictEqual([true, true]);
});

it('kills what does not end when it is told to', async () => {
  const controller = new AbortController();
  const script = `trap '' TERM; echo started; kill -USR1 ${process.pid}; while :; do sleep 1000; done`;
  process.once('SIGUSR1', () => controller.abort());
  const end = await runProcess({ argv: sh(script), secrets, graceMs: 100 }, controller.signal);
  expect(end).toStrictEqual({ kind: 'stopped', output: 'started\n' });
});

it('starts nothing if its time is over already', async () => {
  const end = await runProcess({ argv: sh(`echo x > ${folder}/made`), secrets }, AbortSignal.abort());
  expect(end).toStrictEqual({ kind: 'stopped', output: '' });
  await expect(readFile(join(folder, 'made'))).rejects.toThrow('ENOENT');
});

it('does not wait for what a program left in the background', async () => {
  const end = await runProcess({ argv: sh('sleep 1000 & echo $!'), secrets }, never);
  const pid = Number(end.kind === 'exited' ? end.output : Number.NaN);
  expect(await isGone(pid)).toBe(false);
  process.kill(pid, 'SIGKILL');
});
