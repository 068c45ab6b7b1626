/** M12: all that revertd knows is backed up while it works, and a new host goes on with it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PointDetail } from '../../src/server/point-status.ts';
import { E2eHost, FLAG, SOURCE } from '../support/e2e-host.ts';

/** A ladder that asks a person after its first rung, whose second one mends; and a point. */
const GUARD = `apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: latency }
spec:
  triggers: [ { name: slow, query: app_latency_seconds, above: 0.5, for: 300ms, severity: critical } ]
  ladder:
    - rung: look
      do: [ { run: { argv: ["\${host.node}", -e, ""], repeatable: true } } ]
      verify: { settle: 100ms, within: 1s, triggersClear: false, checks: [ { query: { expr: "nothing_has_this_name", below: 1 } } ] }
    - rung: flags
      do: [ { setFlag: { flag: fast-path, to: safe } } ]
      verify: { settle: 100ms, within: 30s }
  cooldown: 10m
---
apiVersion: revertd.dev/v1
kind: Target
metadata: { name: settings }
spec: { files: { paths: ["\${host.folder}/settings"] } }
---
apiVersion: revertd.dev/v1
kind: PointPolicy
metadata: { name: data }
spec: { targets: [settings], retain: { last: 3 } }
`;

/** The validation of docs/operations.md. */
const VALIDATION = /```sql\n(?<query>[^`]*future[^`]*)```/.exec(
  readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8'),
)?.groups?.['query'];

let host: E2eHost;
let backup: string;

beforeEach(async () => {
  host = new E2eHost();
  backup = join(host.folder, 'backup.tar');
  await host.startApp();
  mkdirSync(join(host.folder, 'settings'));
  writeFileSync(join(host.folder, 'settings/app.conf'), 'mode=good\n');
  host.commit({ 'flags.yaml': FLAG(), 'source.yaml': SOURCE, 'guard.yaml': GUARD });
  host.writeConfig(`    node: ${JSON.stringify(process.execPath)}\n`);
});

afterEach(async () => {
  await host.close();
});

async function revertd(...args: string[]) {
  return await host.runCommand(...args, '--config', host.config);
}

async function untilAsking(): Promise<void> {
  await host.untilStatus('a person is asked', ({ incidents }) => incidents[0]?.state === 'asking');
}

async function pointTaken(): Promise<string> {
  const client = await host.client();
  const { point } = await client.post<{ point: string }>('points', { policy: 'data' });
  await host.until('the point is valid', async () =>
    (await client.get<PointDetail>(`points/${point}`)).state === 'valid' ? true : undefined,
  );
  return point;
}

/** The disk of the old host is gone; what was known of its log is what the journal was told. */
async function loseHost(): Promise<string> {
  expect(await host.stopDaemon('SIGKILL')).toBe('SIGKILL');
  renameSync(host.data, join(host.folder, 'lost'));
  const journal = join(host.folder, 'journal');
  writeFileSync(journal, host.daemonLog.join('\n'), { flag: 'a' });
  return journal;
}

test('[M12] an incident that was open when the backup was taken ends on the new host', async () => {
  await host.startDaemon();
  await host.untilStatus('policies are in force', ({ revision }) => revision !== null);
  const point = await pointTaken();
  await host.tellApp('degrade');
  await untilAsking();
  const made = await revertd('backup', 'create', backup);
  expect(made).toMatchObject({ code: 0, stdout: `${backup}\n` });
  expect(await revertd('backup', 'create', backup)).toMatchObject({ code: 4, stdout: '' });
  expect((await revertd('backup', 'restore', backup)).code, 'never under a daemon').toBe(5);
  const journal = await loseHost();

  const restored = await revertd('backup', 'restore', backup);
  expect(restored).toMatchObject({ code: 0 });
  expect(restored.stderr).toMatch(/as it was on e2e at .*\n.*gone on with: INC-1/);
  await host.startDaemon();
  await untilAsking();
  await (await host.client()).post('incidents/INC-1/answer', { answer: 'next' });
  await host.untilStatus('it is resolved', ({ incidents }) => incidents.length === 0);
  await host.until('the app runs its safe path', async () => ((await host.appState()).fast ? undefined : true));
  writeFileSync(join(host.folder, 'settings/app.conf'), 'mode=bad\n');
  const back = await revertd('points', 'restore', point, '--reason', 'mode');
  expect(back.stderr).toContain('undo');
  expect(readFileSync(join(host.folder, 'settings/app.conf'), 'utf8')).toBe('mode=good\n');
  expect(await host.stopDaemon()).toBe('0');

  host.readStore((store) => {
    expect(store.incidents()).toMatchObject([{ id: 'INC-1', phase: { kind: 'closed', outcome: 'resolved' } }]);
    expect(store.events({ types: ['store.restored'] })).toMatchObject([{ event: { file: backup, host: 'e2e' } }]);
  });
  const audit = await revertd('audit', 'verify', '--journal', journal);
  expect(audit, 'what the lost host said last is told apart').toMatchObject({ code: 0 });
  const database = new DatabaseSync(join(host.data, 'revertd.db'), { readOnly: true });
  expect(database.prepare(VALIDATION ?? '').all()).toEqual([]);
  database.close();
});

test('[M12] killed at any step of a restore, what is there is the old state or the new one', async () => {
  await host.startDaemon();
  await host.untilStatus('policies are in force', ({ revision }) => revision !== null);
  await pointTaken();
  expect(await revertd('backup', 'create', backup)).toMatchObject({ code: 0 });
  await loseHost();
  const restored = (): boolean =>
    existsSync(join(host.data, 'revertd.db')) &&
    host.readStore((store) => store.events({ types: ['store.restored'] }).length > 0);
  for (const [boundary, isDone] of [
    ['restore:ready', false],
    ['restore:placed', true],
  ] as const) {
    const env = { ...process.env, REVERTD_TEST_KILL_AT: boundary };
    await host.runAs({ env }, 'backup', 'restore', backup, '--config', host.config);
    expect(restored(), `killed at ${boundary}`).toBe(isDone);
  }
  const again = await host.runAs(
    { env: { ...process.env, REVERTD_TEST_KILL_AT: 'restore:place' } },
    'backup',
    'restore',
    backup,
    '--force',
    '--config',
    host.config,
  );
  expect(again.code).toBeNull();
  expect(restored(), 'the one before').toBe(true);
  expect((await revertd('backup', 'restore', backup)).stderr).toContain('--force');
  expect(await revertd('backup', 'restore', backup, '--force')).toMatchObject({ code: 0 });
  expect(readdirSync(host.data).filter((name) => name.startsWith('restore-'))).toEqual([]);
  await host.startDaemon();
  await host.untilStatus('policies are in force', ({ revision }) => revision !== null);
});

test('[M12] a daemon that is killed while it backs up leaves no half file, and the next one backs up', async () => {
  for (const boundary of ['backup:copied', 'backup:written']) {
    await host.startDaemon({ REVERTD_TEST_KILL_AT: boundary });
    await host.untilStatus('policies are in force', ({ revision }) => revision !== null);
    expect((await revertd('backup', 'create', backup)).code).not.toBe(0);
    expect(await host.daemonEnd()).toBe('SIGKILL');
    expect(existsSync(backup)).toBe(false);
  }
  const left = await revertd('backup', 'create', backup);
  expect(left, 'without a daemon, from what it left').toMatchObject({ code: 0 });
  expect(readdirSync(host.data).filter((name) => name.startsWith('backup-'))).toEqual([]);
});
