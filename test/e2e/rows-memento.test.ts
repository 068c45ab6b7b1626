/**
 * M1, M2, M3, M4, M5, M7 and M16 with memento's pack: a knowledge graph in a real PostgreSQL, a service's session state, and files.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createRollbackPoint } from '../../src/library/revertd.ts';
import type { PointDetail, PointStatus } from '../../src/server/point-status.ts';
import { E2eHost } from '../support/e2e-host.ts';
import { DocumentService } from '../support/points/document-service.ts';
import { psql, startPostgres } from '../support/postgres.ts';

const PACK = join(import.meta.dirname, '../../policies/memento');
const SESSION = 'api/session/state';
const DAY_MS = 86_400_000;
const ABOUT = [
  '--name',
  'before-import',
  '--description',
  'before the import',
  '--session',
  's-1',
  '--metadata',
  'rows=3',
];

const postgres = await startPostgres();
const service = await DocumentService.start();
let host: E2eHost;

afterAll(async () => {
  await service.close();
  await postgres[Symbol.asyncDispose]();
});

beforeEach(() => {
  host = new E2eHost();
  psql(postgres.dsn(), 'DROP DATABASE IF EXISTS memento WITH (FORCE)', 'CREATE DATABASE memento');
  sql(
    'CREATE TABLE entities (id integer PRIMARY KEY, name text, created_at timestamptz DEFAULT now())',
    `CREATE TABLE relationships (id integer PRIMARY KEY, from_id integer REFERENCES entities, to_id integer REFERENCES entities,
       created_at timestamptz DEFAULT now())`,
    "INSERT INTO entities (id, name) VALUES (1, 'Ada'), (2, 'Babbage')",
    'INSERT INTO relationships (id, from_id, to_id) VALUES (1, 1, 2)',
  );
  for (const folder of ['config', 'scripts']) mkdirSync(join(host.folder, 'memento', folder), { recursive: true });
  writeFileSync(environmentFile(), 'LIMIT=5\n');
  service.setText(SESSION, '["open"]');
  const files = readdirSync(PACK).filter((name) => name.endsWith('.yaml') && !name.endsWith('.draft.yaml'));
  host.commit(Object.fromEntries(files.map((name) => [name, readFileSync(join(PACK, name), 'utf8')])), 'The pack');
  host.writeConfig(
    Object.entries({
      mementoUrl: service.origin,
      mementoUnit: 'memento.service',
      revertdMetricsUrl: `${service.origin}/metrics`,
      mementoFolder: join(host.folder, 'memento'),
    })
      .map(([name, value]) => `    ${name}: ${JSON.stringify(value)}`)
      .join('\n'),
  );
  mkdirSync(credentials());
  const secrets = {
    'memento-dsn': postgres.dsn('memento'),
    'memento-token': 'token',
    'memento-oncall-webhook': `${service.origin}/oncall`,
  };
  for (const [name, secret] of Object.entries(secrets)) writeFileSync(join(credentials(), name), secret);
});

afterEach(async () => {
  await host.close();
});

function sql(...statements: readonly string[]): string {
  return psql(postgres.dsn('memento'), ...statements);
}

function credentials(): string {
  return join(host.folder, 'credentials');
}

function environmentFile(): string {
  return join(host.folder, 'memento/.env');
}

function graph(): string {
  return sql('SELECT id, name FROM entities ORDER BY id', 'SELECT id, from_id, to_id FROM relationships ORDER BY id');
}

async function started(environment: Readonly<Record<string, string>> = {}): Promise<void> {
  await host.startDaemon({ CREDENTIALS_DIRECTORY: credentials(), ...environment });
  await host.untilStatus('policies are in force', ({ revision }) => revision !== null);
}

async function revertd(...args: string[]) {
  return await host.runCommand(...args, '--config', host.config);
}

async function point(id: string): Promise<PointDetail> {
  return await (await host.client()).get<PointDetail>(`points/${id}`);
}

/** Takes one by command, and answers its id once it is valid. */
async function taken(...options: string[]): Promise<string> {
  const { code, stdout, stderr } = await revertd('points', 'take', 'memento-points', ...options);
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
}

async function states(id: string, how: 'valid' | 'pruned'): Promise<void> {
  await host.until(`${id} is ${how}`, async () => ((await point(id)).state === how ? true : undefined));
}

