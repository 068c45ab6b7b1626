import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { FAKE_IMAGE, FAKE_MANIFEST, startFakeEngine } from '../../../test/support/fake-engine.ts';
import { createFakeSystemctl } from '../../../test/support/fake-systemctl.ts';
import { NO_ENGINE } from '../../../test/support/no-engine.ts';
import { startServer } from '../../../test/support/recording-server.ts';
import type { SqlValue } from '../../core/model/sql-step.ts';
import { createAllowList } from '../allow-list.ts';
import { EngineError } from '../containers/engine-error.ts';
import { createSecretResolver } from '../secrets.ts';
import { type Systemctl, SystemdError } from '../systemctl.ts';
import type { CheckOf, HostCheck, HostCheckKind } from './check-driver.ts';
import { CHECK_DRIVERS, type CheckHost, createCheckDrivers, isHostCheck, makeCheck } from './registry.ts';
import type { TargetToCheck } from './target/index.ts';

const head = { key: 'k', origin: { file: 'test.yaml', line: 1, column: 1 }, timeoutMs: 10_000 };
const never = new AbortController().signal;
const systemctl = createFakeSystemctl({
  'up.service': { type: 'simple', start: 'works', canReload: false, loadState: 'loaded' },
  'down.service': { type: 'simple', start: 'works', canReload: false, loadState: 'loaded' },
  'failing.service': { type: 'simple', start: 'fails', canReload: false, loadState: 'loaded' },
});
await systemctl.act({ kind: 'start' }, 'up.service', never);
const noSystemd: Systemctl = {
  ...systemctl,
  show: () => Promise.reject(new SystemdError('noSystemd', 'this host was not booted with systemd')),
};

const box = await startFakeEngine();
afterAll(() => box[Symbol.asyncDispose]());
const containers = {
  up: await box.create('good'),
  down: await box.create('good'),
  failed: await box.create('failing'),
  well: await box.create('checked'),
  sick: await box.create('sick'),
};
for (const { id, name } of await box.engine.list(never)) {
  if (name !== containers.down) await box.engine.act({ kind: 'start' }, id, never);
}

const secrets = createSecretResolver({ TOKEN: 'hunter22' });
const make = (check: HostCheck, rules = {}, signal = never, manager = systemctl, engine = box.engine) => {
  const host: CheckHost = {
    allow: createAllowList(rules),
    systemctl: manager,
    engine,
    now: () => Date.now(),
    target: (name) => TARGETS.find((one) => one.name === name),
    ask: async (one, context) =>
      isHostCheck(one) ? await makeCheck(drivers, one, context) : { outcome: 'unknown', detail: 'no samples' },
    decisionTime: () => NOW,
  };
  const drivers = createCheckDrivers(host);
  return makeCheck(drivers, check, { signal, secrets });
};

const http = (url: string, rest: Partial<Extract<HostCheck, { kind: 'http' }>> = {}): HostCheck => ({
  ...head,
  kind: 'http',
  method: 'GET',
  url,
  headers: {},
  status: [200],
  ...rest,
});
const run = (script: string, rest: Partial<Extract<HostCheck, { kind: 'run' }>> = {}): HostCheck => ({
  ...head,
  kind: 'run',
  argv: ['/bin/sh', '-c', script],
  env: {},
  ...rest,
});
const unit = (name: string, is: 'active' | 'inactive' | 'failed'): HostCheck => ({
  ...head,
  kind: 'unit',
  unit: name,
  is,
});

const container = (name: string, rest: Partial<Extract<HostCheck, { kind: 'container' }>>): HostCheck => ({
  ...head,
  kind: 'container',
  container: name,
  ...rest,
});

const server = await startServer(({ url, headers }, response) => {
  if (url === '/hang') return;
  if (url === '/cut') {
    response.destroy();
    return;
  }
  if (url === '/moved') response.setHeader('location', '/ok');
  response.statusCode = url === '/moved' ? 302 : url === '/secret' && headers.authorization !== 'hunter22' ? 401 : 200;
  response.end('all is well');
});

afterAll(() => server[Symbol.asyncDispose]());

