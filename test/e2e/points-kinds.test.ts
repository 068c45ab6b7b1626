import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PointDetail } from '../../src/server/point-status.ts';
import { E2eHost, SOURCE } from '../support/e2e-host.ts';
import { DocumentService } from '../support/points/document-service.ts';
import { makeRepository, type Repository } from '../tools/git-repository.ts';

const POLICIES = `apiVersion: revertd.dev/v1
kind: Target
metadata: { name: settings }
spec: { http: { url: "\${host.service}/settings", ignore: [/served] } }
---
apiVersion: revertd.dev/v1
kind: Target
metadata: { name: rules }
spec:
  command:
    capture: [cat, "\${host.folder}/rules"]
    restore: [dd, status=none, "of=\${host.folder}/rules"]
    observe: [cat, "\${host.folder}/rules"]
---
apiVersion: revertd.dev/v1
kind: Target
metadata: { name: code }
spec: { git: { path: "\${host.folder}/code" } }
---
apiVersion: revertd.dev/v1
kind: Flag
metadata: { name: fast-path }
spec:
  state: ENABLED
  variants: { "on": true, "off": false }
  defaultVariant: "on"
  safeVariant: "off"
  deliver: [{ envFile: { path: "\${host.folder}/app.env", key: FAST_PATH } }]
---
apiVersion: revertd.dev/v1
kind: Target
metadata: { name: flags }
spec: { flags: {} }
---
apiVersion: revertd.dev/v1
kind: PointPolicy
metadata: { name: all }
spec: { targets: [settings, rules, code, flags], ttl: 30d }
`;

let host: E2eHost;
let service: DocumentService;
let code: Repository;
let good: string;

beforeEach(async () => {
  service = await DocumentService.start();
  host = new E2eHost();
  host.appUrl = service.origin;
  mkdirSync(join(host.folder, 'code'));
  code = makeRepository(join(host.folder, 'code'));
  good = code.commit({ 'app.js': 'good\n', old: 'old\n' }, 'Good');
  service.setText('settings', '{"limits":{"rate":5},"mode":"safe"}');
  writeFileSync(rules(), 'allow\n');
  writeFileSync(host.envFile, 'FAST_PATH=true\n');
  host.commit(
    { 'policies.yaml': POLICIES.replaceAll('${host.service}', service.origin), 'source.yaml': SOURCE },
    'All',
  );
  host.writeConfig();
});
afterEach(async () => {
  await host.close();
  await service.close();
});

function rules(): string {
  return join(host.folder, 'rules');
}

async function started(environment: Readonly<Record<string, string>> = {}): Promise<void> {
  await host.startDaemon(environment);
  await host.untilStatus('policies are in force', ({ revision }) => revision !== null);
}

async function revertd(...args: string[]) {
  return await host.runCommand(...args, '--config', host.config);
}

async function untilValid(id: string): Promise<PointDetail> {
  return await host.until(`point ${id}`, async () => {
    const point = await (await host.client()).get<PointDetail>(`points/${id}`);
    return point.state === 'valid' || point.state === 'failed' ? point : undefined;
  });
}

async function taken(): Promise<string> {
  const { point } = await (await host.client()).post<{ point: string }>('points', { policy: 'all' });
  expect(await untilValid(point)).toMatchObject({ state: 'valid', targets: ['settings', 'rules', 'code', 'flags'] });
  return point;
}

async function spoil(): Promise<void> {
  service.setText('settings', '{"limits":{"rate":500},"mode":"safe","new":true}');
  writeFileSync(rules(), 'deny\n');
  code.commit({ 'app.js': 'bad\n', old: null }, 'Bad');
  expect(await revertd('flags', 'set', 'fast-path', 'off', '--reason', 'a try')).toMatchObject({ code: 0 });
  await untilFlag('false');
}

/** Places follow what is decided. */
async function untilFlag(value: string): Promise<void> {
  const isShown = () => (shown().fast === value ? true : undefined);
  await host.until(`FAST_PATH is ${value}`, () => Promise.resolve(isShown()));
}

function shown() {
  return {
    rate: /"rate":(\d+)/.exec(service.textOf('settings') ?? '')?.[1],
    rules: readFileSync(rules(), 'utf8'),
    code: code.git('rev-parse', 'HEAD'),
    app: readFileSync(join(code.path, 'app.js'), 'utf8'),
    fast: /^FAST_PATH=(.*)$/m.exec(readFileSync(host.envFile, 'utf8'))?.[1],
  };
}

const GOOD = () => ({ rate: '5', rules: 'allow\n', code: good, app: 'good\n', fast: 'true' });