test('[M1] points keep all that is said of them, by command, over the API and by the library', async () => {
  await started();
  const about = { name: 'before-import', description: 'before the import', session: 's-1', metadata: { rows: '3' } };
  const byCommand = await taken(...ABOUT, '--ttl', '2h');
  const answer = await (await host.client()).post<{ point: string }>('points', {
    ...about,
    policy: 'memento-points',
    ttlMs: 7_200_000,
  });
  await states(answer.point, 'valid');
  const request = { ...about, policy: 'memento-points', ttl: 7_200_000 };
  const byLibrary = await createRollbackPoint(request, { socket: host.socket });
  for (const id of [byCommand, answer.point, byLibrary.id]) {
    const found = await point(id);
    expect(found).toMatchObject({ ...about, state: 'valid', policy: 'memento-points' });
    expect((found.expiresAt ?? 0) - (found.completedAt ?? 0)).toBe(7_200_000);
  }
  expect((await revertd('points', 'show', byCommand)).stdout).toMatch(/before the import/);
});

test('[M2] a point has a snapshot of each type, compressed, with a checksum, and goes through its states', async () => {
  await started();
  const id = await taken();
  const { snapshots, events } = await point(id);
  expect(snapshots.map(({ target, type, compression }) => [target, type, compression])).toEqual([
    ['memento-graph', 'postgres', 'zstd'],
    ['memento-config', 'files', 'zstd'],
    ['memento-session', 'http', 'zstd'],
  ]);
  for (const { manifest } of snapshots) expect(manifest).toMatch(/^[0-9a-f]{64}$/);
  const told = events.map(({ text }) => text ?? '').join('\n');
  for (const words of ['begins', 'capture', 'read']) expect(told).toContain(words);
  const blobs = readdirSync(join(host.data, 'points/blobs'), { recursive: true, withFileTypes: true });
  for (const { parentPath, name } of blobs.filter((entry) => entry.isFile())) {
    writeFileSync(join(parentPath, name), 'damaged');
  }
  expect((await revertd('points', 'verify', id)).code).toBe(1);
  expect(await point(id)).toMatchObject({ state: 'invalid' });
});

test('[M3] what differs from live is told for people, for programs and as a page', async () => {
  await started();
  const id = await taken();
  sql("UPDATE entities SET name = 'Lovelace' WHERE id = 1", "INSERT INTO entities (id, name) VALUES (3, 'Boole')");
  writeFileSync(environmentFile(), 'LIMIT=6\n');
  service.setText(SESSION, '["open","locked"]');
  const { stdout } = await revertd('points', 'diff', id);
  for (const words of [
    'memento-graph',
    '1 added, 0 removed, 1 changed',
    'Lovelace',
    '.env',
    '-LIMIT=5',
    '+LIMIT=6',
    '/1',
  ])
    expect(stdout).toContain(words);
  const json = JSON.parse((await revertd('points', 'diff', id, '--json')).stdout) as { targets: { target: string }[] };
  expect(json.targets.map(({ target }) => target)).toEqual(['memento-graph', 'memento-config', 'memento-session']);
  const page = join(host.folder, 'diff.html');
  expect((await revertd('points', 'diff', id, '--page', page)).code).toBe(0);
  expect(readFileSync(page, 'utf8')).toContain('LIMIT=6');
});

describe('[M5] the graph goes back', () => {
  const before = (): string => graph();

  test('at once, with all that a point holds; a dry run says so beforehand, and touches nothing', async () => {
    await started();
    const was = before();
    const id = await taken();
    sql('DELETE FROM relationships', "UPDATE entities SET name = 'nobody'");
    writeFileSync(environmentFile(), 'LIMIT=0\n');
    const spoilt = graph();
    const preview = await revertd('points', 'restore', id, '--dry-run');
    expect(preview.stdout).toContain('relationships');
    expect(graph()).toBe(spoilt);
    expect((await revertd('points', 'restore', id, '--reason', 'wrong')).code).toBe(0);
    expect(graph()).toBe(was);
    expect(readFileSync(environmentFile(), 'utf8')).toBe('LIMIT=5\n');
  });

  test('in part: one row, one table, one target', async () => {
    await started();
    const id = await taken();
    sql("UPDATE entities SET name = 'nobody'", 'DELETE FROM relationships');
    const only = ['points', 'restore', id, '--target', 'memento-graph', '--reason', 'one of them'];
    expect(await revertd(...only, '--table', 'entities', '--key', '1')).toMatchObject({ code: 0 });
    expect(sql('SELECT name FROM entities ORDER BY id')).toBe('Ada\nnobody');
    expect(sql('SELECT count(*) FROM relationships')).toBe('0');
    expect(await revertd(...only, '--table', 'relationships')).toMatchObject({ code: 0 });
    expect(sql('SELECT count(*) FROM relationships')).toBe('1');
    expect(sql('SELECT name FROM entities ORDER BY id')).toBe('Ada\nnobody');
  });

  test('by time: to what it was at an instant', async () => {
    await started();
    const was = before();
    const first = await taken();
    const between = (await point(first)).completedAt ?? 0;
    sql("UPDATE entities SET name = 'later' WHERE id = 2");
    await taken();
    sql("UPDATE entities SET name = 'latest' WHERE id = 2");
    const at = new Date(between + 1).toISOString();
    const back = await revertd('points', 'restore', '--target', 'memento-graph', '--at', at, '--reason', 'as it was');
    expect(back.code).toBe(0);
    expect(graph()).toBe(was);
  });
});

