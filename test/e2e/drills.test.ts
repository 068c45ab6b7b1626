import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DrillResult } from '../../src/core/model/drill.ts';
import type { DrillStatus } from '../../src/server/drill-status.ts';
import { E2eHost, SOURCE } from '../support/e2e-host.ts';
import { makeRepository, type Repository, runGitIn } from '../tools/git-repository.ts';

const POLICIES = `apiVersion: revertd.dev/v1
kind: Flag
metadata: { name: fast-path }
spec:
  variants: { "on": true, "off": false }
  defaultVariant: "on"
  safeVariant: "off"
  deliver: [ { envFile: { path: "\${host.envFile}", key: FAST_PATH } } ]
---
apiVersion: revertd.dev/v1
kind: Target
metadata: { name: code }
spec:
  git:
    path: \${host.checkout}
    track: { ref: main, interval: 5s }
    build: [ { run: { argv: [/bin/sh, build.sh], env: { FOLDER: "\${host.folder}" } } } ]
    publish: { from: dist, to: "\${host.folder}/opt/app" }
    activate: [ { http: { url: "\${host.app}/reload", repeatable: true } } ]
    bake: 1s
  check: [ { file: { path: "\${host.folder}/opt/app/latency.txt", contains: "0." } } ]
---
apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: latency }
spec:
  triggers: [ { name: slow, query: app_latency_seconds, above: 0.5, for: 1s, severity: critical } ]
  ladder:
    - rung: flags
      do: [ { setFlag: { flag: fast-path, to: safe } } ]
      verify: { settle: 200ms, within: 2s }
    - rung: code
      when: [ { file: { path: "\${host.folder}/opt/app", is: present } } ]
      do:
        - restore: { target: code, to: lastGood }
        - run: { argv: [/usr/bin/touch, "\${host.folder}/touched"], repeatable: true }
      verify: { settle: 300ms, within: 20s, checks: [ { http: { url: "\${host.app}/health" } } ] }
  cooldown: 10s
  rto: 10m
`;

const DRILLS = (more = ''): string => `apiVersion: revertd.dev/v1
kind: Drill
metadata: { name: looks }
spec: { policy: latency, mode: dryRun }
---
apiVersion: revertd.dev/v1
kind: Drill
metadata: { name: rebuilds }
spec: { policy: latency, rungs: [code], mode: scratch, notify: [oncall]${more} }
---
apiVersion: revertd.dev/v1
kind: Notifier
metadata: { name: oncall }
spec: { webhook: { url: "\${host.app}/told" }, on: [drill] }
`;

/** A rehearsed build goes on for as long as somebody holds it, so that a test can meet it in its midst. */
const BUILD = `mkdir dist && cp latency.txt dist/latency.txt
if [ -n "$REVERTD_DRILL" ] && [ -e "$FOLDER/hold" ]; then
  echo $$ > "$FOLDER/building"
  while [ -e "$FOLDER/hold" ]; do sleep 0.05; done
fi
`;

const host = new E2eHost();
const checkout = join(host.folder, 'checkout');
const hold = join(host.folder, 'hold');
const building = join(host.folder, 'building');
const calls: string[] = [];
const told: { topic: string; title: string; drill?: { outcome: string } }[] = [];
let upstream: Repository;
let server: Server;
/** What the service answers with, instead of what it took up at its last reload. */
let forced: string | undefined;
let latency = '0.1';

function startService(): Promise<void> {
  server = createServer((request, response) => {
    if (request.url === '/told') {
      let body = '';
      request.on('data', (piece: Buffer) => (body += piece.toString()));
      request.on('end', () => told.push(JSON.parse(body) as (typeof told)[number]));
    } else if (request.url !== '/metrics' && request.url !== '/health') calls.push(request.url ?? '');
    if (request.url === '/reload') latency = readFileSync(join(host.folder, 'opt/app/latency.txt'), 'utf8').trim();
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(`app_latency_seconds ${forced ?? latency}\n`);
  }).listen(0, '127.0.0.1');
  return new Promise((resolve) => server.once('listening', resolve));
}

/** Every file that is live: the checkout with its repository, what was published, flags; and every call of the service. */
function liveWorld(): Record<string, string> {
  const world: Record<string, string> = {
    calls: calls.join(),
    touched: String(existsSync(join(host.folder, 'touched'))),
  };
  const walk = (path: string): void => {
    const found = lstatSync(path);
    // revertd keeps what it builds, and the books of that, in places of its own.
    if (path === join(checkout, '.git/revertd') || path === join(checkout, '.git/worktrees')) return;
    if (found.isDirectory()) for (const name of readdirSync(path)) walk(join(path, name));
    else if (found.isSymbolicLink()) world[path] = readlinkSync(path);
    else world[path] = `${found.mtimeMs} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`;
  };
  for (const path of [checkout, join(host.folder, 'opt'), host.envFile]) walk(path);
  return world;
}

