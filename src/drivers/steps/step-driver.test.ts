import { spawn } from 'node:child_process';
import { once as emitted } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startFakeEngine } from '../../../test/support/fake-engine.ts';
import { createFakeSystemctl } from '../../../test/support/fake-systemctl.ts';
import { startServer } from '../../../test/support/recording-server.ts';
import { makeRepository, runGitIn } from '../../../test/tools/git-repository.ts';
import type { Check } from '../../core/model/check.ts';
import { describeStep } from '../../core/model/step.ts';
import { type AllowRules, createAllowList } from '../allow-list.ts';
import type { CheckAnswer } from '../checks/check-driver.ts';
import { findContainer } from '../containers/find-container.ts';
import { createSecretResolver } from '../secrets.ts';
import { createStepDrivers, STEP_DRIVERS } from './registry.ts';
import type { HostStep, HostStepKind, StepOf } from './step-driver.ts';

const origin = { file: 'test.yaml', line: 1, column: 1 };
const head = { origin, timeoutMs: 10_000 };
const once = { repeatable: false, unless: [] };
const never = new AbortController().signal;
const secrets = createSecretResolver({ TOKEN: 'hunter22' });

/** A check whose answer its key tells. */
const check = (key: CheckAnswer['outcome']): Check => ({
  key,
  origin,
  kind: 'query',
  expr: 'up',
  threshold: { kind: 'above', value: 0 },
});
const ask = ({ key }: Check) => {
  waited = true;
  return Promise.resolve({
    outcome: key === 'true' || key === 'false' ? key : 'unknown',
    detail: `it is ${key}`,
  } as const);
};

let folder: string;
let before: number;
const server = await startServer(({ url }, response) => {
  if (url?.startsWith('/hang') === true) return;
  if (url === '/cut') {
    response.destroy();
    return;
  }
  response.statusCode = url === '/moved' ? 307 : url === '/refused' ? 422 : 200;
  if (url === '/moved') response.setHeader('location', '/done');
  response.end(url === '/echo' ? 'you said hunter22' : 'x'.repeat(5000));
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'revertd-step-'));
  before = server.received.length;
});
afterEach(() => rm(folder, { recursive: true }));

const units = createFakeSystemctl({
  'good.service': { type: 'simple', start: 'works', canReload: true, loadState: 'loaded' },
  'hanging.service': { type: 'simple', start: 'hangs', canReload: true, loadState: 'loaded' },
});
const box = await startFakeEngine();
afterAll(() => box[Symbol.asyncDispose]());
const containers = { good: await box.create('good'), sick: await box.create('sick') };
const drivers = (rules: AllowRules = {}) =>
  createStepDrivers({
    allow: createAllowList(rules),
    systemctl: units,
    engine: box.engine,
    compose: box.compose,
    ask,
    secrets,
    elapsed: () => performance.now(),
    hostName: 'test',
    policySource: undefined,
  });
const perform = (step: HostStep, rules: AllowRules = {}, signal = never) =>
  drivers(rules).perform(step, {
    signal,
    operation: 'op-7',
    once: 'op-7',
    secrets,
    log: () => undefined,
    remember: () => undefined,
  });

const run = (script: string, rest: Partial<StepOf<'run'>> = {}): StepOf<'run'> => ({
  ...head,
  ...once,
  kind: 'run',
  argv: ['/bin/sh', '-c', script],
  cwd: folder,
  env: {},
  ...rest,
});
const http = (method: string, path: string, rest: Partial<StepOf<'http'>> = {}): StepOf<'http'> => ({
  ...head,
  ...once,
  kind: 'http',
  method,
  url: server.url + path,
  headers: {},
  status: [],
  ...rest,
});
const service = (unit: string, kind: 'start' | 'stop' | 'restart' | 'reload'): StepOf<'service'> => ({
  ...head,
  kind: 'service',
  service: { kind: 'unit', unit },
  do: { kind },
});

