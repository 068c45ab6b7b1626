import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PointDetail, PointStatus } from '../../src/server/point-status.ts';
import { E2eHost, SOURCE } from '../support/e2e-host.ts';

const POLICIES = `apiVersion: revertd.dev/v1
kind: Target
metadata: { name: settings }
spec: { files: { paths: ["\${host.folder}/settings"] } }
---
apiVersion: revertd.dev/v1
kind: Target
metadata: { name: database }
spec: { sqlite: { path: "\${host.folder}/app.db" } }
---
apiVersion: revertd.dev/v1
kind: PointPolicy
metadata: { name: data }
spec:
  targets: [settings, database]
  take: { before: [rollback] }
  retain: { last: 2 }
---
apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: broken }
spec:
  triggers: [ { name: broken, query: app_broken, above: 0, for: 1s, severity: critical } ]
  ladder:
    - rung: data
      do:
        - restore: { target: settings, to: latestValid }
        - restore: { target: database, to: latestValid }
      verify: { settle: 300ms, within: 20s }
  cooldown: 10s
`;

let host: E2eHost;
let server: Server;
let isBroken = (): boolean => false;

function settings(): string {
  return readFileSync(join(host.folder, 'settings/app.conf'), 'utf8');
}

function changeSettings(content: string): void {
  writeFileSync(join(host.folder, 'settings/app.conf'), content);
}

function rows(): unknown[] {
  const database = new DatabaseSync(join(host.folder, 'app.db'));
  try {
    return database
      .prepare('SELECT text FROM notes ORDER BY id')
      .all()
      .map((row) => row['text']);
  } finally {
    database.close();
  }
}

function sql(statement: string): void {
  const database = new DatabaseSync(join(host.folder, 'app.db'));
  database.exec(statement);
  database.close();
}

async function points(): Promise<PointStatus[]> {
  return (await (await host.client()).get<{ points: PointStatus[] }>('points')).points;
}

async function taken(body: object = { policy: 'data' }): Promise<PointDetail> {
  const client = await host.client();
  const { point } = await client.post<{ point: string }>('points', body);
  return await untilPoint(point, ({ state }) => !['creating', 'capturing', 'stored', 'validating'].includes(state));
}

async function untilResolved(): Promise<void> {
  await host.until('the incident is resolved', async () => {
    const { incidents } = await (await host.client()).get<{ incidents: { state: string }[] }>('incidents');
    return incidents.some(({ state }) => state === 'resolved') ? true : undefined;
  });
}

async function untilPoint(id: string, is: (point: PointDetail) => boolean): Promise<PointDetail> {
  return await host.until(`point ${id}`, async () => {
    const point = await (await host.client()).get<PointDetail>(`points/${id}`);
    return is(point) ? point : undefined;
  });
}

beforeAll(async () => {
  server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(`app_broken ${isBroken() ? 1 : 0}\n`);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
});

afterAll(() => {
  server.close();
  server.closeAllConnections();
});