/** What a drill leaves of itself once it is over. */
function leftovers(): string[] {
  const folders = [join(host.data, 'drills'), join(checkout, '.git/revertd'), join(checkout, '.git/worktrees')];
  return folders.flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []));
}

async function drillStatus(name: string): Promise<DrillStatus> {
  return await (await host.client()).get<DrillStatus>(`drills/${name}`);
}

async function begin(name: string): Promise<string> {
  return (await (await host.client()).post<{ run: string }>(`drills/${name}`, {})).run;
}

async function untilResult(name: string, run: string): Promise<DrillResult> {
  return await host.until(`the result of ${run}`, async () => {
    const { last } = await drillStatus(name);
    return last?.id === run ? last : undefined;
  });
}

async function heldInItsBuild(): Promise<string> {
  rmSync(building, { force: true });
  writeFileSync(hold, '');
  const run = await begin('rebuilds');
  await host.until('it builds', () => Promise.resolve(existsSync(building) ? true : undefined));
  return run;
}

/** Starts the daemon and waits until it follows the policies. */
async function restart(environment: Readonly<Record<string, string>> = {}): Promise<void> {
  await host.startDaemon(environment);
  await host.untilStatus('the policies are in force', ({ drills }) => drills.length === 2);
}

beforeAll(async () => {
  await startService();
  host.appUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  upstream = makeRepository(join(host.folder, 'upstream'));
  upstream.commit({ 'latency.txt': '0.1', 'build.sh': BUILD }, 'First');
  runGitIn(host.folder, ['clone', '--quiet', upstream.path, checkout]);
  writeFileSync(host.envFile, 'FAST_PATH=true\n');
  host.commit({ 'policies.yaml': POLICIES, 'drills.yaml': DRILLS(), 'source.yaml': SOURCE }, 'Guard the latency');
  host.writeConfig(`    checkout: ${JSON.stringify(checkout)}`);
  await host.startDaemon();
  await host.untilStatus('the first revision proves good', ({ targets }) => targets[0]?.good === true);
  const second = upstream.commit({ 'latency.txt': '0.2' }, 'Second');
  await host.until('the second revision is good, and kept', () => {
    const isKept = existsSync(join(checkout, '.git/refs/revertd/good', second));
    return Promise.resolve(isKept && latency === '0.2' ? true : undefined);
  });
});

afterAll(async () => {
  rmSync(hold, { force: true });
  server.close();
  server.closeAllConnections();
  await host.close();
});

test('a dry run examines every step and check, says what it found, and touches nothing', async () => {
  const before = liveWorld();
  const { code, stdout, stderr } = await host.runCommand('drill', 'looks', '--config', host.config);
  expect([code, stderr, stdout]).toMatchObject([0, expect.any(String), expect.stringContaining('successful')]);
  expect(stdout).toContain('objective 10m');
  for (const found of [
    'set flag fast-path to its safe variant',
    'FAST_PATH in',
    'restore code to its last good state',
    'code build: run /bin/sh build.sh',
    'code activate: POST',
    'nothing was sent',
    '/usr/bin/touch can be executed',
    'when:',
    'verify: GET',
  ]) {
    expect(stderr).toContain(found);
  }
  expect(liveWorld()).toEqual(before);
  expect(leftovers()).toEqual([]);
});

test('a rehearsal in a scratch place checks out and builds the last good revision, and touches nothing that is live', async () => {
  const before = liveWorld();
  const { code, stdout } = await host.runCommand('drill', 'rebuilds', '--config', host.config, '--json');
  const result = JSON.parse(stdout) as DrillResult;
  expect([code, result]).toMatchObject([0, { outcome: 'successful', mode: 'scratch', rungs: [{ rung: 'code' }] }]);
  const head = runGitIn(checkout, ['rev-parse', 'HEAD']).slice(0, 12);
  expect(result.rungs[0]?.items.map(({ detail }) => detail)).toContainEqual(
    expect.stringMatching(new RegExp(`${head} was checked out and built; .*latency.txt`)),
  );
  expect(liveWorld()).toEqual(before);
  expect(leftovers()).toEqual([]);
  await host.until('it is told', () =>
    Promise.resolve(told.find(({ drill }) => drill?.outcome === 'successful') === undefined ? undefined : true),
  );
  expect(told[0]).toMatchObject({ topic: 'drill', title: 'drill rebuilds successful' });
});