const folder = mkdtempSync(join(tmpdir(), 'revertd-check-'));
afterAll(() => rmSync(folder, { recursive: true }));
const DATABASE = join(folder, 'app.db');
const TEXT = join(folder, 'app.conf');
writeFileSync(TEXT, 'mode=safe\n');
{
  using database = new DatabaseSync(DATABASE);
  database.exec(`CREATE TABLE owner (id INTEGER PRIMARY KEY);
    CREATE TABLE pet (name TEXT, owner INTEGER REFERENCES owner);
    INSERT INTO owner VALUES (1), (2);
    INSERT INTO pet VALUES ('rex', 1), (NULL, 2);`);
}

const sqlite = (path: string, is: 'intact' | 'corrupt'): HostCheck => ({ ...head, kind: 'sqlite', path, is });
const file = (rest: Partial<CheckOf<'file'>> = {}): HostCheck => ({
  ...head,
  kind: 'file',
  path: TEXT,
  is: 'present',
  ...rest,
});
const sql = (query: string, expect: CheckOf<'sql'>['expect'], rest: Partial<CheckOf<'sql'>> = {}): HostCheck => ({
  ...head,
  kind: 'sql',
  database: { kind: 'sqlite', path: DATABASE },
  query,
  expect,
  ...rest,
});
const value = (is: Extract<CheckOf<'sql'>['expect'], { kind: 'value' }>['is']) => ({ kind: 'value', is }) as const;
const above = (least: number) => value({ kind: 'above', value: least });
const equals = (wanted: SqlValue) => value({ kind: 'equals', value: wanted });

const NOW = 100 * 86_400_000;
const HOUR = 3_600_000;
const target = (name: string, is: CheckOf<'target'>['is'], rest: Partial<CheckOf<'target'>> = {}): HostCheck => ({
  ...head,
  kind: 'target',
  target: name,
  is,
  ...rest,
});
const intact = { kind: 'intact' } as const;
const lately = { kind: 'changedSince', spanMs: 24 * HOUR } as const;

/** A target whose state came so long ago, and what its own checks say. */
const known = (name: string, hoursAgo: number, checks: readonly HostCheck[], isFirst = false): TargetToCheck => ({
  name,
  checks,
  sight: undefined,
  memory: {
    isMet: false,
    current: {
      commit: 'c0ffee',
      tree: 'c0ffee',
      since: NOW - hoursAgo * HOUR,
      calmSince: null,
      isGood: false,
      ...(isFirst ? { isFirst } : {}),
    },
    good: [],
    arrived: null,
    owed: null,
    failing: null,
    repaired: [],
    kept: [],
    keepRetry: null,
  },
});
const TARGETS = [
  known('whole', 23, [file(), sqlite(DATABASE, 'intact')]),
  known('old', 25, [file(), sqlite(TEXT, 'intact'), file({ path: folder, contains: 'x' })]),
  known('doubtful', 1, [file(), file({ path: folder, contains: 'x' })], true),
  known('slow', 1, [run('sleep 60')]),
];

/** For each kind: a check that is true, one that is false, one that cannot be made. */
const SAMPLES: Readonly<Record<HostCheckKind, { yes: HostCheck; no: HostCheck; cannot: HostCheck }>> = {
  http: {
    yes: http(`${server.url}/ok`),
    no: http(`${server.url}/ok`, { status: [204] }),
    cannot: http('http://no-such-host.invalid/'),
  },
  unit: {
    yes: unit('up.service', 'active'),
    no: unit('up.service', 'failed'),
    cannot: unit('absent.service', 'inactive'),
  },
  container: {
    yes: container(containers.up, { is: 'running' }),
    no: container(containers.down, { is: 'running' }),
    cannot: container('absent', { is: 'stopped' }),
  },
  run: {
    yes: run('true'),
    no: run('exit 3'),
    cannot: run('', { argv: ['/no/such/program'] }),
  },
  sql: {
    yes: sql('SELECT count(*) FROM pet', above(1)),
    no: sql('SELECT count(*) FROM pet', above(2)),
    cannot: sql('SELECT count(*) FROM cat', above(1)),
  },
  sqlite: {
    yes: sqlite(DATABASE, 'intact'),
    no: sqlite(TEXT, 'intact'),
    cannot: sqlite(join(folder, 'absent.db'), 'corrupt'),
  },
  file: {
    yes: file(),
    no: file({ is: 'absent' }),
    cannot: file({ path: folder, contains: 'x' }),
  },
  target: {
    yes: target('whole', intact),
    no: target('old', intact),
    cannot: target('doubtful', intact),
  },
};

