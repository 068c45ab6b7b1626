import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { CommandTarget } from '../../../src/core/model/target.ts';
import { CapturedStage } from '../../support/points/captured-stage.ts';

let stage: CapturedStage;
afterEach(() => stage.close());

async function open(change: (live: string) => Partial<CommandTarget> = () => ({})): Promise<void> {
  stage = await CapturedStage.open((live) => ({
    kind: 'command',
    capture: ['cat', join(live, 'rules')],
    restore: ['dd', 'status=none', `of=${join(live, 'rules')}`],
    env: {},
    timeoutMs: 30_000,
    maxBytes: 50_000_000,
    ...change(live),
  }));
  write('one\n');
}

function sh(script: string): readonly string[] {
  return ['sh', '-c', script];
}

function write(content: string | Buffer): void {
  writeFileSync(join(stage.live, 'rules'), content);
}

function rules(name = 'rules'): string {
  return readFileSync(join(stage.live, name), 'utf8');
}

async function failed(): Promise<string> {
  const outcome = await stage.points.capture(stage.target, stage.captureContext());
  expect(outcome.outcome).toBe('failed');
  return outcome.detail;
}

test('content of several pieces comes back byte for byte', async () => {
  await open();
  const content = Buffer.alloc(9_000_001, 'abcdefg\0\xff', 'latin1');
  write(content);
  const snapshot = await stage.capture();
  expect(snapshot.bytes).toBe(content.length);
  write('spoilt');
  expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
  expect(readFileSync(join(stage.live, 'rules')).equals(content)).toBe(true);
});

test('a program learns what it restores, and reads it from a file that nobody else sees', async () => {
  await open((live) => ({
    restore: sh(
      `cat > ${live}/rules; echo "$REVERTD_TARGET $REVERTD_BYTES $REVERTD_SHA256 $WORD" > ${live}/told; stat -Lc %F /dev/stdin > ${live}/kind`,
    ),
    env: { WORD: 'own' },
  }));
  const snapshot = await stage.capture();
  write('two\n');
  expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
  expect(rules()).toBe('one\n');
  expect(rules('told')).toBe(`target 4 ${snapshot.fingerprint} own\n`);
  expect(rules('kind')).toBe('regular file\n');
  expect(readdirSync(join(stage.store.folder, 'scratch'))).toEqual([]);
});

test.each([
  ['that fails', sh('echo half; echo it is locked >&2; exit 3'), /sh ended with exit code 3: it is locked/],
  ['that is killed', sh('echo half; kill -9 $$'), /sh was killed by SIGKILL/],
  ['that writes nothing', ['true'], /true wrote nothing/],
  ['that writes without end', ['yes'], /wrote more than 50000000 bytes/],
  ['that is not there', ['/nowhere/program'], /does not exist/],
])('of a program %s nothing is captured', async (_what, capture, said) => {
  await open(() => ({ capture }));
  expect(await failed()).toMatch(said);
  await stage.store.collect([], new AbortController().signal);
  expect(stage.blobs()).toEqual([]);
});

test('a program that hangs is ended with all it started', async () => {
  await open(() => ({ capture: sh('echo half; sleep 1000 & sleep 1000'), timeoutMs: 300 }));
  expect(await failed()).toMatch(/had not ended after 300ms and was killed/);
});

test('output that a program left in the background still writes belongs to it', async () => {
  await open((live) => ({
    capture: sh(`(until [ -e ${live}/go ]; do :; done; echo late) & echo early; touch ${live}/go`),
  }));
  expect((await stage.capture()).bytes).toBe('early\nlate\n'.length);
});

test('a restore whose program fails says why, and what it shows afterwards is compared', async () => {
  await open((live) => ({
    restore: sh(`cat >/dev/null; [ ! -e ${live}/broken ] || { echo no space >&2; exit 4; }`),
    observe: ['cat', join(live, 'rules')],
  }));
  const snapshot = await stage.capture();
  write('two\n');
  expect(await stage.restore(snapshot)).toMatchObject({
    outcome: 'failed',
    detail: expect.stringContaining('sh ended well, but cat shows 4 bytes that differ'),
  });
  writeFileSync(join(stage.live, 'broken'), '');
  expect(await stage.restore(snapshot)).toEqual({ outcome: 'failed', detail: 'sh ended with exit code 4: no space' });
});

test('without a program that shows it, what an interrupted restore has done is unknown', async () => {
  await open();
  const snapshot = await stage.capture();
  expect(await stage.observe(snapshot)).toBe('unknown');
});

test('an observation that fails says nothing', async () => {
  await open(() => ({ observe: ['false'] }));
  expect(await stage.observe(await stage.capture())).toBe('unknown');
});

test('damaged content is found before the program is begun', async () => {
  await open((live) => ({ restore: sh(`touch ${live}/begun; cat > ${live}/rules`) }));
  write(Buffer.alloc(9_000_001, 'abc'));
  const snapshot = await stage.capture({ compression: 'none' });
  const [small = ''] = stage
    .blobs()
    .sort((a, b) => statSync(a).size - statSync(b).size)
    .slice(1);
  const bytes = readFileSync(small);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  writeFileSync(small, bytes);
  expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'failed' });
  expect(existsSync(join(stage.live, 'begun'))).toBe(false);
});

test('programs of a user that is not there are not run', async () => {
  await open(() => ({ user: 'nobody-of-that-name' }));
  expect(await failed()).toBe('this host has no user nobody-of-that-name');
});

test('there are no parts', async () => {
  await open();
  const snapshot = await stage.capture();
  expect(await stage.restore(snapshot, ['a'])).toMatchObject({
    detail: 'target has no parts; it is restored as a whole',
  });
});

test('a difference of small text shows its lines', async () => {
  await open();
  const snapshot = await stage.capture();
  write('two\n');
  const { groups } = await stage.diff(snapshot);
  expect(groups).toMatchObject([{ changed: 1, items: [{ detail: '4 → 4 bytes' }] }]);
  expect(groups[0]?.items[0]?.lines).toContain('-one\n+two');
});
