import { chmodSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { E2eHost, FLAG, SOURCE } from '../support/e2e-host.ts';

/** Users that every Debian has; the group of root is the one that may open the socket. */
const DAEMON = { uid: 1, gid: 0 };
const BIN = { uid: 2, gid: 0 };

const POLICY = `apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: by-hand }
spec:
  ladder:
    - rung: flags
      approval: { roles: { manager: 1, dba: 1 } }
      do: [ { setFlag: { flag: fast-path, to: safe } } ]
---
apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: in-a-hurry }
spec:
  ladder:
    - rung: reload
      approval: { roles: { manager: 1 }, within: 10s }
      do: [ { http: { method: POST, url: "\${host.app}/switch" } } ]
`;

const host = new E2eHost();

beforeAll(async () => {
  await host.startApp();
  host.commit({ 'flags.yaml': FLAG(), 'source.yaml': SOURCE, 'policy.yaml': POLICY });
  host.writeConfig('roles: { manager: { users: [daemon, bin] }, dba: { groups: [bin] } }');
  chmodSync(host.folder, 0o755);
  chmodSync(host.config, 0o644);
  await host.startDaemon();
  await host.untilStatus('the policies are in force', ({ revision }) => revision !== null);
});

afterAll(async () => {
  await host.close();
});

test('people approve as who their uid says, and root does not', async () => {
  expect(readFileSync('/etc/passwd', 'utf8')).toMatch(/^daemon:x:1:1:/m);
  const approve = (who: object) => host.runAs(who, '--config', host.config, 'incidents', 'approve', 'INC-1');
  await host.runCommand('--config', host.config, 'rollback', 'by-hand', '--reason', 'trying');
  await host.untilStatus('it waits', ({ incidents }) => incidents[0]?.request?.digest !== null);

  expect(await approve({})).toMatchObject({ code: 4, stderr: expect.stringContaining('root is no person') });
  expect(await approve(BIN)).toMatchObject({ code: 0 });
  expect(await approve(BIN)).toMatchObject({ code: 4, stderr: expect.stringContaining('bin has approved already') });
  expect(host.env()).toContain('FAST_PATH=true');
  // bin could be the manager as well; daemon only that, so that bin is the DBA.
  expect(await approve(DAEMON)).toMatchObject({ code: 0 });
  await host.until('the flag is off', async () => (host.env().includes('FAST_PATH=false') ? true : undefined));
  const { events } = await (await host.client()).get<{ events: { actor: string; type: string }[] }>(
    'events?subject=Incident/INC-1',
  );
  expect(events.filter(({ type }) => type === 'approval.given').map(({ actor }) => actor)).toEqual(['bin', 'daemon']);
});

test('an approval after its deadline is refused, and nothing is done', async () => {
  await host.runCommand('--config', host.config, 'rollback', 'in-a-hurry', '--reason', 'trying');
  await host.until('it is too late', async () => {
    const { stdout } = await host.runCommand('--config', host.config, 'incidents', 'list');
    return stdout.includes('asking') ? true : undefined;
  });
  const late = await host.runAs(BIN, '--config', host.config, 'incidents', 'approve', 'INC-2');
  expect(late).toMatchObject({ code: 4, stderr: expect.stringContaining('INC-2') });
  expect((await host.appState()).switches).toBe(0);
});