it('has a folder with a README for each driver and a driver for each folder', () => {
  const folders = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map((folder) => folder.name).sort()).toStrictEqual(Object.keys(CHECK_DRIVERS).sort());
  for (const { name } of folders) expect(existsSync(join(import.meta.dirname, name, 'README.md'))).toBe(true);
});

describe.each(Object.keys(SAMPLES) as HostCheckKind[])('%s', (kind) => {
  const { yes, no, cannot } = SAMPLES[kind];

  it('tells true, false and unknown apart, with what was seen', async () => {
    for (const [check, outcome] of [
      [yes, 'true'],
      [no, 'false'],
      [cannot, 'unknown'],
    ] as const) {
      const answer = await make(check);
      expect(answer).toMatchObject({ key: 'k', outcome });
      expect(answer.detail).not.toBe('');
    }
  });

  it('is unknown if it was interrupted', async () => {
    expect(await make(yes, {}, AbortSignal.abort(), { ...systemctl, show: interrupted })).toMatchObject({
      outcome: 'unknown',
    });
  });
});

it.each([
  [SAMPLES.http.yes, { hosts: [] }],
  [SAMPLES.run.yes, { commands: [] }],
  [SAMPLES.container.yes, { containers: [] }],
])('is unknown if this host does not allow it', async (check, rules) => {
  expect(await make(check, rules)).toMatchObject({ outcome: 'unknown', detail: expect.stringContaining('not among') });
});

const interrupted: Systemctl['show'] = () => Promise.reject(new SystemdError('stopped', 'stopped'));

describe('http', () => {
  it.each([
    ['no answer in time', () => http(`${server.url}/hang`, { timeoutMs: 50 }), 'false', 'had not answered after 50ms'],
    ['a connection that is cut', () => http(`${server.url}/cut`), 'false', 'ECONNRESET'],
    ['a redirect is an answer', () => http(`${server.url}/moved`), 'false', 'answered 302, expected 200'],
    ['any 2xx if none is named', () => http(`${server.url}/ok`, { status: [] }), 'true', 'answered 200'],
    ['a body that has the text', () => http(`${server.url}/ok`, { bodyContains: 'is well' }), 'true', '200'],
    ['a body that does not', () => http(`${server.url}/ok`, { bodyContains: 'healthy' }), 'false', 'without "healthy"'],
    [
      'a secret header',
      () => http(`${server.url}/secret`, { headers: { authorization: { env: 'TOKEN' } } }),
      'true',
      '200',
    ],
    ['a missing secret', () => http(`${server.url}/ok`, { headers: { a: { env: 'ABSENT' } } }), 'unknown', 'ABSENT'],
    ['TLS where there is none', () => http(server.url.replace('http', 'https')), 'false', 'TLS'],
    ['a header that cannot be sent', () => http(server.url, { headers: { a: 'x\ny' } }), 'unknown', 'cannot be sent'],
  ])('%s', async (_, check, outcome, detail) => {
    expect(await make(check())).toMatchObject({ outcome, detail: expect.stringContaining(detail) });
  });

  it('is false if nobody listens, or what listens does not speak HTTP', async () => {
    const other = createServer((socket) => socket.resume().end('SSH-2.0-x\r\n')).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;
    expect(await make(http(url))).toMatchObject({ outcome: 'false', detail: expect.stringContaining('not HTTP') });
    other.close();
    await once(other, 'close');
    expect(await make(http(url))).toMatchObject({
      outcome: 'false',
      detail: expect.stringContaining('nobody listens'),
    });
  });
});