beforeEach(() => {
  isBroken = () => false;
  host = new E2eHost();
  host.appUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  mkdirSync(join(host.folder, 'settings'));
  changeSettings('mode=good\n');
  sql("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL); INSERT INTO notes (text) VALUES ('kept')");
  host.commit({ 'policies.yaml': POLICIES, 'source.yaml': SOURCE }, 'Keep points');
  host.writeConfig();
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

test('a rung puts back what a point holds, and keeps what it overwrites', async () => {
  await started();
  const point = await taken();
  expect(point).toMatchObject({ state: 'valid', policy: 'data', targets: ['settings', 'database'] });
  changeSettings('mode=bad\n');
  sql("UPDATE notes SET text = 'spoilt'");
  isBroken = () => settings() === 'mode=bad\n';
  await untilResolved();
  expect(settings()).toBe('mode=good\n');
  expect(rows()).toEqual(['kept']);
  const safety = (await points()).find(({ cause }) => cause.includes('INC-1'));
  expect(safety).toMatchObject({ policy: 'data', targets: ['settings', 'database'] });
  await untilPoint(safety?.point ?? '', ({ state }) => state === 'valid');
  const diff = await (await host.client()).get(`points/${safety?.point}/diff?with=${point.point}`);
  expect(diff).toMatchObject({
    targets: [
      { target: 'settings', diff: { groups: [{ changed: 1 }] } },
      { target: 'database', diff: { groups: expect.arrayContaining([expect.objectContaining({ changed: 1 })]) } },
    ],
  });
});

test('points are listed, compared, pinned, pruned with their reasons and brought back', async () => {
  await started();
  const [first, second] = [await taken(), await taken()];
  changeSettings('mode=other\n');
  const third = await taken();
  await untilPoint(first.point, ({ state }) => state === 'pruned');
  const list = await revertd('points', 'list');
  expect(list.stdout).toContain(third.point);
  expect(list.stdout).toContain('the newest valid point of settings');
  const diff = await revertd('points', 'diff', second.point);
  expect(diff.stdout).toMatch(/settings\n.*1 changed/s);
  expect(diff.stdout).toContain('app.conf');
  expect((await revertd('points', 'undelete', first.point)).code).toBe(0);
  const shown = await revertd('points', 'show', first.point);
  expect(shown.stdout).toMatch(/pinned {4}by /);
  const preview = await revertd('points', 'prune', '--dry-run');
  expect(preview.stdout).toContain('Prune: 0 to prune, 3 kept.');
  expect((await revertd('points', 'prune', third.point)).stderr).toContain('the newest valid point');
  const verified = await revertd('points', 'verify', first.point, '--restore-test');
  expect(verified.stderr).toContain('is as it was stored');
  expect(existsSync(join(host.data, 'scratch/rehearsal'))).toBe(false);
});

test('a point is taken by command, and told', async () => {
  await started();
  const take = await revertd('points', 'take', '--target', 'settings', '--name', 'before-upgrade', '--ttl', '1d');
  expect(take).toMatchObject({ code: 0, stdout: expect.stringContaining('-before-upgrade') });
  const [point] = await points();
  expect(point).toMatchObject({ state: 'valid', name: 'before-upgrade', policy: null, targets: ['settings'] });
  expect((await revertd('points', 'take', 'dta')).stderr).toContain('Did you mean data?');
});

test('a person puts a part back, and takes that back too', async () => {
  await started();
  const point = await taken();
  changeSettings('mode=other\n');
  sql("UPDATE notes SET text = 'changed'");
  const restore = ['points', 'restore', point.point, '--target', 'settings'];
  const preview = await revertd(...restore, '--dry-run');
  expect(preview.stdout).toContain('app.conf');
  expect(settings()).toBe('mode=other\n');
  expect(await revertd(...restore)).toMatchObject({ code: 64, stderr: expect.stringContaining('--reason') });
  const done = await revertd(...restore, '--reason', 'wrong mode');
  expect(done).toMatchObject({ code: 0, stderr: expect.stringContaining('RST-1 done') });
  expect(settings()).toBe('mode=good\n');
  expect(rows()).toEqual(['changed']);
  const [, undo = ''] = /revertd (points restore \S+)` undoes it/.exec(done.stderr) ?? [];
  await untilPoint(undo.split(' ').at(-1) ?? '', ({ state }) => state === 'valid');
  expect((await revertd(...undo.split(' '), '--reason', 'it was right')).code).toBe(0);
  expect(settings()).toBe('mode=other\n');
});

test('of a damaged database what can be read is kept, by command and before a restore, and said to be no more', async () => {
  const many = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)';
  sql(`${many} INSERT INTO notes (text) SELECT 'note ' || i FROM n`);
  await started();
  const sound = await taken();
  const path = join(host.folder, 'app.db');
  const bytes = readFileSync(path);
  bytes.fill(0x5a, 4 * 4_096, 5 * 4_096);
  writeFileSync(path, bytes);
  const refused = await revertd('points', 'take', '--target', 'database');
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('revertd points take --recover') });
  const kept = await revertd('points', 'take', '--target', 'database', '--recover');
  expect(kept.code).toBe(0);
  const shown = await revertd('points', 'show', kept.stdout.trim());
  expect(shown.stdout).toMatch(/database is what could be read of a damaged database: 1,?\d{3} rows in 1 table/);
  expect(shown.stdout).toContain('not readable were 1 page and 0 rows');
  const restored = await revertd('points', 'restore', sound.point, '--target', 'database', '--reason', 'damaged');
  expect(restored).toMatchObject({ code: 0, stderr: expect.stringContaining('RST-1 done') });
  expect(rows()).toHaveLength(2_001);
  const recovered = (await points()).filter((point) => point.recovered);
  expect(recovered.map(({ targets }) => targets)).toEqual([['database'], ['database']]);
  expect((await revertd('points', 'list')).stdout).toMatch(/(valid|stored|validating), recovered/);
});

test('a damaged piece is found, and its point is not gone back to', async () => {
  await started();
  const point = await taken({ policy: 'data', targets: ['settings'] });
  const blobs = join(host.data, 'points/blobs');
  const files = readdirSync(blobs, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const { parentPath, name } of files) writeFileSync(join(parentPath, name), 'damaged');
  const verified = await revertd('points', 'verify', point.point);
  expect(verified).toMatchObject({ code: 1, stderr: expect.stringContaining('invalid') });
  await host.untilStatus('it is told', ({ conditions }) => conditions.some(({ type }) => type === 'PointDamaged'));
});

describe('a daemon that is killed', () => {
  async function killedAt(place: string): Promise<string> {
    await started({ REVERTD_TEST_KILL_AT: place });
    const client = await host.client();
    await client.post('points', { policy: 'data' }).catch(() => undefined);
    expect(await host.daemonEnd()).toBe('SIGKILL');
    await started();
    return (await points())[0]?.point ?? '';
  }

  test.each(['planned:capture', 'finished:capture', 'running:validate'])(
    'at %s goes on with the point',
    async (place) => {
      const point = await killedAt(place);
      expect(await untilPoint(point, ({ state }) => state !== 'creating' && state !== 'capturing')).toMatchObject({
        failure: null,
      });
      expect(await untilPoint(point, ({ state }) => state === 'valid')).toMatchObject({ policy: 'data' });
    },
  );

  test.each(['running:capture', 'effect:capture'])(
    'at %s leaves nothing half, and no point that is valid by that',
    async (place) => {
      const point = await killedAt(place);
      const failed = await untilPoint(point, ({ state }) => state === 'failed');
      expect(failed.failure).toContain('interrupted');
      await host.until('what it stored is collected', async () => {
        const manifests = join(host.data, 'points/manifests');
        const left = existsSync(manifests)
          ? readdirSync(manifests, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
          : [];
        return left.length === 0 ? true : undefined;
      });
      expect(await taken()).toMatchObject({ state: 'valid' });
    },
  );

  test.each(['running:restore', 'effect:restore'])('at %s puts everything back all the same', async (place) => {
    await started();
    await taken();
    await host.stopDaemon();
    await started({ REVERTD_TEST_KILL_AT: place });
    changeSettings('mode=bad\n');
    sql("UPDATE notes SET text = 'spoilt'");
    isBroken = () => settings() === 'mode=bad\n' || rows()[0] === 'spoilt';
    expect(await host.daemonEnd()).toBe('SIGKILL');
    await started();
    await untilResolved();
    expect(settings()).toBe('mode=good\n');
    expect(rows()).toEqual(['kept']);
  });
});
