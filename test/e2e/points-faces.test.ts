import { afterEach, beforeEach, expect, test } from 'vitest';
import { PointsHost } from '../support/points-host.ts';

const POLICIES = `apiVersion: revertd.dev/v1
kind: PointPolicy
metadata: { name: data }
spec:
  targets: [settings, database]
  timezone: Europe/Berlin
  take: { schedule: "0 2 * * *", before: [rollback] }
  ttl: 400d
  retain: { last: 2, within: 1h }
  verify: { schedule: "0 4 * * 0", restoreTest: true }
`;

let host: PointsHost;

beforeEach(() => {
  host = new PointsHost(POLICIES);
});

afterEach(async () => {
  await host.close();
});

test('a PointPolicy, a point and a target are explained, with a daemon and without', async () => {
  await host.started();
  const [first, second] = [await host.taken(), await host.taken()];
  const policy = await host.revertd('explain', 'PointPolicy/data');
  expect(policy.stdout).toMatch(/takes +0 2 \* \* \*: next at \d{4}-.* \(Europe\/Berlin\), before a rollback/);
  expect(policy.stdout).toMatch(/reads again 0 4 \* \* 0: next at .*, restored beside the live system/);
  expect(policy.stdout).toMatch(/keeps +last 2, within 1h, at most 400d/);
  expect(policy.stdout).toContain('2 point(s), 2 of them valid');
  expect(policy.stdout).toContain('nothing would go now');
  expect(policy.stdout).toMatch(
    new RegExp(`${second.point}  valid  protected  kept: the newest valid point of .* \\(until `),
  );
  const json = JSON.parse((await host.revertd('explain', 'PointPolicy/data', '--json')).stdout);
  expect(json).toMatchObject({
    schemaVersion: 1,
    pointPolicy: { valid: 2, take: { dueAt: null, nextAt: expect.any(Number) }, failures: [], wouldPrune: null },
  });
  const point = await host.revertd('explain', `Point/${first.point}`);
  expect(point.stdout).toMatch(/kept +last; within\n/);
  expect(point.stdout).toMatch(/holds +settings \(files\)/);
  const target = await host.revertd('explain', 'Target/settings');
  expect(target.stdout).toContain(`newest      ${second.point}, `);
  expect(target.stdout).toContain('kept        the newest valid point of settings; the newest valid point of database');
  expect((await host.revertd('explain', 'PointPolicy/dta')).stderr).toContain('did you mean PointPolicy/data?');
  await host.stopDaemon();
  expect((await host.revertd('explain', 'PointPolicy/data')).stdout).toMatch(/0 2 \* \* \*: next at /);
});

test('status counts points, and says what each target could go back to', async () => {
  await host.started();
  expect((await host.revertd('status')).stdout).toMatch(/settings +current +no valid point yet/);
  const point = await host.taken();
  await host.until(
    'the store is measured',
    async () => ((await host.status()).points.storeBytes ?? 0) > 0 || undefined,
  );
  const { points } = await host.status();
  expect(points).toMatchObject({
    states: { valid: 1 },
    targets: [
      { target: 'database', point: point.point, ageMs: expect.any(Number) },
      { target: 'settings', point: point.point },
    ],
    underWay: [],
    restores: [],
    collecting: false,
  });
  const { stdout } = await host.revertd('status');
  expect(stdout).toMatch(new RegExp(`settings +current +newest valid point ${point.point}, \\S+ old`));
  expect(stdout).toMatch(/Points:\n {2}1 valid; .* of content in /);
});