describe('target', () => {
  it.each([
    ['whole', lately, 'true', 'whole is at c0ffee since 23h'],
    ['old', lately, 'false', 'old is at c0ffee since 1d1h'],
    ['doubtful', lately, 'unknown', 'since when it is there is not known'],
    ['gone', lately, 'unknown', 'git no longer has target gone'],
    ['gone', intact, 'unknown', 'git no longer has target gone'],
    ['whole', intact, 'true', 'is there; '],
    ['old', intact, 'false', 'app.conf: file is not a database'],
    ['doubtful', intact, 'unknown', 'is not a regular file'],
  ] as const)('%s, %j: %s', async (name, is, outcome, detail) => {
    expect(await make(target(name, is))).toMatchObject({ outcome, detail: expect.stringContaining(detail) });
  });

  it('is unknown while its checks are not done in time', async () => {
    const answer = await make(target('slow', intact, { timeoutMs: 50 }));
    expect(answer).toMatchObject({ outcome: 'unknown', detail: 'the checks of slow were not all done after 50ms' });
  });
});

describe('unit', () => {
  it('tells what its journal says last while it is not as asked, without secrets', async () => {
    const failing = { ...unit('failing.service', 'active'), journalLines: 5 };
    const { detail } = await make(failing);
    expect(detail).toContain('last lines of its journal:\nthis is why: ');
    expect(detail).not.toContain('hunter22');
    expect((await make(unit('failing.service', 'active'))).detail).not.toContain('journal');
    expect((await make({ ...failing, unit: 'up.service' } as HostCheck)).detail).not.toContain('journal');
  });

  it('says in which state the unit is', async () => {
    expect(await make(unit('down.service', 'inactive'))).toMatchObject({
      outcome: 'true',
      detail: 'down.service is inactive (dead)',
    });
  });

  it('is unknown where there is no systemd', async () => {
    expect(await make(unit('up.service', 'active'), {}, never, noSystemd)).toMatchObject({
      outcome: 'unknown',
      detail: expect.stringContaining('not booted with systemd'),
    });
  });
});

describe('run', () => {
  it.each([
    ['what it said last', run('echo one >&2; echo two >&2; exit 1'), 'false', '/bin/sh ended with 1: two'],
    ['killed', run('kill -9 $$'), 'unknown', 'was killed by SIGKILL'],
    ['too slow', run('sleep 1000', { timeoutMs: 50 }), 'unknown', 'had not ended after 50ms'],
    ['its variables', run('test "$A" = b', { env: { A: 'b' } }), 'true', 'ended with 0'],
    ['its folder', run('test "$(pwd)" = /', { cwd: '/' }), 'true', 'ended with 0'],
  ])('%s', async (_, check, outcome, detail) => {
    expect(await make(check)).toMatchObject({ outcome, detail: expect.stringContaining(detail) });
  });
});