const container = (name: string, kind: 'start' | 'stop'): StepOf<'container'> => ({
  ...head,
  ...once,
  kind: 'container',
  on: { kind: 'containers', names: [name] },
  do: { kind },
});
const runs = async (name: string) =>
  (await box.engine.inspect((await findContainer(box.engine, name, never)).id, never)).running;

const sql = (...statements: readonly string[]): StepOf<'sql'> => ({
  ...head,
  ...once,
  kind: 'sql',
  database: { kind: 'sqlite', path: join(folder, 'app.db') },
  script: { kind: 'statements', statements: statements.map((text) => ({ text })) },
  params: {},
  transaction: true,
  require: [],
});
const editFile = (path: string): StepOf<'editFile'> => ({
  ...head,
  kind: 'editFile',
  path,
  edit: { kind: 'entries', format: 'auto', set: { '/made': true }, remove: [] },
});
const gitCommit = (repository: string): StepOf<'gitCommit'> => ({
  ...head,
  kind: 'gitCommit',
  repository,
  branch: 'fix',
  message: 'Fix',
  changes: [{ kind: 'content', path: 'made', content: 'x' }],
  author: { name: 'revertd', email: 'revertd@example.com' },
});
const RUNAWAY = 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c';

type Sample = {
  readonly works: HostStep;
  /** Absent where nothing can hang. */
  readonly hangs?: HostStep;
  /** Absent where nothing of the host is touched. */
  readonly forbid?: AllowRules;
  /** Whether the effect of `works` is there. */
  readonly happened: () => Promise<boolean>;
};

/** A new driver is held to the whole suite as soon as it has a sample here. */
const SAMPLES: Readonly<Record<HostStepKind, () => Sample>> = {
  service: () => ({
    works: service('good.service', 'restart'),
    hangs: service('hanging.service', 'start'),
    forbid: { units: ['other.service'] },
    happened: async () => (await units.show('good.service', never)).activeState === 'active',
  }),
  container: () => ({
    works: container(containers.good, 'start'),
    hangs: container(containers.sick, 'start'),
    forbid: { containers: ['other-*'] },
    happened: () => runs(containers.good),
  }),
  http: () => ({
    works: http('POST', '/done'),
    hangs: http('POST', '/hang'),
    forbid: { hosts: ['example.com'] },
    happened: () => Promise.resolve(server.received.length > before),
  }),
  run: () => ({
    works: run('echo x > made'),
    hangs: run('sleep 1000'),
    forbid: { commands: ['/usr/bin/other'] },
    happened: async () => (await readdir(folder)).includes('made'),
  }),
  sql: () => ({
    works: sql('CREATE TABLE made (a)'),
    hangs: sql(RUNAWAY),
    forbid: { paths: ['/other'] },
    happened: () => {
      using database = new DatabaseSync(join(folder, 'app.db'));
      return Promise.resolve(database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'made'").all().length > 0);
    },
  }),
  editFile: () => ({
    works: editFile(join(folder, 'app.json')),
    forbid: { paths: ['/other'] },
    happened: async () => (await readdir(folder)).includes('app.json'),
  }),
  gitCommit: () => ({
    works: gitCommit(join(folder, 'repository')),
    hangs: gitCommit(`${server.url}/hang`),
    forbid: { paths: ['/other'] },
    happened: () => Promise.resolve(runGitIn(join(folder, 'repository'), ['branch', '--list', 'fix']) !== ''),
  }),
  waitFor: () => ({
    works: { ...head, kind: 'waitFor', checks: [check('true')], forMs: 0 },
    hangs: { ...head, kind: 'waitFor', checks: [check('true'), check('false')], forMs: 0 },
    happened: () => Promise.resolve(waited),
  }),
};

/** What a step that changes nothing on the host has done all the same. */
let waited = false;

async function makeReady(): Promise<void> {
  new DatabaseSync(join(folder, 'app.db')).close();
  makeRepository(join(folder, 'repository')).commit({ a: 'a' });
  waited = false;
  await units.act({ kind: 'stop' }, 'good.service', never);
  await box.engine.act({ kind: 'stop' }, (await findContainer(box.engine, containers.good, never)).id, never);
}

it('has a folder with a README for each driver and a driver for each folder', () => {
  const folders = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).sort()).toStrictEqual(Object.keys(STEP_DRIVERS).sort());
  for (const { name } of folders) expect(existsSync(join(import.meta.dirname, name, 'README.md'))).toBe(true);
});

