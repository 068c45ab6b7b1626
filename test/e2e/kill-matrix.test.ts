import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { E2eHost, FLAG, SOURCE } from '../support/e2e-host.ts';
import { makeRepository, runGitIn } from '../tools/git-repository.ts';

/** A ladder with every kind of effect: a flag with a reload that is owed, a guarded program, a message, the report. */
const GUARD = `apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: latency }
spec:
  triggers: [ { name: slow, query: app_latency_seconds, above: 0.5, for: 300ms, severity: critical } ]
  ladder:
    - rung: flags
      do:
        - setFlag: { flag: fast-path, to: safe }
        - run:
            argv: ["\${host.node}", -e, "require('fs').appendFileSync(process.argv[1], 'once\\\\n')", "\${host.folder}/effects"]
            unless: [ { run: { argv: ["\${host.node}", -e, "process.exit(require('fs').existsSync(process.argv[1]) ? 0 : 1)", "\${host.folder}/effects"] } } ]
      verify: { settle: 100ms, within: 30s }
  cooldown: 10m
  notify: [file]
---
apiVersion: revertd.dev/v1
kind: Notifier
metadata: { name: file }
spec:
  on: [opened]
  command: { argv: ["\${host.node}", -e, "require('fs').appendFileSync(process.argv[1], 'told\\\\n')", "\${host.folder}/messages"] }
`;

/** A step that must not be repeated and cannot be observed. */
const UNSAFE = `apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: latency }
spec:
  triggers: [ { name: slow, query: app_latency_seconds, above: 0.5, for: 300ms, severity: critical } ]
  ladder:
    - rung: switch
      do: [ { http: { method: POST, url: "\${host.app}/switch" } } ]
      verify: { settle: 100ms, within: 30s }
  cooldown: 10m
`;

let host: E2eHost;

beforeEach(async () => {
  host = new E2eHost();
  await host.startApp();
});

afterEach(async () => {
  await host.close();
});

async function runInto(guard: string, killAt: string): Promise<void> {
  host.commit({ 'flags.yaml': FLAG(), 'source.yaml': SOURCE, 'guard.yaml': guard });
  host.writeConfig(`    node: ${JSON.stringify(process.execPath)}\n`);
  await host.startDaemon({ REVERTD_TEST_KILL_AT: killAt });
  await host.tellApp('degrade');
  expect(await host.daemonEnd(), 'the fault point was passed').toBe('SIGKILL');
}

function lines(name: string): string[] {
  const path = join(host.folder, name);
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
}

const POINTS = ['deliver', 'takeUp', 'step', 'notify', 'report'].flatMap((kind) =>
  ['planned', 'running', 'effect', 'finished']
    .filter((boundary) => boundary !== 'running' || kind === 'takeUp' || kind === 'step')
    .map((boundary) => `${boundary}:${kind}`),
);

describe('killed at', () => {
  test.each(POINTS)('%s, it ends where an undisturbed run ends', async (point) => {
    await runInto(GUARD, point);
    await host.startDaemon();
    await host.until('the report', async () => (existsSync(join(host.data, 'reports/INC-1.md')) ? true : undefined));
    await host.untilStatus('everything is done', ({ incidents }) => incidents.length === 0);
    await host.until('the message', async () => (lines('messages').length > 0 ? true : undefined));
    await host.until('the app runs its safe path', async () => ((await host.appState()).fast ? undefined : true));
    expect(await host.stopDaemon()).toBe('0');

    expect(host.env()).toContain('FAST_PATH=false\n');
    expect(lines('effects'), 'the guarded program ran once').toEqual(['once']);
    expect((await host.appState()).reloads, 'the owed reload was done').toBeGreaterThanOrEqual(1);
    host.readStore((store) => {
      expect(store.verifyChain().brokenAt).toBeNull();
      expect(store.memory().operations).toEqual({});
      expect(store.incidents()).toMatchObject([{ id: 'INC-1', phase: { kind: 'closed', outcome: 'resolved' } }]);
      expect(Object.values(store.memory().holds)).toMatchObject([{ kind: 'latch', flag: 'fast-path' }]);
    });
  });
});