describe('container', () => {
  const { up, down, failed, well, sick } = containers;

  it.each<[string, Partial<Extract<HostCheck, { kind: 'container' }>>, string, string]>([
    [up, { is: 'stopped' }, 'false', `${up} is running`],
    [down, { is: 'stopped' }, 'true', `${down} is created and never started`],
    [failed, { is: 'stopped', exitCode: 3 }, 'true', `${failed} is exited with 3; ${failed} is exited with 3`],
    [failed, { exitCode: 0 }, 'false', `${failed} is exited with 3`],
    [up, { exitCode: 0 }, 'false', `${up} is running`],
    [down, { exitCode: 0 }, 'false', `${down} is created and never started`],
    [up, { restartsBelow: 1 }, 'true', `${up} was restarted 0 times`],
    [up, { image: FAKE_IMAGE }, 'true', `${up} is made of ${FAKE_IMAGE}`],
    [up, { image: FAKE_MANIFEST }, 'true', FAKE_MANIFEST],
    [up, { image: `localhost/revertd-test@${FAKE_MANIFEST}` }, 'true', FAKE_MANIFEST],
    [up, { image: `test@${FAKE_MANIFEST}` }, 'false', FAKE_MANIFEST],
    [up, { image: `sha256:${'3'.repeat(64)}` }, 'false', FAKE_IMAGE],
    [up, { is: 'healthy' }, 'unknown', 'has no health check'],
    [down, { is: 'healthy' }, 'false', 'never started'],
    [up, { is: 'healthy', exitCode: 0 }, 'false', `${up} is running`],
    [failed.slice(0, -2), { is: 'running' }, 'unknown', `did you mean ${failed}?`],
  ])('%s, asked for %j', async (name, asked, outcome, detail) => {
    expect(await make(container(name, asked))).toMatchObject({ outcome, detail: expect.stringContaining(detail) });
  });

  it.each([
    [well, 'true', 'is running (healthy)'],
    [sick, 'false', 'is running (unhealthy): no pulse'],
  ])('%s by its own health check, once that has spoken', async (name, outcome, detail) => {
    const asked = container(name, { is: 'healthy' });
    await expect.poll(() => make(asked)).toMatchObject({ outcome, detail: `${name} ${detail}` });
  });

  it('is unknown where there is no engine, or none that answers in time', async () => {
    const asked = container(up, { is: 'running', timeoutMs: 50 });
    expect(await make(asked, {}, never, systemctl, NO_ENGINE)).toMatchObject({
      outcome: 'unknown',
      detail: expect.stringContaining('start the engine'),
    });
    const hung = { ...NO_ENGINE, list: async (signal: AbortSignal) => await hangUntil(signal) };
    expect(await make(asked, {}, never, systemctl, hung)).toMatchObject({ outcome: 'unknown' });
  });
});

async function hangUntil(signal: AbortSignal): Promise<never> {
  await once(signal, 'abort');
  throw new EngineError('stopped', 'the engine had not answered');
}

describe('sql', () => {
  const orphan = 'SELECT name FROM pet WHERE owner = 2';
  it.each<[string, string, CheckOf<'sql'>['expect'], string, string]>([
    ['a number', 'SELECT 2', equals(2), 'true', 'gave 2'],
    ['another number', 'SELECT 3', equals(2), 'false', 'gave 3, expected = 2'],
    ['a text', "SELECT 'a'", equals('a'), 'true', 'gave "a"'],
    ['a truth', 'SELECT 1 = 1', equals(true), 'true', 'gave 1'],
    ['NULL', orphan, equals(null), 'true', 'gave null'],
    ['NULL where a value is wanted', orphan, equals('rex'), 'unknown', 'gave null'],
    ['a text where a number is wanted', "SELECT 'a'", above(0), 'unknown', 'gave "a"'],
    ['no row', 'SELECT 1 WHERE 0', equals(1), 'unknown', 'gave 0 rows of 1 columns, expected one value'],
    ['two rows', 'SELECT id FROM owner', equals(1), 'unknown', '2 rows'],
    ['two columns', 'SELECT 1, 2', equals(1), 'unknown', '2 columns'],
    ['rows', 'SELECT id FROM owner', { kind: 'rows', bounds: { atLeast: 2 } }, 'true', 'gave 2 rows'],
    ['too many rows', orphan, { kind: 'rows', bounds: { atMost: 0 } }, 'false', 'gave 1 row, expected at most 0 rows'],
    ['a number beyond JavaScript', 'SELECT 9007199254740993', equals('9007199254740993'), 'true', '9007199254740993'],
    ['a query that writes', 'DELETE FROM pet RETURNING 1', equals(1), 'unknown', 'readonly'],
  ])('%s', async (_, query, expected, outcome, detail) => {
    expect(await make(sql(query, expected))).toMatchObject({ outcome, detail: expect.stringContaining(detail) });
  });

  it('ends a query that never returns', async () => {
    const query = 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c';
    const answer = await make(sql(query, above(0), { timeoutMs: 300 }));
    expect(answer).toMatchObject({ outcome: 'unknown', detail: expect.stringContaining('after 300ms') });
  });

  it.each([
    ['a missing secret', { credential: 'absent' }, 'the credential absent'],
    ['a connection string that is none', { env: 'TOKEN' }, 'the connection string is not valid'],
  ])('is unknown with %s', async (_, dsn, detail) => {
    const answer = await make(sql('SELECT 1', above(0), { database: { kind: 'postgres', dsn } }));
    expect(answer).toMatchObject({ outcome: 'unknown', detail: expect.stringContaining(detail) });
  });
});

