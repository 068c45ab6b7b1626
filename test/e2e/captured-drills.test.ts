import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DrillResult } from '../../src/core/model/drill.ts';
import type { PointDetail } from '../../src/server/point-status.ts';
import { E2eHost, SOURCE } from '../support/e2e-host.ts';

const POLICIES = `apiVersion: revertd.dev/v1
kind: Target
metadata: { name: database }
spec:
  sqlite: { path: "\${host.folder}/app.db" }
  check: [ { sqlite: { path: "\${host.folder}/app.db", is: intact } } ]
---
apiVersion: revertd.dev/v1
kind: PointPolicy
metadata: { name: data }
spec: { targets: [database], retain: { last: 5 } }
---
apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: broken }
spec:
  triggers: [ { name: broken, query: app_broken, above: 0, for: 1s, severity: critical } ]
  ladder:
    - rung: data
      do: [ { restore: { target: database, to: latestValid } } ]
      verify: { settle: 300ms, within: 20s }
---
apiVersion: revertd.dev/v1
kind: Drill
metadata: { name: restores }
spec: { policy: broken, mode: scratch, rto: 10m }
`;

let host: E2eHost;
let server: Server;
let live: DatabaseSync;

const database = (): string => join(host.folder, 'app.db');

async function revertd(...args: string[]) {
  return await host.runCommand(...args, '--config', host.config);
}

/** Begins a point and waits until it is known to be good. */
async function taken(): Promise<PointDetail> {
  const client = await host.client();
  const { point } = await client.post<{ point: string }>('points', { policy: 'data' });
  return await host.until(`point ${point}`, async () => {
    const found = await client.get<PointDetail>(`points/${point}`);
    return found.state === 'valid' ? found : undefined;
  });
}

async function drill(): Promise<{ code: number | null; result: DrillResult }> {
  const { code, stdout } = await revertd('drill', 'restores', '--json');
  return { code, result: JSON.parse(stdout) as DrillResult };
}

function details({ rungs }: DrillResult): string {
  return rungs.flatMap(({ items }) => items.map(({ summary, detail }) => `${summary}: ${detail}`)).join('\n');
}

/** The database and what SQLite keeps beside it, as content and as times. */
function liveFiles(): Record<string, unknown> {
  return Object.fromEntries(
    readdirSync(host.folder)
      .filter((name) => name.startsWith('app.db'))
      .map((name) => {
        const path = join(host.folder, name);
        const { mtimeMs, ino, size, mode } = statSync(path);
        // What `-shm` holds are SQLite's own marks of who reads; every reader leaves some.
        const content = name.endsWith('-shm') ? {} : { mtimeMs, sha: sha256(readFileSync(path)) };
        return [name, { ino, size, mode, ...content }];
      }),
  );
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** What is restored beside the live system and must not stay there. */
function leftovers(): string[] {
  return ['drills', 'scratch'].flatMap((name) => {
    const folder = join(host.data, name);
    return existsSync(folder) ? readdirSync(folder, { recursive: true }).map(String) : [];
  });
}

function storedFiles(): ReadonlySet<string> {
  const files = readdirSync(join(host.data, 'points/blobs'), { recursive: true, withFileTypes: true });
  return new Set(files.filter((file) => file.isFile()).map(({ parentPath, name }) => join(parentPath, name)));
}

function flipByte(path: string): void {
  const content = readFileSync(path);
  const middle = content.length >> 1;
  content[middle] = (content[middle] ?? 0) ^ 0xff;
  writeFileSync(path, content);
}

beforeEach(async () => {
  host = new E2eHost();
  server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end('app_broken 0\n');
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  host.appUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // The service has it open all the while, so that its newest rows stand in `-wal` alone.
  live = new DatabaseSync(database());
  live.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0');
  live.exec("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT); INSERT INTO notes (text) VALUES ('first')");
  host.commit({ 'policies.yaml': POLICIES, 'source.yaml': SOURCE }, 'Rehearse restores');
  host.writeConfig();
  await host.startDaemon();
  await host.untilStatus('the drill is known', ({ drills }) => drills.length === 1);
});

afterEach(async () => {
  live.close();
  server.close();
  server.closeAllConnections();
  await host.close();
});

test('the newest valid point is restored beside the live database, checked there, and nothing live is touched', async () => {
  const older = await taken();
  live.exec("INSERT INTO notes (text) VALUES ('second')");
  const newer = await taken();
  live.exec("INSERT INTO notes (text) VALUES ('third')");
  const before = liveFiles();
  expect(Object.keys(before)).toEqual(['app.db', 'app.db-shm', 'app.db-wal']);
  const { code, result } = await drill();
  expect([code, result]).toMatchObject([0, { outcome: 'successful', mode: 'scratch', rungs: [{ rung: 'data' }] }]);
  expect(details(result)).toContain(`${newer.point} was restored beside the live system`);
  // Of two points of one second the second has a number behind.
  expect(details(result)).not.toMatch(new RegExp(`${older.point}(?!-)`));
  expect(details(result)).toMatch(new RegExp(`${join(host.data, 'drills')}/\\S+: is intact`));
  expect(liveFiles()).toEqual(before);
  expect(leftovers()).toEqual([]);
  expect(live.prepare('SELECT count(*) AS rows FROM notes').get()).toEqual({ rows: 3 });
});

test('a point that was damaged in the store is found by the drill, and a new one mends that', async () => {
  const point = await taken();
  const pieces = storedFiles();
  expect(pieces.size).toBeGreaterThan(0);
  for (const path of pieces) flipByte(path);
  const before = liveFiles();
  const { code, result } = await drill();
  expect([code, result]).toMatchObject([1, { outcome: 'failed', rungs: [{ rung: 'data', outcome: 'failed' }] }]);
  const restored = result.rungs[0]?.items.find(({ summary }) => summary.includes('in a scratch folder'));
  expect(restored).toMatchObject({ summary: expect.stringContaining(point.point), outcome: 'failed' });
  expect(restored?.detail).toContain('in the content store is corrupted');
  const { conditions } = await host.status();
  expect(conditions).toContainEqual(expect.objectContaining({ type: 'DrillFailed', object: 'Drill/restores' }));
  expect(liveFiles()).toEqual(before);
  expect(leftovers()).toEqual([]);
  live.exec("INSERT INTO notes (text) VALUES ('second')");
  await taken();
  expect((await drill()).code).toBe(0);
});

test('without any point the drill says so', async () => {
  const before = liveFiles();
  const { code, result } = await drill();
  expect([code, result.outcome]).toEqual([1, 'failed']);
  expect(details(result)).toContain('there is no valid point of database');
  expect(liveFiles()).toEqual(before);
});
