import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { API_OPERATIONS } from '../../src/server/api-operations.ts';
import { POINT_TARGETS, PointsHost } from '../support/points-host.ts';

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

test('metrics and the report over a period tell of points', async () => {
  await host.started();
  const point = await host.taken();
  await host.revertd('points', 'restore', point.point, '--target', 'settings', '--reason', 'to see');
  const read = async (): Promise<string> => await (await fetch(`http://127.0.0.1:${host.port}/metrics`)).text();
  const metrics = await host.until('the store is measured', async () => {
    const text = await read();
    return /^revertd_content_bytes [1-9]/m.test(text) ? text : undefined;
  });
  expect(metrics).toContain('revertd_points{policy="data",state="valid"} 1\n');
  expect(metrics).toMatch(/^revertd_point_newest_valid_timestamp_seconds\{target="database"\} 1[\d.]+$/m);
  expect(metrics).toMatch(/^revertd_point_last_capture_bytes\{policy="data"\} \d{4,}$/m);
  expect(metrics).toMatch(/^revertd_point_last_capture_duration_seconds\{policy="data"\} [\d.]+$/m);
  expect(metrics).toContain('revertd_captures_total{policy="data",outcome="done"} 1\n');
  expect(metrics).toContain('revertd_point_verifications_total{policy="data",outcome="intact"} 1\n');
  expect(metrics).toContain('revertd_restores_total{target="settings",outcome="done"} 1\n');
  const report = JSON.parse((await host.revertd('report', '--json')).stdout);
  expect(report).toMatchObject({
    now: { pointsTaken: 2, pointsFailed: 0, restored: 1, capturedBytes: expect.any(Number) },
    before: { pointsTaken: 0 },
    storage: { points: { count: 2 } },
  });
  expect((await host.revertd('report')).stdout).toMatch(/Points taken +2 +0 +\+2/);
});

test('a difference is a page, in a file and at an address', async () => {
  await host.started();
  const point = await host.taken();
  host.changeSettings('mode=<script>\n');
  const file = join(host.folder, 'diff.html');
  expect(await host.revertd('points', 'diff', point.point, '--page', file)).toMatchObject({ code: 0 });
  const written = readFileSync(file, 'utf8');
  expect(written).toContain('mode=&lt;script&gt;');
  const address = `http://127.0.0.1:${host.port}/points/${point.point}/diff?with=live&target=settings`;
  const response = await fetch(address);
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  const served = await response.text();
  expect(served).toContain('mode=&lt;script&gt;');
  expect(served).not.toContain('<h2>database');
  const missing = await fetch(address.replace(point.point, 'p0'));
  expect([missing.status, missing.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
});

test('a target goes back to what it was at a time, and says before what would change', async () => {
  await host.started();
  const first = await host.taken();
  host.changeSettings('mode=second\n');
  await host.taken();
  host.changeSettings('mode=third\n');
  const at = new Date(first.completedAt ?? 0).toISOString();
  const restore = ['points', 'restore', '--target', 'settings', '--at', at];
  const preview = await host.revertd(...restore, '--path', 'app.conf', '--dry-run');
  expect(preview).toMatchObject({ code: 0, stderr: expect.stringContaining(first.point) });
  expect(preview.stdout).toMatch(/\+mode=good\n.*-mode=third|-mode=third\n.*\+mode=good/);
  expect((await host.revertd(...restore, '--path', 'other.conf', '--dry-run')).stdout).toContain(
    'nothing is different',
  );
  expect(await host.revertd(...restore, '--reason', 'the second was wrong')).toMatchObject({ code: 0 });
  expect(host.settings).toBe('mode=good\n');
  const early = ['points', 'restore', '--target', 'settings', '--at', '2020-01-01T00:00:00Z', '--dry-run'];
  expect((await host.revertd(...early)).stderr).toContain('there is no valid point of settings by 2020-01-01');
  expect(
    await host.revertd('points', 'restore', '--at', '2020-01-01', '--target', 'settings', '--dry-run'),
  ).toMatchObject({
    code: 64,
  });
  expect(await host.revertd('points', 'restore', '--at', '1h', '--dry-run')).toMatchObject({ code: 64 });
});

test('a plan shows what would be pruned and taken, also without a daemon and by other policies', async () => {
  await host.started();
  const [first] = [await host.taken(), await host.taken()];
  expect((await host.revertd('plan')).stdout).toMatch(/PointPolicy\/data: a point of settings, database is taken in /);
  await host.stopDaemon();
  const folder = join(host.folder, 'stricter');
  mkdirSync(folder);
  const stricter = POLICIES.replace('retain: { last: 2, within: 1h }', 'retain: { last: 1 }');
  writeFileSync(join(folder, 'policies.yaml'), `${POINT_TARGETS}${stricter}`);
  const plan = await host.revertd('plan', '--policies', folder, '--detailed-exitcode');
  expect(plan).toMatchObject({ code: 2, stdout: expect.stringContaining('1 to prune') });
  expect(plan.stdout).toMatch(
    new RegExp(
      `- point ${first?.point} is pruned; it can be brought back until .*\n +no rule of PointPolicy data keeps it`,
    ),
  );
  expect(plan.stdout).toMatch(
    /PointPolicy\/data: its valid points are read again, and restored beside the live system in /,
  );
  const observed = join(host.folder, 'observed.json');
  expect(await host.revertd('observe', '--out', observed)).toMatchObject({ code: 0 });
  const other = JSON.parse(
    (await host.revertd('plan', '--observation', observed, '--policies', folder, '--json')).stdout,
  );
  expect(other).toMatchObject({
    points: { begun: [], pruned: [{ point: first?.point, policy: 'data' }], deleted: [] },
  });
});

test('answers have the fields that the OpenAPI document promises', async () => {
  await host.started();
  const { point } = await host.taken();
  const read = async (path: string): Promise<Record<string, unknown>> => {
    const response = await fetch(`http://127.0.0.1:${host.port}${path}`);
    return (await response.json()) as Record<string, unknown>;
  };
  expect(await read('/openapi.json')).toMatchObject({ openapi: '3.1.0', info: { title: 'revertd' } });
  const names: Readonly<Record<string, string>> = { points: point, explain: 'PointPolicy%2Fdata' };
  const queries: Readonly<Record<string, string>> = {
    'points/at': `?target=settings&at=${Date.now()}`,
    query: '?expr=up',
  };
  for (const [route, { answer, name }] of Object.entries(API_OPERATIONS)) {
    const [method = '', pattern = ''] = route.split(' ');
    const given = names[pattern.split('/')[0] ?? ''];
    if (method !== 'GET' || (name !== undefined && given === undefined)) continue;
    const path = `/api/v1/${pattern.replace(':name', given ?? '')}${queries[pattern] ?? ''}`;
    const found = await read(path);
    const missing = ['schemaVersion', ...Object.keys(answer)].filter((key) => !Object.hasOwn(found, key));
    expect([path, missing]).toEqual([path, []]);
  }
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