describe('sqlite', () => {
  it('finds a row that refers to none', async () => {
    const path = join(folder, 'orphans.db');
    {
      using database = new DatabaseSync(path, { enableForeignKeyConstraints: false });
      database.exec(
        'CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (a REFERENCES a); INSERT INTO b VALUES (7)',
      );
    }
    expect(await make(sqlite(path, 'intact'))).toMatchObject({
      outcome: 'false',
      detail: expect.stringContaining('1 row(s) refer'),
    });
    expect(await make(sqlite(path, 'corrupt'))).toMatchObject({ outcome: 'true' });
  });

  it('finds a damaged page, a file without any, and one that is no database', async () => {
    const damaged = join(folder, 'damaged.db');
    {
      using database = new DatabaseSync(damaged);
      database.exec('CREATE TABLE a (x); CREATE INDEX i ON a (x); BEGIN');
      const insert = database.prepare('INSERT INTO a VALUES (?)');
      for (let row = 0; row < 2000; row += 1) insert.run(`value ${row}`);
      database.exec('COMMIT');
    }
    const bytes = readFileSync(damaged);
    bytes.fill(0x5a, 4096 * 3, 4096 * 4);
    writeFileSync(damaged, bytes);
    const empty = join(folder, 'empty.db');
    writeFileSync(empty, '');
    for (const path of [damaged, empty, TEXT]) {
      expect(await make(sqlite(path, 'intact'))).toMatchObject({ outcome: 'false' });
      expect(await make(sqlite(path, 'corrupt'))).toMatchObject({ outcome: 'true' });
    }
  });

  it('says of a file that is not there that it is not intact', async () => {
    expect(await make(sqlite(join(folder, 'absent.db'), 'intact'))).toMatchObject({
      outcome: 'false',
      detail: expect.stringContaining('does not exist'),
    });
  });
});

describe('file', () => {
  it.each<[string, Partial<CheckOf<'file'>>, string, string]>([
    ['absent as wanted', { path: join(folder, 'none'), is: 'absent' }, 'true', 'does not exist'],
    ['absent', { path: join(folder, 'none') }, 'false', 'does not exist'],
    ['below a file', { path: join(TEXT, 'x'), is: 'absent' }, 'true', 'does not exist'],
    ['a text', { contains: 'mode=safe' }, 'true', 'as expected'],
    ['without the text', { contains: 'mode=fast' }, 'false', 'does not contain "mode=fast"'],
    ['new', { newerThanMs: 60_000 }, 'true', 'is there'],
    ['its digest', { sha256: createHash('sha256').update('mode=safe\n').digest('hex') }, 'true', 'as expected'],
    ['another digest', { sha256: '0'.repeat(64) }, 'false', 'has the SHA-256'],
  ])('%s', async (_, rest, outcome, detail) => {
    expect(await make(file(rest))).toMatchObject({ outcome, detail: expect.stringContaining(detail) });
  });

  it('is too old', async () => {
    const path = join(folder, 'old');
    writeFileSync(path, '');
    utimesSync(path, new Date(0), new Date(Date.now() - 3_600_000));
    expect(await make(file({ path, newerThanMs: 60_000 }))).toMatchObject({
      outcome: 'false',
      detail: expect.stringContaining('was changed 1h'),
    });
  });
});

describe('what an answer has to be', () => {
  it.each([
    ['a match', { bodyMatches: '^all .* well$' }, 'true', '200'],
    ['no match', { bodyMatches: '^well' }, 'false', 'without a match of ^well'],
    ['a text that must not be there', { bodyLacks: 'well' }, 'false', 'with "well"'],
    ['JSON where there is none', { json: [{ pointer: '/a', equals: 1 }] }, 'false', 'not JSON'],
  ])('%s', async (_, rest, outcome, detail) => {
    expect(await make(http(`${server.url}/ok`, rest))).toMatchObject({
      outcome,
      detail: expect.stringContaining(detail),
    });
  });
});
