import { describe, expect, test } from 'vitest';
import { formatDiagnostic } from './format-diagnostic.ts';
import { configSettings, environmentName, loadHostConfig } from './host-config.ts';

function load(text: string, environment: Record<string, string> = {}) {
  return loadHostConfig({ path: 'revertd.yaml', bytes: new TextEncoder().encode(text) }, environment);
}

function faults(text: string, environment: Record<string, string> = {}): string[] {
  const result = load(text, environment);
  return result.ok ? [] : result.diagnostics.map((diagnostic) => formatDiagnostic(diagnostic));
}

describe('a configuration', () => {
  test('has a default for everything', () => {
    expect(loadHostConfig(undefined, {})).toEqual({
      ok: true,
      config: {
        source: null,
        host: { labels: {}, variables: {} },
        dataDir: '/var/lib/revertd',
        adopt: 'ask',
        roles: {},
        allow: {},
        containers: {},
        server: { listen: '127.0.0.1:7433', tokens: [], cors: [], rateLimit: null },
        history: { keepMs: 2_592_000_000, mostRows: 4_000_000 },
        points: {
          maxPoints: 1000,
          ttlMs: 2_592_000_000,
          prunesItself: true,
          pruneEveryMs: 0,
          persistence: true,
          memoryBytes: 33_554_432,
          cache: { maxItems: 1000, ttlMs: 3_600_000 },
          compression: 'zstd',
          formerKeys: [],
        },
        postgres: null,
        log: { level: 'info' },
      },
    });
  });

  test('gives roles to users and groups', () => {
    const result = load('roles: { dba: { users: [ann], groups: [dbas] }, engineering-manager: { users: [carol] } }');
    expect(result).toMatchObject({
      ok: true,
      config: { roles: { dba: { users: ['ann'], groups: ['dbas'] }, 'engineering-manager': { users: ['carol'] } } },
    });
    expect(faults('roles: { dba: { user: [ann] } }')).toEqual([
      expect.stringContaining('unknown key `user`; did you mean `users`?'),
    ]);
  });

  test('says where policies come from and what they may touch', () => {
    const result = load(`
source: { url: https://git.example.com/policies.git, branch: main, folder: prod, interval: 10s }
host: { name: web-1, labels: { stage: production }, variables: { dataDir: /srv/app } }
allow: { paths: [/etc/app], units: [] }
containers: { socket: /run/podman/podman.sock, compose: [podman-compose] }
server: { listen: "off", socket: /run/revertd/control.sock }
history: { keep: 7d }
`);
    expect(result).toMatchObject({
      ok: true,
      config: {
        source: {
          url: 'https://git.example.com/policies.git',
          ref: { branch: 'main' },
          folder: 'prod',
          intervalMs: 10_000,
        },
        host: { name: 'web-1', labels: { stage: 'production' }, variables: { dataDir: '/srv/app' } },
        allow: { paths: ['/etc/app'], units: [] },
        containers: { socket: '/run/podman/podman.sock', compose: ['podman-compose'] },
        server: { listen: null, socket: '/run/revertd/control.sock' },
        history: { keepMs: 604_800_000 },
      },
    });
  });

  test('yields to the environment', () => {
    const environment = {
      REVERTD_SOURCE_URL: '/srv/policies',
      REVERTD_DATA_DIR: '/data',
      REVERTD_ALLOW_PATHS: '/etc/app, /srv/app',
      REVERTD_HISTORY_MAX_ROWS: '5000',
      REVERTD_ALLOW_CONTAINERS: 'mem0*',
      REVERTD_CONTAINERS_COMPOSE: 'docker, compose',
    };
    expect(load('source: { url: /other, branch: main }', environment)).toMatchObject({
      ok: true,
      config: {
        source: { url: '/srv/policies', ref: { branch: 'main' } },
        dataDir: '/data',
        allow: { paths: ['/etc/app', '/srv/app'], containers: ['mem0*'] },
        containers: { compose: ['docker', 'compose'] },
        history: { mostRows: 5_000 },
      },
    });
  });
});

