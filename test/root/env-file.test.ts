import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseEnvFile } from '../../src/drivers/places/envFile/parse.ts';

const run = promisify(execFile);
let folder: string;

/** systemd itself is the oracle of how its EnvironmentFile is read. */
beforeAll(async () => {
  if (!existsSync('/run/systemd/system')) throw new Error('needs a host, or a sandbox, that was booted with systemd');
  folder = await mkdtemp('/run/revertd-env-');
});
afterAll(() => rm(folder, { recursive: true }));

async function readBySystemd(text: string): Promise<Record<string, string>> {
  const path = join(folder, 'file');
  await writeFile(path, text);
  const argv = ['--quiet', '--wait', '--pipe', `--property=EnvironmentFile=${path}`, '/usr/bin/env', '-0'];
  const { stdout } = await run('systemd-run', argv);
  const pairs = stdout.split('\0').map((pair) => [pair.split('=')[0] ?? '', pair.slice(pair.indexOf('=') + 1)]);
  return Object.fromEntries(pairs.filter(([name]) => name?.startsWith('T_')));
}

it.each([
  'T_A=1\n',
  'T_A=1',
  '  T_A = 1 \t\n',
  'T_A="1 2"  \n',
  'T_A="b" c\n',
  'T_A="b"\'c\'"d"\n',
  'T_A=a"b"\n',
  "T_A='a\\nb'\n",
  'T_A="\\"\\\\\\`\\$\\n\\x"\n',
  'T_A=a\\\nb\n',
  'T_A=a\\\n  b  \n',
  'T_A=a  \\\n\nT_B=1\n',
  'T_A=\\\nb\n',
  'T_A="a\nb"\nT_B=2\n',
  'T_A="a\\\nb"\n',
  'T_A=a\\ \n',
  'T_A=a\\"b\\\\c\n',
  '#T_A=2\n;T_B=3\n T_C=1\n',
  'T_A=1 # no comment\n',
  'T_A\nT_B=1\nnothing here\n',
  'T_A=1\r\nT_B=2\r\n',
  'T_A=1\rT_B=2\r',
  'T_A=1\nT_A=2\n',
  'T_A=\nT_B= \n',
  'T_A=x=y\n=z\n',
  'T_A=ü😀\n',
  'T_A=b\\',
  'T_A=1\\\r\nT_B=2\n',
])('reads %j as systemd does', async (text) => {
  const assignments = parseEnvFile(text).filter(({ name }) => name.startsWith('T_'));
  expect(Object.fromEntries(assignments.map(({ name, value }) => [name, value]))).toStrictEqual(
    await readBySystemd(text),
  );
});

it('knows that systemd passes over lines with export', async () => {
  expect(await readBySystemd('export T_A=1\nT_B=2\n')).toStrictEqual({ T_B: '2' });
});
