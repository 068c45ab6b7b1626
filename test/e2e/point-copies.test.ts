import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PointDetail, PointStatus } from '../../src/server/point-status.ts';
import { E2eHost } from '../support/e2e-host.ts';

const POLICIES = `apiVersion: revertd.dev/v1
kind: Target
metadata: { name: settings }
spec: { files: { paths: ["\${host.folder}/settings"] } }
---
apiVersion: revertd.dev/v1
kind: PointPolicy
metadata: { name: data }
spec:
  targets: [settings]
  retain: { last: 5 }
  copies:
    - { name: away, command: [/bin/sh, "\${host.folder}/copy.sh", "\${file}", "\${host.folder}/away/\${point}.tar"] }
`;
const KEY = 'k'.repeat(64);
const SECRET = 'a password that nobody should find\n';

let host: E2eHost;

beforeEach(() => {
  host = new E2eHost();
  mkdirSync(join(host.folder, 'settings'));
  mkdirSync(join(host.folder, 'away'));
  writeFileSync(join(host.folder, 'settings/app.conf'), SECRET);
  writeFileSync(join(host.folder, 'copy.sh'), 'cp "$1" "$2"\n');
  writeFileSync(join(host.folder, 'points.key'), KEY);
  chmodSync(join(host.folder, 'points.key'), 0o600);
  host.commit({ 'policies.yaml': POLICIES }, 'Keep points, also away from here');
  host.writeConfig(`points: { key: { file: "${host.folder}/points.key" } }`);
});

afterEach(async () => {
  await host.close();
});

async function revertd(...args: string[]) {
  return await host.runCommand(...args, '--config', host.config);
}

async function started(environment: Readonly<Record<string, string>> = {}): Promise<void> {
  await host.startDaemon(environment);
  await host.untilStatus('policies are in force', ({ revision }) => revision !== null);
}

async function untilPoint(is: (point: PointDetail) => boolean): Promise<PointDetail> {
  return await host.until('the point', async () => {
    const client = await host.client();
    const { points } = await client.get<{ points: PointStatus[] }>('points');
    const [newest] = points;
    if (newest === undefined) return undefined;
    const point = await client.get<PointDetail>(`points/${newest.point}`);
    return is(point) ? point : undefined;
  });
}

const isCopied = ({ copies }: PointDetail): boolean => copies['away']?.kind === 'copied';

test('a point goes away encrypted, and comes back on a host that has lost everything', async () => {
  await started();
  expect((await revertd('points', 'take', 'data')).code).toBe(0);
  const { point } = await untilPoint(isCopied);
  const copy = join(host.folder, 'away', `${point}.tar`);
  expect(readFileSync(copy).includes('password')).toBe(false);
  expect(existsSync(join(host.data, 'scratch/copies'))).toBe(false);

  await host.stopDaemon();
  rmSync(host.data, { recursive: true });
  writeFileSync(join(host.folder, 'settings/app.conf'), 'wrong\n');
  await started();
  const imported = await revertd('points', 'import', copy);
  expect(imported).toMatchObject({ code: 0, stdout: `${point}\n` });
  const back = await untilPoint(({ state }) => state === 'valid');
  expect(back).toMatchObject({ point, policy: 'data', pinned: { reason: expect.stringContaining(copy) } });
  expect((await revertd('points', 'import', copy)).stderr).toContain(`has a point ${point} already`);
  expect((await revertd('points', 'restore', point, '--reason', 'lost')).code).toBe(0);
  expect(readFileSync(join(host.folder, 'settings/app.conf'), 'utf8')).toBe(SECRET);
});

test('a copy that fails is told, tried again, and then no condition is left', async () => {
  writeFileSync(join(host.folder, 'copy.sh'), 'echo "the bucket is gone" >&2; exit 3\n');
  await started();
  await revertd('points', 'take', 'data');
  const status = await host.untilStatus('it is told', ({ conditions }) =>
    conditions.some(({ type }) => type === 'CopyFailing'),
  );
  expect(status.conditions.find(({ type }) => type === 'CopyFailing')?.message).toContain('the bucket is gone');
  expect(await untilPoint(() => true)).toMatchObject({ copies: { away: { kind: 'failing', attempts: 1 } } });
});

test.each(['planned:copy', 'running:copy', 'effect:copy'])(
  'a daemon that is killed at %s copies again, and leaves nothing half',
  async (place) => {
    await started({ REVERTD_TEST_KILL_AT: place });
    await revertd('points', 'take', 'data', '--no-wait');
    expect(await host.daemonEnd()).toBe('SIGKILL');
    await started();
    const { point } = await untilPoint(isCopied);
    expect(readdirSync(join(host.folder, 'away'))).toEqual([`${point}.tar`]);
    expect(existsSync(join(host.data, 'scratch/copies'))).toBe(false);
  },
);

test('a point is written into a file by command, and never over another', async () => {
  await started();
  await revertd('points', 'take', '--target', 'settings');
  const { point } = await untilPoint(({ state }) => state === 'valid');
  const file = join(host.folder, 'point.tar');
  expect(await revertd('points', 'export', point, file)).toMatchObject({
    code: 0,
    stderr: expect.stringContaining(`points import ${file}`),
  });
  expect(statSync(file).mode & 0o077).toBe(0);
  expect((await revertd('points', 'export', point, file)).stderr).toContain('is there already');
  expect((await revertd('points', 'import', join(host.folder, 'nothing.tar'))).code).not.toBe(0);
});