describe.each(Object.keys(SAMPLES) as HostStepKind[])('%s', (kind) => {
  let sample: Sample;
  beforeEach(async () => {
    sample = SAMPLES[kind]();
    await makeReady();
  });

  it('describes itself as plans do', () => {
    expect(drivers().describe(sample.works)).toBe(describeStep(sample.works));
  });

  it('changes nothing when it is prepared, and gives what can be stored', async () => {
    const before = await drivers().prepare(sample.works, never);
    expect(JSON.parse(JSON.stringify(before))).toStrictEqual(before);
    expect(await sample.happened()).toBe(false);
  });

  it('changes nothing when it is examined, and finds nothing in its way', async () => {
    const files = (await readdir(folder)).sort();
    expect(await drivers().examine(sample.works, never)).toMatchObject({
      outcome: 'ready',
      detail: expect.stringMatching(/./),
    });
    expect((await readdir(folder)).sort()).toStrictEqual(files);
    // What a step waits for is asked in an examination, too.
    expect(await sample.happened()).toBe(kind === 'waitFor');
  });

  it('does it', async () => {
    expect(await perform(sample.works)).toMatchObject({ outcome: 'done', detail: expect.stringMatching(/./) });
    expect(await sample.happened()).toBe(true);
  });

  it('does nothing if it is stopped before it began', async () => {
    expect(await perform(sample.works, {}, AbortSignal.abort())).toMatchObject({ outcome: 'failed', code: 'aborted' });
    expect(await sample.happened()).toBe(false);
  });

  it('never takes an effect for done that did not happen', async () => {
    const before = await drivers().prepare(sample.works, never);
    expect(await drivers().observe(sample.works, before, never)).not.toBe('done');
  });
});

/** Those of whose samples the part can be asked for. */
function kindsWith(part: 'forbid' | 'hangs'): readonly HostStepKind[] {
  const without: Readonly<Record<typeof part, HostStepKind>> = { forbid: 'waitFor', hangs: 'editFile' };
  return (Object.keys(SAMPLES) as HostStepKind[]).filter((kind) => kind !== without[part]);
}

describe('every kind', () => {
  beforeEach(makeReady);

  it.each(kindsWith('forbid'))('%s does nothing that this host does not allow', async (kind) => {
    const sample = SAMPLES[kind]();
    expect(await perform(sample.works, sample.forbid ?? {})).toMatchObject({ outcome: 'failed', code: 'notAllowed' });
    expect(await sample.happened()).toBe(false);
  });

  it.each(kindsWith('forbid'))('%s finds in an examination what this host does not allow', async (kind) => {
    const { works, forbid = {} } = SAMPLES[kind]();
    expect(await drivers(forbid).examine(works, never)).toMatchObject({
      outcome: 'obstacle',
      detail: expect.stringMatching(/is not among the \w+ that this host allows to policies/),
    });
  });

  it.each(kindsWith('hangs'))('%s fails at its deadline', async (kind) => {
    const { hangs, works } = SAMPLES[kind]();
    const step = { ...(hangs ?? works), timeoutMs: 300 };
    expect(await perform(step)).toMatchObject({
      outcome: 'failed',
      code: 'timedOut',
      detail: expect.stringContaining('300ms'),
    });
  });
});