describe('points', () => {
  test('are stored, and live, as the file says', () => {
    const result = load(`
points:
  key: { credential: points-key }
  formerKeys: [{ file: /etc/revertd/old-key }]
  maxSnapshotSize: 5GiB
  persistence: false
  cache: { maxItems: 100, ttl: 30m }
`);
    expect(result).toMatchObject({
      ok: true,
      config: {
        points: {
          key: { credential: 'points-key' },
          formerKeys: [{ file: '/etc/revertd/old-key' }],
          maxSnapshotBytes: 5 * 1024 ** 3,
          persistence: false,
          cache: { maxItems: 100, ttlMs: 1_800_000 },
        },
      },
    });
  });

  test('know the names of the operator guide, in its units; revertd’s own go before them', () => {
    const guide = {
      ROLLBACK_MAX_POINTS: '10000',
      ROLLBACK_DEFAULT_TTL: '86400000',
      ROLLBACK_CLEANUP_INTERVAL: '300000',
      ROLLBACK_AUTO_CLEANUP: 'false',
      ROLLBACK_ENABLE_COMPRESSION: 'false',
      ROLLBACK_ENABLE_PERSISTENCE: 'true',
      ROLLBACK_MEMORY_LIMIT: '536870912',
    };
    const points = {
      maxPoints: 10_000,
      ttlMs: 86_400_000,
      pruneEveryMs: 300_000,
      prunesItself: false,
      compression: 'none',
      persistence: true,
      memoryBytes: 536_870_912,
    };
    expect(load('points: { maxPoints: 5 }', guide)).toMatchObject({ ok: true, config: { points } });
    expect(load('', { ...guide, REVERTD_POINTS_MAX_POINTS: '7' })).toMatchObject({
      ok: true,
      config: { points: { ...points, maxPoints: 7 } },
    });
    expect(
      faults('', { ROLLBACK_MAX_POINTS: 'many', ROLLBACK_DEFAULT_TTL: '1 day', ROLLBACK_AUTO_CLEANUP: 'no' }),
    ).toEqual([
      expect.stringMatching(/^ROLLBACK_MAX_POINTS:/),
      expect.stringMatching(/^ROLLBACK_DEFAULT_TTL:/),
      expect.stringMatching(/^ROLLBACK_AUTO_CLEANUP:/),
    ]);
  });
});

describe('[M6] the PostgreSQL of the log', () => {
  const rest = { schema: 'revertd', poolSize: 4 };

  test.each<[string, string, Record<string, string>, unknown]>([
    [
      'a string',
      'postgres: { connection: { credential: db } }',
      {},
      { ...rest, address: { connection: { credential: 'db' } } },
    ],
    [
      'parts, with a password',
      'postgres: { host: db, user: ann, password: { file: /run/pw }, schema: fleet }',
      {},
      {
        address: { host: 'db', port: 5432, database: 'revertd', user: 'ann', password: { file: '/run/pw' } },
        schema: 'fleet',
        poolSize: 4,
      },
    ],
    [
      'the names of the operator guide',
      '',
      {
        POSTGRESQL_HOST: 'localhost',
        POSTGRESQL_PORT: '5433',
        POSTGRESQL_DATABASE: 'memento',
        POSTGRESQL_USER: 'rollback_user',
        POSTGRESQL_PASSWORD: 'secure_password',
        POSTGRESQL_POOL_SIZE: '20',
      },
      {
        address: {
          host: 'localhost',
          port: 5433,
          database: 'memento',
          user: 'rollback_user',
          password: { env: 'POSTGRESQL_PASSWORD' },
        },
        schema: 'revertd',
        poolSize: 20,
      },
    ],
    [
      'the section and DATABASE_URL',
      'postgres: {}',
      { DATABASE_URL: 'postgres://x' },
      { ...rest, address: { connection: { env: 'DATABASE_URL' } } },
    ],
    ['DATABASE_URL alone, which may be for policies', '', { DATABASE_URL: 'postgres://x' }, null],
    ['a section without an address', 'postgres: { schema: fleet }', {}, null],
  ])('%s', (_what, text, environment, postgres) => {
    expect(load(text, environment)).toMatchObject({ ok: true, config: { postgres } });
  });

  test.each(['Fleet', 'pg_fleet', 'a-b', '"x"'])('no schema can be called %s', (schema) => {
    expect(faults(`postgres: { host: db, schema: '${schema}' }`)).not.toEqual([]);
  });
});