describe('a step that cannot be observed and must not be repeated', () => {
  test.each(['running:step', 'effect:step'])(
    'killed at %s happens at most once, and a person is asked',
    async (point) => {
      await runInto(UNSAFE, point);
      await host.startDaemon();
      const { incidents } = await host.untilStatus(
        'a person is asked',
        (status) => status.incidents[0]?.state === 'asking',
      );
      expect(incidents[0]?.reason).toContain('unknown');
      expect((await host.appState()).switches).toBe(point === 'effect:step' ? 1 : 0);
    },
  );

  test('killed before it began is done once', async () => {
    await runInto(UNSAFE, 'planned:step');
    await host.startDaemon();
    await host.untilStatus('it is verified', ({ incidents }) => incidents[0]?.state === 'verifying');
    expect((await host.appState()).switches).toBe(1);
  });
});

/** A move of code: a service of its own is stopped, the checkout moved, the service started, the revision activated. */
const CODE = `apiVersion: revertd.dev/v1
kind: Target
metadata: { name: code }
spec:
  git:
    path: "\${host.checkout}"
    bake: 500ms
    activate: [ { run: { argv: ["\${host.node}", -e, "require('fs').appendFileSync(process.argv[1], 'activated\\\\n')", "\${host.folder}/effects"], repeatable: true } } ]
---
apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: latency }
spec:
  triggers: [ { name: slow, query: app_latency_seconds, above: 0.5, for: 300ms, severity: critical } ]
  ladder:
    - rung: code
      do: [ { restore: { target: code, to: lastGood } } ]
      verify: { settle: 100ms, within: 30s, triggersClear: false, checks: [ { http: { url: "\${host.app}/health" } } ] }
  cooldown: 10m
`;

describe('a move of code killed at', () => {
  const points = ['restore', 'activate'].flatMap((kind) =>
    ['planned', 'running', 'effect', 'finished'].map((boundary) => `${boundary}:${kind}`),
  );

  test.each(points)('%s, is at the good revision, activated, and the bad one in quarantine', async (point) => {
    const upstream = makeRepository(join(host.folder, 'upstream'));
    const good = upstream.commit({ 'app.js': 'good' });
    const checkout = join(host.folder, 'checkout');
    runGitIn(host.folder, ['clone', '--quiet', upstream.path, checkout]);
    host.commit({ 'source.yaml': SOURCE, 'code.yaml': CODE });
    host.writeConfig(`    node: ${JSON.stringify(process.execPath)}\n    checkout: ${JSON.stringify(checkout)}\n`);
    await host.startDaemon({ REVERTD_TEST_KILL_AT: point });
    await host.untilStatus('the revision proves good', ({ targets }) => targets[0]?.good === true);
    upstream.commit({ 'app.js': 'bad' });
    runGitIn(checkout, ['pull', '--quiet']);
    await host.untilStatus('the bad revision is seen', ({ targets }) => targets[0]?.good === false);
    await host.tellApp('degrade');
    expect(await host.daemonEnd(), 'the fault point was passed').toBe('SIGKILL');

    await host.startDaemon();
    await host.until('the report', async () => (existsSync(join(host.data, 'reports/INC-1.md')) ? true : undefined));
    expect(await host.stopDaemon()).toBe('0');
    expect(runGitIn(checkout, ['rev-parse', 'HEAD'])).toBe(good);
    expect(lines('effects')).toContain('activated');
    host.readStore((store) => {
      expect(store.verifyChain().brokenAt).toBeNull();
      expect(store.incidents()).toMatchObject([{ id: 'INC-1', phase: { kind: 'closed', outcome: 'resolved' } }]);
      expect(Object.values(store.memory().holds)).toMatchObject([{ kind: 'quarantine', target: 'code' }]);
      expect(store.memory().targets['code']?.owed).toBeNull();
    });
  });
});

describe('one daemon per host', () => {
  test('a second one is refused with exit code 5 and told who has the lock; a dead one’s lock is free at once', async () => {
    host.commit({ 'flags.yaml': FLAG() });
    host.writeConfig();
    await host.startDaemon();
    const first = host.daemon;
    const second = new E2eHost();
    second.writeConfig();
    const result = await second.runCommand('run', '--config', host.config);
    expect(result.code).toBe(5);
    expect(result.stderr).toContain(`process ${first?.pid}`);
    await second.close();

    await host.stopDaemon('SIGKILL');
    await host.startDaemon();
    expect((await host.status()).live).toBe(true);
  });
});