describe('an examination', () => {
  beforeEach(makeReady);

  const pidFile = (path: string): StepOf<'service'> => ({
    ...head,
    kind: 'service',
    service: { kind: 'pidFile', path },
    do: { kind: 'signal', signal: 'SIGHUP' },
  });

  it.each<[what: string, step: () => HostStep, outcome: 'ready' | 'obstacle' | 'unknown', detail: string]>([
    ['a unit that is not there', () => service('gone.service', 'restart'), 'obstacle', 'no unit gone.service'],
    ['a pid file that is not there', () => pidFile(join(folder, 'app.pid')), 'obstacle', 'cannot be read (ENOENT)'],
    ['a container that is not there', () => container('gone', 'start'), 'obstacle', 'no container called gone'],
    [
      'a program in a container that does not run',
      () => ({
        ...head,
        ...once,
        kind: 'container',
        on: { kind: 'containers', names: [containers.good] },
        do: { kind: 'exec', argv: ['true'], exit: [0] },
      }),
      'obstacle',
      'does not run',
    ],
    ['a secret that is missing', () => http('POST', '/', { headers: { a: { env: 'ABSENT' } } }), 'obstacle', 'ABSENT'],
    ['a program that is not there', () => run('true', { argv: ['/nowhere/mend'] }), 'obstacle', '/nowhere/mend'],
    ['a program found by its name', () => run('true', { argv: ['sh', '-c', 'exit 3'] }), 'ready', 'bin/sh'],
    ['a folder that is not there', () => run('true', { cwd: '/nowhere' }), 'obstacle', '/nowhere is not a folder'],
    ['a user that is not there', () => run('true', { user: 'nobody-here' }), 'obstacle', 'no user nobody-here'],
    ['SQL that cannot be parsed', () => sql('SELEC 1'), 'obstacle', 'syntax error'],
    ['a table that is not there', () => sql('DELETE FROM gone'), 'obstacle', 'no such table: gone'],
    ['what follows a change of the schema', () => sql('CREATE TABLE new (a)', 'DELETE FROM new'), 'ready', '0 of 2'],
    [
      'a database that is not there',
      () => ({ ...sql('SELECT 1'), database: { kind: 'sqlite', path: join(folder, 'gone.db') } }),
      'obstacle',
      'does not exist',
    ],
    ['a folder of a file that is not there', () => editFile(join(folder, 'gone/app.json')), 'obstacle', 'gone'],
    ['a repository that is not there', () => gitCommit(join(folder, 'gone')), 'obstacle', 'gone'],
    [
      'a check that is false now',
      () => ({ ...head, kind: 'waitFor', checks: [check('false')], forMs: 0 }),
      'ready',
      'false now',
    ],
    [
      'a check that cannot be made',
      () => ({ ...head, kind: 'waitFor', checks: [check('true'), check('unknown')], forMs: 0 }),
      'unknown',
      'it is unknown',
    ],
  ])('of %s says so', async (_what, step, outcome, detail) => {
    const found = await drivers().examine(step(), never);
    expect(found).toMatchObject({ outcome, detail: expect.stringContaining(detail) });
  });

  it('plans each statement and executes none', async () => {
    await perform(sql('CREATE TABLE kept (a)', 'INSERT INTO kept VALUES (1)'));
    const found = await drivers().examine(
      { ...sql('DELETE FROM kept WHERE a = 1'), require: [{ query: 'SELECT count(*) FROM kept', expect: EMPTY }] },
      never,
    );
    expect(found).toStrictEqual({
      outcome: 'ready',
      detail: '1 of 1 statement(s) understood, none executed; now: SELECT count(*) FROM kept gave 1, expected = 0',
    });
    using database = new DatabaseSync(join(folder, 'app.db'));
    expect(database.prepare('SELECT count(*) AS rows FROM kept').all()).toMatchObject([{ rows: 1 }]);
  });

  it('sends no signal', async () => {
    const child = spawn('/bin/sh', ['-c', 'trap "echo hit; exit 1" HUP; echo $$ > app.pid; echo ready; read line'], {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout });
    await emitted(lines, 'line');
    expect(await drivers().examine(pidFile(join(folder, 'app.pid')), never)).toMatchObject({ outcome: 'ready' });
    child.stdin.end('\n');
    const [code] = (await emitted(child, 'exit')) as [number];
    expect(code).not.toBe(1);
  });
});

const EMPTY = { kind: 'value', is: { kind: 'equals', value: 0 } } as const;