describe('a fault is told with its place', () => {
  test.each<[string, string, RegExp]>([
    ['an unknown key', 'sorce: { url: x }', /^revertd\.yaml:1:1 error\[E-UNKNOWN-KEY\] .*did you mean `source`/],
    ['a bare number', 'source: { url: x, interval: 30 }', /^revertd\.yaml:1:29 error\[E-UNIT\].*30s/],
    ['a wrong choice', 'adopt: maybe', /^revertd\.yaml:1:8 error\[E-VALUE\].*must be ask or git/],
    ['a missing url', 'source: { branch: main }', /^revertd\.yaml:1:\d+ error\[E-MISSING-KEY\].*`url`/],
    ['two refs', 'source: { url: x, branch: main, tag: v1 }', /^revertd\.yaml:1:1 error\[E-CONFIG-REF\]/],
    ['two documents', 'adopt: ask\n---\nadopt: git\n', /^revertd\.yaml:3:1 error\[E-CONFIG-DOCUMENTS\]/],
    ['a list', '- a', /^revertd\.yaml:1:1 error/],
    ['a tab', 'source:\n\turl: x', /^revertd\.yaml:2:1 error/],
  ])('%s', (_what, text, expected) => {
    expect(faults(text)[0]).toMatch(expected);
  });

  test('one of the environment names its variable', () => {
    expect(faults('', { REVERTD_ADOPT: 'maybe' })[0]).toMatch(/^REVERTD_ADOPT:1:1 error/);
    expect(faults('', { REVERTD_HISTORY_MAX_ROWS: 'many' })[0]).toMatch(/^REVERTD_HISTORY_MAX_ROWS:1:1 error/);
  });
});

test('every scalar and list of the schema is a variable', () => {
  expect(configSettings().map(({ path }) => environmentName(path))).toEqual([
    'REVERTD_SOURCE_URL',
    'REVERTD_SOURCE_BRANCH',
    'REVERTD_SOURCE_TAG',
    'REVERTD_SOURCE_COMMIT',
    'REVERTD_SOURCE_FOLDER',
    'REVERTD_SOURCE_INTERVAL',
    'REVERTD_SOURCE_WATCH',
    'REVERTD_HOST_NAME',
    'REVERTD_DATA_DIR',
    'REVERTD_ADOPT',
    'REVERTD_ALLOW_PATHS',
    'REVERTD_ALLOW_UNITS',
    'REVERTD_ALLOW_CONTAINERS',
    'REVERTD_ALLOW_COMMANDS',
    'REVERTD_ALLOW_HOSTS',
    'REVERTD_ALLOW_DATABASES',
    'REVERTD_CONTAINERS_SOCKET',
    'REVERTD_CONTAINERS_COMPOSE',
    'REVERTD_SERVER_LISTEN',
    'REVERTD_SERVER_SOCKET',
    'REVERTD_SERVER_CORS',
    'REVERTD_SERVER_RATE_LIMIT_PER_SECOND',
    'REVERTD_SERVER_RATE_LIMIT_BURST',
    'REVERTD_HISTORY_KEEP',
    'REVERTD_HISTORY_MAX_ROWS',
    'REVERTD_POINTS_MAX_POINTS',
    'REVERTD_POINTS_DEFAULT_TTL',
    'REVERTD_POINTS_AUTO_CLEANUP',
    'REVERTD_POINTS_CLEANUP_INTERVAL',
    'REVERTD_POINTS_PERSISTENCE',
    'REVERTD_POINTS_MEMORY_LIMIT',
    'REVERTD_POINTS_CACHE_MAX_ITEMS',
    'REVERTD_POINTS_CACHE_TTL',
    'REVERTD_POINTS_MAX_SNAPSHOT_SIZE',
    'REVERTD_POINTS_COMPRESSION',
    'REVERTD_POSTGRES_HOST',
    'REVERTD_POSTGRES_PORT',
    'REVERTD_POSTGRES_DATABASE',
    'REVERTD_POSTGRES_USER',
    'REVERTD_POSTGRES_SCHEMA',
    'REVERTD_POSTGRES_POOL_SIZE',
    'REVERTD_LOG_LEVEL',
  ]);
});