test('it is shown by status, explain, the list, the metrics and the report of a period', async () => {
  const status = await host.status();
  expect(status.drills).toMatchObject([{ drill: 'looks' }, { drill: 'rebuilds', last: { outcome: 'successful' } }]);
  const options = ['--config', host.config];
  const [shown, explained, list, report] = await Promise.all([
    host.runCommand('status', ...options),
    host.runCommand('explain', 'Drill/rebuilds', ...options),
    host.runCommand('drills', 'list', ...options),
    host.runCommand('report', '--period', '1h', '--markdown', ...options),
  ]);
  expect(shown.stdout).toMatch(/Drills:\n.*looks.*by hand/);
  expect(explained.stdout).toMatch(/rung "code" successful in/);
  expect(list.stdout).toMatch(/rebuilds +latency +scratch +by hand +successful in/);
  expect(report.stdout).toMatch(/## Drills\n\n.*\n.*\n\| looks \| latency \(dryRun\)/);
  const metrics = await (await fetch(`http://127.0.0.1:${host.port}/metrics`)).text();
  expect(metrics).toMatch(/revertd_drill_last_success_timestamp_seconds\{drill="rebuilds"\} \d/);
  expect(metrics).toMatch(/revertd_drill_last_duration_seconds\{drill="rebuilds"\} \d/);
  expect(metrics).toContain('revertd_drills_total{drill="rebuilds",outcome="successful"} 1');
});

test('killed in the midst of it, the drill is interrupted, is not taken up again, and the next one works', async () => {
  const before = liveWorld();
  const run = await heldInItsBuild();
  expect(await host.stopDaemon('SIGKILL')).toBe('SIGKILL');
  await restart();
  expect(await untilResult('rebuilds', run)).toMatchObject({ outcome: 'interrupted' });
  expect((await drillStatus('rebuilds')).running).toBeNull();
  expect(leftovers()).toEqual([]);
  rmSync(hold);
  const { code } = await host.runCommand('drill', 'rebuilds', '--config', host.config);
  expect(code).toBe(0);
  expect(liveWorld()).toEqual(before);
  expect(leftovers()).toEqual([]);
});

test.each(['planned:rehearse', 'running:rehearse', 'rehearsed@2', 'effect:rehearse'])(
  'killed at %s, it is interrupted and nothing is left running',
  async (point) => {
    await host.stopDaemon();
    await restart({ REVERTD_TEST_KILL_AT: point });
    const before = liveWorld();
    // The answer may not come any more: it dies of what it was asked for.
    await begin('looks').catch(() => undefined);
    expect(await host.daemonEnd()).toBe('SIGKILL');
    await restart();
    await host.until('it is over', async () => {
      const { last, running } = await drillStatus('looks');
      return running === null && last?.outcome === 'interrupted' ? true : undefined;
    });
    expect(liveWorld()).toEqual(before);
  },
);

test('a drill that finds something fails: exit code 1, a condition, and the next good one clears it', async () => {
  host.commit({ 'policies.yaml': POLICIES.replace('/usr/bin/touch', '/usr/bin/tuch') }, 'Misspell a program');
  const { revision } = await host.status();
  await host.untilStatus('it is in force', (status) => status.revision !== revision);
  const { code, stdout } = await host.runCommand('drill', 'rebuilds', '--config', host.config);
  expect([code, stdout]).toMatchObject([1, expect.stringContaining('/usr/bin/tuch is not there')]);
  const { conditions } = await host.status();
  expect(conditions).toContainEqual(expect.objectContaining({ type: 'DrillFailed', object: 'Drill/rebuilds' }));
  host.commit({ 'policies.yaml': POLICIES }, 'Mend it');
  await host.until('it is good again', async () =>
    (await host.runCommand('drill', 'rebuilds', '--config', host.config)).code === 0 ? true : undefined,
  );
  expect((await host.status()).conditions).not.toContainEqual(expect.objectContaining({ type: 'DrillFailed' }));
});

test('an incident over the same things ends a drill at once, and waits for nothing of it', async () => {
  const run = await heldInItsBuild();
  const builder = Number(readFileSync(building, 'utf8'));
  forced = '0.9';
  await host.untilStatus('the incident', ({ incidents }) => incidents.length === 1);
  expect(await untilResult('rebuilds', run)).toMatchObject({
    outcome: 'aborted',
    reason: expect.stringContaining('INC-1'),
  });
  await host.until('the rollback acts', () =>
    Promise.resolve(readFileSync(host.envFile, 'utf8').includes('false') ? true : undefined),
  );
  await host.until('the build is ended', () => Promise.resolve(isAlive(builder) ? undefined : true));
  const { code, stderr } = await host.runCommand('drill', 'looks', '--config', host.config);
  expect([code, stderr]).toMatchObject([4, expect.stringContaining('INC-1 (latency) is open')]);
  forced = undefined;
  rmSync(hold);
  await host.untilStatus('it is over', ({ incidents }) => incidents.length === 0);
});

test('by its schedule it runs without anybody asking', async () => {
  host.commit({ 'drills.yaml': DRILLS(', schedule: "* * * * *", timezone: Europe/Berlin') }, 'Rehearse each minute');
  const { last } = await host.until(
    'it comes',
    async () => {
      const found = await drillStatus('rebuilds');
      return found.last?.cause.kind === 'schedule' ? found : undefined;
    },
    100_000,
  );
  expect(last).toMatchObject({ outcome: 'successful', beforeMs: expect.any(Number) });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
