import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Status } from '../../src/server/status.ts';
import { E2eHost, FLAG, SOURCE } from '../support/e2e-host.ts';

const GUARD = `apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: latency }
spec:
  triggers: [ { name: slow, query: app_latency_seconds, above: 0.5, for: 200ms, severity: critical } ]
  ladder:
    - rung: flags
      do: [ { setFlag: { flag: fast-path, to: safe } } ]
      verify: { settle: 100ms, within: 20s }
  cooldown: 10m
`;

const host = new E2eHost();

beforeAll(async () => {
  await host.startApp('false');
  host.commit({ 'flags.yaml': FLAG(), 'source.yaml': SOURCE, 'guard.yaml': GUARD });
  host.writeConfig();
});

afterAll(async () => {
  await host.close();
});

async function revertd(...args: string[]) {
  return await host.runCommand('--config', host.config, ...args);
}

async function json<T>(...args: string[]): Promise<T> {
  const { stdout, stderr } = await revertd('--json', ...args);
  expect(stderr).toBe('');
  const parsed = JSON.parse(stdout) as T & { schemaVersion: number };
  expect(parsed.schemaVersion).toBe(1);
  return parsed;
}

describe('before the first start', () => {
  test('plan says what would happen, from a folder and one look at the host', async () => {
    const plan = await revertd('plan', '--policies', host.repository);
    expect(plan.stdout).toContain('is held at "false" by adoption');
    expect(plan.stdout).toMatch(/^Plan: 0 to create, 0 to change, 0 to prune, 0 rollbacks, 0 held\.|1 held\.$/m);
    expect(plan.code).toBe(0);
  });

  test('status and the lists answer from nothing', async () => {
    expect((await revertd('status')).stdout).toContain('no daemon runs');
    expect((await revertd('incidents')).stderr).toContain('no incident yet');
    expect((await revertd('holds', 'lift', 'x')).code).toBe(1);
  });

  test('version says what to report with a fault', async () => {
    const { version, node, policies } = await json<Record<'version' | 'node' | 'policies', string>>('version');
    expect((await revertd('version')).stdout.trim()).toBe(`revertd ${version}, Node ${node}, policies ${policies}`);
    expect((await revertd('--version')).stdout.trim()).toBe(version);
  });

  test('halt works without a daemon, and the next one starts halted', async () => {
    expect((await revertd('halt', '--reason', 'testing')).code).toBe(0);
    await host.startDaemon();
    const status = await host.untilStatus('it is halted', ({ halted }) => halted !== null);
    expect(status.halted).toMatchObject({ reason: 'testing' });
    expect((await revertd('resume')).stderr).toContain('Resumed');
    await host.untilStatus('it is resumed', ({ halted }) => halted === null);
  });
});

