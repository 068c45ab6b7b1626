import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';

const MAIN = resolve(import.meta.dirname, '../../src/main.ts');
const folder = mkdtempSync(join(tmpdir(), 'revertd-serve-'));
let child: ChildProcess | null = null;
let said: string[] = [];

afterEach(async () => {
  if (child !== null && child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  }
  rmSync(folder, { recursive: true, force: true });
});

/** Its address. */
async function serve(path: string, ...options: string[]): Promise<string> {
  const args = [
    '--disable-warning=ExperimentalWarning',
    MAIN,
    'serve-flags',
    path,
    '--listen',
    '127.0.0.1:0',
    ...options,
  ];
  child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  said = [];
  createInterface({ input: child.stderr ?? process.stdin }).on('line', (line) => said.push(line));
  const [line] = await once(createInterface({ input: child.stdout ?? process.stdin }), 'line');
  return /http:\S+/.exec(String(line))?.[0] ?? '';
}

async function valueOf(base: string, flag: string): Promise<unknown> {
  const answer = await fetch(`${base}/ofrep/v1/evaluate/flags/${flag}`, { method: 'POST', body: '{}' });
  const { value, errorCode } = JSON.parse(await answer.text());
  return value ?? errorCode;
}

async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (let look = 0; look < 1_000; look += 1) {
    if (await isSo()) return;
    await pause(20);
  }
  throw new Error(`it did not come to that; it said\n${said.join('\n')}`);
}

const policy = (defaultVariant: string): string => `apiVersion: revertd.dev/v1
kind: Flag
metadata: { name: search }
spec: { variants: { "on": true, "off": false }, defaultVariant: "${defaultVariant}" }
`;

test('a folder of policies, its changes, and what is wrong with them', async () => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'search.yaml'), policy('on'));
  const base = await serve(folder, '--cors', 'https://shop.example');
  expect(await valueOf(base, 'search')).toBe(true);
  writeFileSync(join(folder, 'search.yaml'), policy('of'));
  await until(() => said.some((line) => line.includes('names no variant')));
  expect(await valueOf(base, 'search')).toBe(true);
  writeFileSync(join(folder, 'search.yaml'), policy('off'));
  await until(async () => (await valueOf(base, 'search')) === false);
  const headers = { origin: 'https://shop.example' };
  const answer = await fetch(`${base}/ofrep/v1/evaluate/flags`, { method: 'POST', body: '{}', headers });
  expect(answer.headers.get('access-control-expose-headers')).toContain('ETag');
});

test('a file of flagd, of which a broken flag is only itself', async () => {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'flags.yaml');
  const flags = (value: number): string => `flags:
  good: { state: ENABLED, variants: { a: ${value} }, defaultVariant: a }
  broken: { state: MAYBE, variants: { a: 1 } }
`;
  writeFileSync(file, flags(1));
  const base = await serve(file);
  expect(await valueOf(base, 'good')).toBe(1);
  expect(await valueOf(base, 'broken')).toBe('PARSE_ERROR');
  expect(said.join('\n')).toContain('the flag broken: `state` is ENABLED or DISABLED');
  // As editors and programs do that write a file at once.
  writeFileSync(`${file}.new`, flags(2));
  renameSync(`${file}.new`, file);
  await until(async () => (await valueOf(base, 'good')) === 2);
  writeFileSync(file, 'flags: [');
  await until(() => said.some((line) => line.includes('is not YAML')));
  expect(await valueOf(base, 'good')).toBe(2);
});

test('ends in order when it is asked to', async () => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'flags.json'), '{"flags": {}}');
  await serve(join(folder, 'flags.json'));
  child?.kill('SIGTERM');
  expect(await once(child ?? process, 'exit')).toEqual([0, null]);
});

test('what is not there', async () => {
  const args = ['--disable-warning=ExperimentalWarning', MAIN, 'serve-flags', join(folder, 'absent')];
  const failed = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  expect(await once(failed, 'exit')).toEqual([1, null]);
});