describe.each<['run' | 'http']>([['run'], ['http']])('%s with unless', (kind) => {
  const step = (...unless: readonly Check[]) =>
    kind === 'run' ? run('echo x > made', { unless }) : http('POST', '/done', { unless });
  const happened = () => SAMPLES[kind]().happened();

  it('is done already if all checks are true', async () => {
    const outcome = await perform(step(check('true'), check('true')));
    expect(outcome).toStrictEqual({ outcome: 'done', detail: 'already so: it is true; it is true' });
    expect(await happened()).toBe(false);
  });

  it('is done if one is false', async () => {
    expect(await perform(step(check('true'), check('unknown'), check('false')))).toMatchObject({ outcome: 'done' });
    expect(await happened()).toBe(true);
  });

  it('is not done if that cannot be told', async () => {
    expect(await perform(step(check('true'), check('unknown')))).toMatchObject({ code: 'checkUnknown' });
    expect(await happened()).toBe(false);
  });
});

describe('after a crash', () => {
  const repetition = (repeatable: boolean, ...keys: readonly CheckAnswer['outcome'][]) => ({
    repeatable,
    unless: keys.map(check),
  });
  const rules = [
    [repetition(false), 'unknown'],
    [repetition(true), 'notDone'],
    [repetition(false, 'true', 'true'), 'done'],
    [repetition(false, 'true', 'false'), 'notDone'],
    [repetition(false, 'unknown', 'false'), 'notDone'],
    [repetition(false, 'true', 'unknown'), 'unknown'],
    [repetition(true, 'true', 'unknown'), 'notDone'],
    [repetition(true, 'true'), 'done'],
  ] as const;

  it.each(rules)('a program with %j is %s', async (rest, expected) => {
    expect(await drivers().observe(run('true', rest), {}, never)).toBe(expected);
  });

  it.each(rules)('a POST or PATCH with %j is %s', async (rest, expected) => {
    expect(await drivers().observe(http('POST', '/done', rest), {}, never)).toBe(expected);
    expect(await drivers().observe(http('PATCH', '/done', rest), {}, never)).toBe(expected);
  });

  it.each(['GET', 'HEAD', 'PUT', 'DELETE'])('a %s is safe to repeat', async (method) => {
    expect(await drivers().observe(http(method, '/done'), {}, never)).toBe('notDone');
  });

  it('a reload and a SIGHUP are safe to repeat, other signals are not', async () => {
    const pidFile = { kind: 'pidFile', path: '/run/x.pid' } as const;
    const signal = (name: string) =>
      ({ ...head, kind: 'service', service: pidFile, do: { kind: 'signal', signal: name } }) as const;
    expect(await drivers().observe(service('good.service', 'reload'), {}, never)).toBe('notDone');
    expect(await drivers().observe(signal('SIGHUP'), {}, never)).toBe('notDone');
    expect(await drivers().observe(signal('SIGTERM'), {}, never)).toBe('unknown');
  });
});