describe('with a daemon', () => {
  test('what differs at first sight is held, shown, and adopted by command', async () => {
    const status = await host.untilStatus('it is held', ({ holds }) => holds.length === 1);
    expect(status.holds).toMatchObject([
      { kind: 'adoption', object: 'Flag/fast-path', lifts: 'revertd adopt Flag/fast-path' },
    ]);
    expect((await revertd('plan', '--detailed-exitcode')).code).toBe(0);
    const wrong = await revertd('adopt', 'Flag/fast-pat');
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('Did you mean Flag/fast-path?');
    expect((await revertd('adopt')).stderr).toContain('1 place(s) now follow git');
    await host.until('the app follows git', async () => ((await host.appState()).fast ? true : undefined));
  });

  test('flags are listed, shown, overridden with a reason and for a time, and let go of', async () => {
    expect((await revertd('flags')).stdout).toMatch(/fast-path +on +on/);
    expect((await revertd('flags', 'set', 'fast-path', 'off')).code).toBe(64);
    expect((await revertd('flags', 'set', 'fast-path', 'of', '--reason', 'x')).stderr).toContain('Did you mean off?');
    expect((await revertd('flags', 'set', 'fast-path', 'off', '--ttl', '1h', '--reason', 'calm down')).code).toBe(0);
    await host.until('the app is told', async () => ((await host.appState()).fast ? undefined : true));
    const flag = await json<{ effective: string; because: string; places: unknown[] }>('flags', 'get', 'fast-path');
    expect(flag).toMatchObject({ effective: 'off', git: 'on', places: [{ state: 'observed', observed: 'false' }] });
    expect(flag.because).toContain('calm down');
    expect((await revertd('holds')).stdout).toContain('override:fast-path');
    expect((await revertd('holds', 'lift', 'override:fast-path', '--reason', 'calm now')).code).toBe(0);
    await host.until('the app follows git', async () => ((await host.appState()).fast ? true : undefined));
    expect((await revertd('flags', 'history', 'fast-path')).stdout).toMatch(/calm now/);
  });

  test('a rollback is shown by status, incidents and holds, and an override yields to its latch', async () => {
    await host.tellApp('degrade');
    await host.untilStatus('it is resolved', ({ incidents, holds }) => incidents.length === 0 && holds.length === 1);
    expect((await revertd('status')).stdout).toMatch(/fast-path +off +git says on, but latch:fast-path:INC-1/);
    expect((await revertd('incidents')).stdout).toMatch(/INC-1 .* latency +resolved/);
    expect((await revertd('incidents', 'show', 'INC-1')).stdout).toContain('# INC-1: latency on e2e');
    const refused = await revertd('flags', 'set', 'fast-path', 'on', '--reason', 'I want it');
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain('--force releases it');
    expect((await revertd('incidents', 'answer', 'INC-1', 'maybe')).code).toBe(64);
    expect((await revertd('incidents', 'answer', 'INC-1', 'done')).stderr).toContain('there is no open incident INC-1');
  });

  test('who acted stands in the log', async () => {
    type Events = { events: { type: string; actor: string }[] };
    const client = await host.client();
    const { events } = await client.get<Events>('events?limit=1000');
    const lifted = events.find((event) => event.type === 'hold.lifted' && event.actor !== 'revertd');
    expect(lifted?.actor).toBe((await host.runShell('id', '-un')).trim());
  });

  test('explain shows a policy with values, coverage and history; query answers and draws', async () => {
    const explained = await revertd('explain', 'RollbackPolicy/latency');
    expect(explained.stdout).toMatch(/value +\d.*threshold > 0\.5/);
    expect(explained.stdout).toMatch(/rests on +\d+ samples in 1 series of app/);
    expect((await revertd('explain', 'RollbackPolicy/latenci')).stderr).toContain(
      'did you mean RollbackPolicy/latency?',
    );
    expect((await revertd('query', 'app_latency_seconds')).stdout).toMatch(/^app_latency_seconds\{.*\} +0\.\d+$/m);
    expect((await revertd('query', 'app_latency_seconds', '--plot', '--range', '10s', '--step', '1s')).stdout).toMatch(
      /┤.*[⠁-⣿]/,
    );
    const wrong = await revertd('query', 'rate(app_latency_seconds)');
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('at character');
  });

  test('JSON has a schemaVersion everywhere, and nothing on stderr', async () => {
    const status = await json<Status>('status');
    expect(status).toMatchObject({ live: true, host: 'e2e' });
    await json('plan');
    await json('flags');
    await json('holds');
    await json('incidents');
    await json('audit', 'verify');
  });

  test('an address that is taken is an error that says how to mend it', async () => {
    const second = new E2eHost();
    try {
      second.commit({ 'flags.yaml': FLAG() });
      second.writeConfig();
      const text = readFileSync(second.config, 'utf8').replace('127.0.0.1:0', `127.0.0.1:${host.port}`);
      writeFileSync(second.config, text);
      const result = await second.runCommand('run', '--config', second.config);
      expect(result.code).toBe(1);
      expect(result.stderr).toContain(`127.0.0.1:${host.port} cannot be listened on: another program has it`);
    } finally {
      await second.close();
    }
  });

  test('a folder without policies is not valid', async () => {
    const result = await revertd('validate', join(import.meta.dirname, '../../src/core'));
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain('has no policies');
  });

  test('wrong usage is exit code 64, with a hint', async () => {
    expect(await revertd('statsu')).toMatchObject({ code: 64 });
    expect((await revertd('statsu')).stderr).toContain('Did you mean status?');
    expect((await revertd('plan', '--polices', 'x')).code).toBe(64);
    expect((await revertd()).code).toBe(64);
  });
});

describe('after the daemon', () => {
  test('the same commands answer from what it left, and change nothing', async () => {
    expect(await host.stopDaemon()).toBe('0');
    const status = await json<Status>('status');
    expect(status).toMatchObject({ live: false, flags: [{ effective: 'off' }], holds: [{ kind: 'latch' }] });
    expect((await revertd('incidents', 'show', 'INC-1')).stdout).toContain('**resolved**');
    expect((await revertd('flags', 'set', 'fast-path', 'on', '--reason', 'x')).stderr).toContain('no daemon listens');
  });

  test('run --once reconciles what is left and exits; --dry-run only says it', async () => {
    host.commit({ 'flags.yaml': FLAG(', "beta": true') }, 'Change the flag');
    await host.tellApp('mend');
    expect((await revertd('run', '--once')).code).toBe(0);
    expect((await host.appState()).fast).toBe(true);
  });

  test('audit verify finds a changed event', async () => {
    const log = join(host.folder, 'daemon.log');
    writeFileSync(log, host.daemonLog.join('\n'));
    expect((await revertd('audit', 'verify')).stdout).toMatch(/^whole: \d+ events, head \d+:[0-9a-f]{64}\n$/);
    const { stdout: whole } = await revertd('audit', 'verify', '--journal', log);
    expect(whole).toMatch(/^whole: .*; [23] heads from elsewhere are in it\n$/);
    const cut = await revertd('audit', 'verify', '--head', `999999:${'0'.repeat(64)}`);
    expect(cut.code).toBe(1);
    expect(cut.stdout).toContain('to 999999 were there and are gone');
    expect((await revertd('audit', 'verify', '--head', '17')).stderr).toContain('a head is SEQ:HASH');
    const database = new DatabaseSync(join(host.data, 'revertd.db'));
    database.exec("UPDATE events SET data = replace(data, 'calm down', 'calm  down') WHERE data LIKE '%calm down%'");
    database.close();
    const verified = await revertd('audit', 'verify');
    expect(verified.code).toBe(1);
    expect(verified.stdout).toMatch(/^broken at event \d+/);
  });
});
