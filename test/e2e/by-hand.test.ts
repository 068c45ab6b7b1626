import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { E2eHost, FLAG, SOURCE } from '../support/e2e-host.ts';

const BY_HAND = `apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: by-hand }
spec:
  ladder:
    - rung: flags
      do: [ { setFlag: { flag: fast-path, to: safe } } ]
      verify: { settle: 100ms, within: 20s, checks: [ { http: { url: "\${host.app}/state" } } ] }
  cooldown: 10m
---
apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: endless }
spec:
  ladder:
    - rung: sleep
      do: [ { run: { argv: [sleep, "600"], timeout: 10m, repeatable: true } } ]
    - rung: never
      approval: { roles: { dba: 1 } }
      do: [ { run: { argv: ["true"], repeatable: true } } ]
`;

const host = new E2eHost();

beforeAll(async () => {
  await host.startApp();
  host.commit({ 'flags.yaml': FLAG(), 'source.yaml': SOURCE, 'by-hand.yaml': BY_HAND });
  host.writeConfig();
  await host.startDaemon();
  await host.untilStatus('the policies are in force', ({ revision }) => revision !== null);
});

afterAll(async () => {
  await host.close();
});

async function revertd(...args: string[]) {
  return await host.runCommand('--config', host.config, ...args);
}

describe('a ladder by hand', () => {
  test('is shown, walked, verified, and then held up by its cooldown', async () => {
    const shown = await revertd('rollback', 'by-hand', '--dry-run');
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining('set flag fast-path to its safe variant') });
    expect((await revertd('rollback', 'by-hand')).code).toBe(64);

    expect(await revertd('rollback', 'by-hand', '--reason', 'trying')).toMatchObject({ code: 0 });
    await host.untilStatus('it is over', ({ incidents }) => incidents.length === 0);
    expect(host.env()).toContain('FAST_PATH=false');
    const { stdout } = await revertd('incidents', 'show', 'INC-1');
    expect(stdout).toContain('resolved');
    expect(stdout).toContain('trying');

    const again = await revertd('rollback', 'by-hand', '--reason', 'again');
    expect(again).toMatchObject({ code: 4, stderr: expect.stringMatching(/cooldown of 10m after INC-1.*--force/) });
    expect((await revertd('rollback', 'by-hand', '--dry-run')).code).toBe(4);
  });
});

describe('halt --now', () => {
  test('kills the step that is under way, and asks what became of it', async () => {
    await revertd('rollback', 'endless', '--reason', 'trying');
    await host.untilStatus('the step runs', ({ incidents }) => incidents[0]?.state === 'executing');
    const halted = await revertd('halt', '--now', '--reason', 'stop');
    expect(halted).toMatchObject({ code: 0, stderr: expect.stringContaining('killed') });
    await revertd('resume');
    const status = await host.untilStatus('it asks', ({ incidents }) => incidents[0]?.state === 'asking');
    expect(status.incidents[0]?.reason).toMatch(/whether "run sleep 600" was done is unknown: killed/);
  });

  test('and the rung after it waits for people, of whom root is none', async () => {
    await revertd('incidents', 'answer', 'INC-2', 'next');
    const status = await host.untilStatus('it waits', ({ incidents }) => incidents[0]?.state === 'awaiting-approval');
    expect(status.incidents[0]?.deadlineAt).toBeGreaterThan(Date.now());
    const refused = await revertd('incidents', 'approve', 'INC-2');
    // Nobody has a role on this host, whoever runs the test.
    expect(refused).toMatchObject({ code: 4, stderr: expect.stringMatching(/is no person|has no role on this host/) });
    expect((await revertd('status')).stdout).toMatch(/awaiting-approval rung "never", 1\dm.* left/);
    await revertd('incidents', 'abort', 'INC-2', '--reason', 'enough');
  });
});