describe('[M7] the guide’s environment', () => {
  test('says how many points there are that belong to no policy, and how long they live', async () => {
    await started({ ROLLBACK_MAX_POINTS: '2', ROLLBACK_DEFAULT_TTL: String(DAY_MS) });
    const take = async () => (await revertd('points', 'take', '--target', 'memento-config')).stdout.trim();
    const [first, second, third] = [await take(), await take(), await take()];
    await states(first, 'pruned');
    for (const id of [second, third]) {
      const { state, expiresAt, completedAt } = await point(id);
      expect([state, (expiresAt ?? 0) - (completedAt ?? 0)]).toEqual(['valid', DAY_MS]);
    }
  });

  test('can leave all pruning to people', async () => {
    await started({ ROLLBACK_MAX_POINTS: '1', ROLLBACK_AUTO_CLEANUP: 'false' });
    for (const _turn of [1, 2]) await revertd('points', 'take', '--target', 'memento-config');
    const { points } = await (await host.client()).get<{ points: PointStatus[] }>('points');
    expect(points.map(({ state }) => state).sort()).toEqual(['expired', 'valid']);
    expect((await revertd('points', 'prune')).stdout.trim()).toBe(points[1]?.point);
  });

  test('can keep content in memory, within a limit, for as long as revertd lives', async () => {
    const memory = {
      ROLLBACK_ENABLE_PERSISTENCE: 'false',
      ROLLBACK_MEMORY_LIMIT: '100000',
      ROLLBACK_ENABLE_COMPRESSION: 'false',
    };
    await started(memory);
    const { stdout } = await revertd('points', 'take', '--target', 'memento-config');
    expect(await point(stdout.trim())).toMatchObject({ state: 'valid', snapshots: [{ compression: 'none' }] });
    writeFileSync(join(host.folder, 'memento/config/large'), Buffer.alloc(200_000, 'x'));
    const refused = await revertd('points', 'take', '--target', 'memento-config');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('points.memoryLimit') });
    await host.stopDaemon();
    await started(memory);
    const { points } = await (await host.client()).get<{ points: PointStatus[] }>('points');
    expect(points).toEqual([]);
  });
});

/** Of the rows of the graph alone. */
async function rowsTaken(): Promise<string> {
  const { stdout } = await revertd('points', 'take', 'memento-graph-rows');
  return stdout.trim();
}

test('[M4] [M16] a graph goes back without what people changed meanwhile, and nothing refers to what is gone', async () => {
  await started();
  sql(
    "INSERT INTO entities (id, name) VALUES (3, 'Curie')",
    'INSERT INTO relationships (id, from_id, to_id) VALUES (2, 2, 3)',
  );
  const good = await rowsTaken();
  sql("UPDATE entities SET name = 'nobody'", 'DELETE FROM relationships WHERE id = 2');
  const bad = await rowsTaken();
  // Meanwhile people give one a name, take one away, and add one.
  sql(
    "UPDATE entities SET name = 'Ada Lovelace' WHERE id = 1",
    'DELETE FROM entities WHERE id = 3',
    "INSERT INTO entities (id, name) VALUES (4, 'Darwin')",
  );
  const before = graph();
  const merge = async (...options: string[]) => {
    const order = ['points', 'restore', good, '--mode', 'merge', '--ancestor', bad, '--reason', 'nobodies', ...options];
    const { code, stdout } = await revertd(...order);
    return { code, lines: stdout.trim().split('\n') };
  };
  expect(await merge()).toStrictEqual({ code: 3, lines: ['value      entities id=1', 'missing    entities id=3'] });
  expect(graph()).toBe(before);
  // What refers to the entity that stays away stays away too.
  expect(await merge('--conflicts', 'skip')).toStrictEqual({
    code: 3,
    lines: [
      'value      entities id=1',
      'missing    entities id=3',
      'dependency relationships ["2"] refers to entities',
    ],
  });
  expect(graph()).toBe('1|Ada Lovelace\n2|Babbage\n4|Darwin\n1|1|2');
  // With the entity it comes back as a whole.
  expect(await merge('--conflicts', 'overwrite')).toMatchObject({ code: 0 });
  expect(graph()).toBe('1|Ada\n2|Babbage\n3|Curie\n4|Darwin\n1|1|2\n2|2|3');
});