describe('http', () => {
  it('sends JSON, secrets in headers, and a key by which repetitions are dropped', async () => {
    const step = http('POST', '/done', { body: { on: false }, headers: { 'X-Token': { env: 'TOKEN' } } });
    expect(await perform(step)).toMatchObject({ outcome: 'done' });
    const last = server.received.at(-1);
    expect(last).toMatchObject({ method: 'POST', url: '/done', body: '{"on":false}' });
    expect(last?.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': '12',
      'idempotency-key': 'op-7',
      'x-token': 'hunter22',
    });
  });

  it('sends a text as it is, with the content type of the step', async () => {
    await perform(
      http('PUT', '/done', { body: 'a=b', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }),
    );
    const last = server.received.at(-1);
    expect(last).toMatchObject({ method: 'PUT', body: 'a=b' });
    expect(last?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(last?.headers['idempotency-key']).toBeUndefined();
  });

  it.each([
    ['an unexpected status', '/refused', {}, 'status', 'answered 422, expected 2xx'],
    ['an expected status', '/refused', { status: [422] }, undefined, 'answered 422'],
    ['a text that is missing', '/done', { bodyContains: 'yes' }, 'status', 'answered 200 without "yes"'],
    ['a text that is there', '/done', { bodyContains: 'xxx', bodyMatches: '^x+$' }, undefined, 'answered 200'],
    ['a text that must not be there', '/done', { bodyLacks: 'x' }, 'status', 'answered 200 with "x"'],
    ['a pattern without a match', '/done', { bodyMatches: '^y' }, 'status', 'without a match of ^y'],
    ['no JSON', '/done', { json: [{ pointer: '/errors', equals: [] }] }, 'status', 'a body that is not JSON'],
    ['a redirect, which is not followed', '/moved', {}, 'status', 'answered 307'],
    ['a connection that is cut', '/cut', {}, 'noAnswer', 'it may have taken effect'],
    ['a missing secret', '/done', { headers: { a: { env: 'ABSENT' } } }, 'secret', 'ABSENT is not set'],
  ])('tells of %s', async (_, path, rest, code, detail) => {
    const outcome = await perform(http('POST', path, rest));
    expect(outcome).toMatchObject({ ...(code === undefined ? {} : { code }), detail: expect.stringContaining(detail) });
    expect(outcome.outcome).toBe(code === undefined ? 'done' : 'failed');
  });

  it('keeps 2 KiB of the answer, and no secrets', async () => {
    await secrets.resolve({ env: 'TOKEN' });
    expect((await perform(http('POST', '/done'))).detail.match(/x+/)?.[0]).toHaveLength(2048);
    expect((await perform(http('POST', '/echo'))).detail).toContain('you said [redacted]');
  });

  it('connects anew for each request, for a kept connection breaks when its service is restarted', async () => {
    await perform(http('PUT', '/echo'));
    await perform(http('PUT', '/echo'));
    const [one, other] = server.received.slice(-2);
    expect(one?.port).not.toBe(other?.port);
    expect(other?.headers.connection).toBe('close');
  });

  it('says that nobody listens', async () => {
    const gone = await startServer(() => undefined);
    await gone[Symbol.asyncDispose]();
    const { url } = gone;
    expect(await perform({ ...http('POST', '/'), url })).toMatchObject({
      code: 'noAnswer',
      detail: expect.stringContaining('nobody listens there'),
    });
  });
});

describe('run', () => {
  it('gives the program its variables, with secrets, and the operation', async () => {
    const step = run('echo "$A $REVERTD_OPERATION"; echo "$S"', {
      env: { A: 'b', S: { env: 'TOKEN' } },
    });
    const outcome = await perform(step);
    expect(outcome).toStrictEqual({ outcome: 'done', detail: '/bin/sh ended with exit code 0\nb op-7\n[redacted]' });
  });

  it.each([
    ['an exit code', () => run('echo out; exit 3'), 'exitCode', '/bin/sh ended with exit code 3\nout'],
    ['a signal', () => run('kill -9 $$'), 'killed', '/bin/sh was killed by SIGKILL'],
    ['a missing program', () => run('', { argv: ['no-such-program'] }), 'notStarted', 'no-such-program is not in'],
    ['a missing folder', () => run('true', { cwd: '/no/such' }), 'notStarted', 'the folder /no/such does not exist'],
    [
      'a missing secret',
      () => run('true', { env: { S: { credential: 'absent' } } }),
      'secret',
      'the credential absent',
    ],
    ['a relative program', () => run('', { argv: ['./x'] }), 'notAllowed', 'neither an absolute path'],
  ])('tells of %s', async (_, step, code, detail) => {
    expect(await perform(step())).toMatchObject({ outcome: 'failed', code, detail: expect.stringContaining(detail) });
  });
});

it('refuses to do more with a pidFile than to signal', async () => {
  const step = { ...service('x', 'start'), service: { kind: 'pidFile', path: '/run/x.pid' } } as const;
  expect(await perform(step)).toMatchObject({ code: 'notSupported', detail: expect.stringContaining('name a unit') });
});