test('a document, what a program writes, a checkout and flags are taken, compared and put back', async () => {
  await started();
  const point = await taken();
  await spoil();
  const spoilt = shown();
  const diff = await revertd('points', 'diff', point);
  expect(diff.stdout).toMatch(
    /settings\n.*: 1 added, 0 removed, 1 changed\n.*~ \/limits\/rate {2}5 → 500\n.*\+ \/new {2}true/,
  );
  expect(diff.stdout).toMatch(/rules\n.*-allow.*\+deny/s);
  expect(diff.stdout).toMatch(
    /code\n.*0 added, 1 removed, 1 changed\n.*app\.js {2}1 line\(s\) added, 1 removed.*-good.*\+bad/s,
  );
  expect(diff.stdout).toMatch(
    /flags\n.*0 added, 0 removed, 1 changed\n.*~ fast-path {2}"on" → "off" \(override: .*a try\)/,
  );
  const json = await revertd('points', 'diff', point, '--target', 'settings', '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({
    targets: [
      { target: 'settings', diff: { groups: [{ added: 1, changed: 1, items: [{ what: '/limits/rate' }, {}] }] } },
    ],
  });
  const done = await revertd('points', 'restore', point, '--reason', 'all is wrong');
  expect(done).toMatchObject({ code: 0, stderr: expect.stringContaining('RST-1 done') });
  await untilFlag('true');
  expect(shown()).toEqual(GOOD());
  const { stdout: holds } = await revertd('holds', 'list', '--json');
  expect(JSON.stringify(JSON.parse(holds))).toMatch(/override:fast-path.*by RST-1 until it is lifted: all is wrong/);
  const [, undo = ''] = /revertd (points restore \S+)` undoes it/.exec(done.stderr) ?? [];
  expect((await revertd(...undo.split(' '), '--reason', 'it was right')).code).toBe(0);
  await untilFlag('false');
  expect(shown()).toEqual(spoilt);
});

test('a part of a document is put back alone', async () => {
  await started();
  const point = await taken();
  await spoil();
  const restore = ['points', 'restore', point, '--target', 'settings', '--path', '/limits/rate'];
  expect((await revertd(...restore, '--dry-run')).stdout).not.toContain('/new');
  expect(await revertd(...restore, '--reason', 'too fast')).toMatchObject({ code: 0 });
  expect(JSON.parse(service.textOf('settings') ?? '')).toMatchObject({ limits: { rate: 5 }, new: true });
});

test('a flag is put back alone, and a dry run says what that would be', async () => {
  await started();
  const point = await taken();
  await spoil();
  const restore = ['points', 'restore', point, '--target', 'flags', '--path', 'fast-path'];
  expect((await revertd(...restore, '--dry-run')).stdout).toMatch(/1 changed\n.*fast-path/);
  const done = await revertd(...restore, '--reason', 'it was faster');
  expect(done).toMatchObject({ code: 0, stderr: expect.stringContaining('flags: set fast-path to "on"') });
  await untilFlag('true');
  expect(shown()).toMatchObject({ rate: '500', rules: 'deny\n' });
});

test('the commit of a point stays, whatever git collects', async () => {
  await started();
  const point = await taken();
  await host.until('the commit is kept', async () => {
    const refs = code.git('for-each-ref', '--format=%(objectname)', 'refs/revertd/good');
    return await Promise.resolve(refs.includes(good) ? true : undefined);
  });
  code.git('checkout', '-q', '--orphan', 'fresh');
  code.commit({ 'app.js': 'fresh\n' }, 'Fresh');
  code.git('branch', '-D', 'main');
  code.git('reflog', 'expire', '--expire=now', '--all');
  code.git('gc', '--quiet', '--prune=now');
  const verified = await revertd('points', 'verify', point, '--restore-test');
  expect(verified.stderr).toContain('is as it was stored');
  expect(await revertd('points', 'restore', point, '--target', 'code', '--reason', 'back')).toMatchObject({ code: 0 });
  expect(shown()).toMatchObject({ code: good, app: 'good\n' });
});

test.each(['running:restore', 'effect:restore'])('killed at %s, all is put back in the end', async (place) => {
  await started();
  const point = await taken();
  await host.stopDaemon();
  await started({ REVERTD_TEST_KILL_AT: place });
  await spoil();
  const client = await host.client();
  await client.post(`points/${point}/restore`, { reason: 'all is wrong' }).catch(() => undefined);
  expect(await host.daemonEnd()).toBe('SIGKILL');
  await started();
  await host.until('the restore ends', async () => {
    const { state } = await (await host.client()).get<{ state: string }>('restores/RST-1');
    return state === 'running' ? undefined : true;
  });
  await untilFlag('true');
  expect(shown()).toEqual(GOOD());
});
