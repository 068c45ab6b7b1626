/**
 * R2, R4, R6, R7, R8 and R10 on real containers: podman, docker-compose, a git checkout, PostgreSQL, Prometheus. Each case has
 * its own stack, whose first release is well and proves good; the second breaks something, and the pack as it is puts it back.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refuseOutsideOfTheSandbox, until } from '../support/installed-host.ts';
import type { ContainerStack, Service } from '../support/rows/container-stack.ts';
import { ContainerStage } from '../support/rows/container-stage.ts';
import { deleted, inverted } from '../support/rows/mutate-pack.ts';

const DATABASES = ['postgres', 'neo4j'] as const;
const MONITORING = ['prometheus', 'grafana', 'elasticsearch', 'logstash', 'kibana', 'alertmanager'] as const;
const ON = { ENABLE_CACHING: 'true', AUTONOMOUS_MODE: 'true' };
const CACHING_OFF = { ENABLE_CACHING: 'false', AUTONOMOUS_MODE: 'true' };
/** Of two daemons, whose triggers need four looks and the deployment's eight seconds. */
const LONG_ENOUGH = 60;

let stage: ContainerStage;

beforeAll(async () => {
  refuseOutsideOfTheSandbox();
  stage = await ContainerStage.open();
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

/** A stack under its daemon, whose first release has proved good; and that release's commit. */
async function guarded(name: string, services: readonly Service[] = []) {
  const stack = await stage.start(name, services);
  const good = stack.repository.git('rev-parse', 'HEAD');
  await stack.guard();
  await stack.untilGood();
  expect(stack.letters()).toEqual([]);
  return { stack, good };
}

async function livesOf(stack: ContainerStack, services: readonly Service[]) {
  return Object.fromEntries(
    await Promise.all(services.map(async (service) => [service, await stack.life(service)] as const)),
  );
}

/** All of them were started anew since. */
async function expectNewLives(stack: ContainerStack, before: Readonly<Record<string, string>>): Promise<void> {
  const after = await livesOf(stack, Object.keys(before) as Service[]);
  expect(Object.keys(before).filter((service) => before[service] === after[service])).toEqual([]);
}

async function whyOpened(stack: ContainerStack): Promise<string> {
  return (await stack.told('opened')).words;
}

// What is in a group runs side by side: an engine that has to make too many containers at once makes none in time.
describe('[R2] a cache that does more harm than good', () => {
  test.concurrent('goes off in both containers, and no more is done if that helps', async () => {
    const { stack: opened } = await guarded('quick');
    await using stack = opened;
    const bad = await stack.deploy(2, { cache: 'poor' });
    expect(await whyOpened(stack)).toContain('mem0-cache/hit-ratio ');
    await stack.told('resolved');
    expect(await stack.env('mem0')).toMatchObject(CACHING_OFF);
    expect(await stack.env('mcp')).toMatchObject({ ...CACHING_OFF, WORKERS: '8' });
    // A service reads its file when it starts.
    await stack.untilState('mem0', { RELEASE: '2', ENABLE_CACHING: 'false' });
    await stack.untilState('mcp', { RELEASE: '2', ENABLE_CACHING: 'false' });
    expect(stack.changedSince(bad)).toBe('');
    expect(stack.rungs).toEqual(['caching-off']);
  });

  test.concurrent('gets both files of the good revision back and a fresh start, if caching off does not help', async () => {
    const { stack: opened, good } = await guarded('full');
    await using stack = opened;
    await stack.deploy(2, { cache: 'broken', poolMax: 101 });
    await stack.untilState('mem0', { RELEASE: '2', ENABLE_CACHING: 'false' });
    await stack.untilState('mcp', { RELEASE: '2', ENABLE_CACHING: 'false' });
    expect(await whyOpened(stack)).toMatch(/mem0-cache\/(cache-errors|hit-ratio) /);

    await stack.untilState('mem0', { RELEASE: '1', CACHE_MODE: 'good', POOL_MAX: '100' });
    await stack.told('resolved');
    expect(stack.changedSince(good, 'docker-compose.yml', '.env')).toBe('');
    // What nobody complained of stays as it was released.
    expect(readFileSync(`${stack.checkout}/openmemory/VERSION`, 'utf8')).toBe('2\n');
    await stack.untilState('mcp', { RELEASE: '1' });
    expect(stack.rungs).toEqual(['caching-off', 'previous-files']);
    expect(await stack.metrics('mem0')).toContain('mem0_cache_errors_total 0\n');
    // The containers came anew with the image's files; the flag holds in them too.
    await stack.untilState('mem0', { ENABLE_CACHING: 'false' });
    await stack.untilState('mcp', { ENABLE_CACHING: 'false' });
  });
});

describe('the pool, the server, the client', () => {
  test.concurrent('[R4] an exhausted pool: PostgreSQL reads its configuration, Neo4j restarts; then the compose file goes back', async () => {
    const { stack: opened, good } = await guarded('pool', DATABASES);
    await using stack = opened;
    const loadedAt = async () => await stage.psql('SELECT pg_conf_load_time()');
    const loaded = await loadedAt();
    const neo4j = await stack.life('neo4j');
    await stack.deploy(2, { poolMax: 10 });
    await stack.untilState('mem0', { POOL_MAX: '10' });
    expect(await whyOpened(stack)).toContain('mem0-connection-pool/exhausted ');
    await until('the configuration is read', async () => ((await loadedAt()) === loaded ? undefined : true));
    await until('Neo4j restarts', async () => ((await stack.life('neo4j')) === neo4j ? undefined : true));

    await stack.untilState('mem0', { POOL_MAX: '100' });
    await stack.told('resolved');
    expect(stack.changedSince(good, 'docker-compose.yml')).toBe('');
    expect(readFileSync(`${stack.checkout}/.env`, 'utf8')).toContain('RELEASE=2');
    expect(stack.rungs).toEqual(['reload', 'previous-compose-file']);
    const [of, then] = [await stack.life('postgres'), await stack.life('mem0')].map((life) => life.split(' ')[1] ?? '');
    expect(Date.parse(of ?? '')).toBeLessThan(Date.parse(then ?? ''));
  });

  test.concurrent('[R6] connections that fail: four workers; then the server’s one file as it was a revision ago', async () => {
    const { stack: opened, good } = await guarded('server');
    await using stack = opened;
    const bad = await stack.deploy(2, { refuses: 3 }, ['mcp']);
    await stack.untilState('mcp', { SERVER_REFUSES: '3', WORKERS: '4' });
    expect(await whyOpened(stack)).toContain('mem0-mcp-connections/connections ');
    expect(await stack.env('mcp')).toMatchObject({ ...ON, WORKERS: '4' });

    await stack.untilState('mcp', { SERVER_REFUSES: '0', WORKERS: '4' });
    await stack.told('resolved');
    expect(stack.changedSince(bad)).toBe('openmemory/api/app/mcp_server.py');
    expect(stack.changedSince(good, 'openmemory/api/app/mcp_server.py')).toBe('');
    expect(await stack.metrics('mcp')).toContain('mcp_connection_errors_total 0\n');
    expect(stack.rungs).toEqual(['workers', 'server-file']);
  });

  test.concurrent('[R7] [R10] autonomous work that fails ends and stays off; then the client’s settings go back', async () => {
    const { stack: opened } = await guarded('autonomy');
    await using stack = opened;
    const workers = async () =>
      await stack.docker(`exec ${stack.container('mcp')} sh -c "grep -l [a]utonomous.sh /proc/[1-9]*/cmdline || true"`);
    expect(await workers()).not.toBe('');
    stack.fault('autonomy');
    writeFileSync(stack.clientSettings, '{ "mode": "unattended" }\n');
    await stack.untilState('mcp', { AUTONOMOUS_MODE: 'false' });
    await stack.untilState('mem0', { AUTONOMOUS_MODE: 'false' });
    expect(await whyOpened(stack)).toContain('mem0-autonomy/failures ');
    expect([await stack.env('mem0'), await stack.env('mcp')]).toMatchObject([
      { AUTONOMOUS_MODE: 'false', ENABLE_CACHING: 'true' },
      { AUTONOMOUS_MODE: 'false', ENABLE_CACHING: 'true' },
    ]);

    await stack.told('resolved');
    expect(readFileSync(stack.clientSettings, 'utf8')).toBe('{ "mode": "asks" }\n');
    expect(await workers()).toBe('');
    expect(stack.rungs).toEqual(['autonomous-off', 'client-settings']);
    expect((await stack.told('message')).words).toContain('restart the client');
  });
});

describe('the monitoring, and all at once', () => {
  test.concurrent('[R8] monitoring that stays down gets its configuration and its services back; alert rules by hand', async () => {
    const { stack: opened, good } = await guarded('monitoring', MONITORING);
    await using stack = opened;
    const healthy = async () =>
      (await fetch(`${stack.prometheusUrl}/-/healthy`).catch(() => undefined))?.status === 200 ? true : undefined;
    const rules = async () => await (await fetch(`${stack.prometheusUrl}/api/v1/rules`)).text();
    expect(await healthy()).toBe(true);
    const before = await livesOf(stack, [...MONITORING, 'mem0']);
    await stack.deploy(2, { prometheus: 'rule_files: [\n' }, ['prometheus']);
    expect(await whyOpened(stack)).toContain('mem0-monitoring/down ');
    await stack.told('resolved');
    expect(await healthy()).toBe(true);
    expect(stack.changedSince(good, 'monitoring/')).toBe('');
    const { alertmanager, mem0, ...monitoring } = before;
    await expectNewLives(stack, monitoring);
    expect(await livesOf(stack, ['alertmanager'])).toEqual({ alertmanager });

    // Rules that cry too often; no metric says so.
    await stack.deploy(3, { alertsAbove: -1 }, ['prometheus']);
    await until('Prometheus has the new rules', async () =>
      (await rules()).includes('up \\u003e -1') ? true : undefined,
    );
    const alerting = await livesOf(stack, ['prometheus', 'alertmanager']);
    const { code, stderr } = await stack.command(['rollback', 'mem0-alert-rules', '--force', '--reason', 'fatigue']);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    await until('Prometheus has the old rules', async () =>
      (await rules().catch(() => '')).includes('up \\u003e 1') ? true : undefined,
    );
    expect(stack.changedSince(good, 'monitoring/alert_rules.yml')).toBe('');
    await until('Alertmanager is restarted', async () =>
      (await stack.life('alertmanager')) === alerting['alertmanager'] ? undefined : true,
    );
    expect(mem0).toBeDefined();
  });

  test.concurrent('[R10] everything goes back at once when a person says so', async () => {
    const { stack: opened, good } = await guarded('emergency', DATABASES);
    await using stack = opened;
    await stack.deploy(2, { poolMax: 99, refuses: 0 });
    await stack.untilState('mem0', { RELEASE: '2', POOL_MAX: '99' });
    const before = await livesOf(stack, ['mem0', 'mcp', ...DATABASES]);
    const { code, stderr } = await stack.command(['rollback', 'mem0-emergency', '--reason', 'nothing-works']);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    await stack.told('resolved');
    expect(stack.changedSince(good, 'docker-compose.yml', '.env', 'openmemory/')).toBe('');
    const off = { ENABLE_CACHING: 'false', AUTONOMOUS_MODE: 'false' };
    expect([await stack.env('mem0'), await stack.env('mcp')]).toMatchObject([off, { ...off, WORKERS: '4' }]);
    await stack.untilState('mem0', { ...off, RELEASE: '1', POOL_MAX: '100' });
    await stack.untilState('mcp', { ...off, RELEASE: '1', WORKERS: '4' });
    await expectNewLives(stack, before);
    const idsBefore = Object.values(before).map((life) => life.split(' ')[0]);
    const after = await livesOf(stack, ['mem0', 'mcp', ...DATABASES]);
    expect(Object.values(after).filter((life) => idsBefore.includes(life.split(' ')[0]))).toEqual([]);
  });
});

describe('with everything wrong at once', () => {
  const AUTOMATIC = {
    'mem0-cache': 'cache.yaml',
    'mem0-connection-pool': 'pool.yaml',
    'mem0-mcp-connections': 'mcp.yaml',
    'mem0-autonomy': 'mcp.yaml',
    'mem0-monitoring': 'monitoring.yaml',
  };
  const BY_HAND = { 'mem0-alert-rules': 'monitoring.yaml', 'mem0-emergency': 'emergency.yaml' };

  test.concurrent('nothing is done once the policies are deleted, or their thresholds inverted', async () => {
    const broken = { cache: 'broken', poolMax: 10, refuses: 3, prometheus: 'rule_files: [\n' } as const;
    stage.mutate('deleted', { ...AUTOMATIC, ...BY_HAND }, deleted);
    stage.mutate('inverted', AUTOMATIC, inverted);
    await using stack = await stage.start('broken', ['neo4j', 'prometheus'], broken);
    stack.fault('autonomy');
    const services = ['mem0', 'mcp', 'neo4j', 'prometheus'] as const;
    const before = await livesOf(stack, services);
    const head = stack.repository.git('rev-parse', 'HEAD');
    await stack.guard('deleted');
    await stack.guard('inverted');
    await stack.untilScraped(LONG_ENOUGH);
    for (const policy of Object.keys(BY_HAND)) {
      expect(await stack.command(['rollback', policy, '--reason', 'nothing-works'], 'deleted')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(policy),
      });
    }
    expect([await stack.env('mem0'), await stack.env('mcp')]).toMatchObject([ON, { ...ON, WORKERS: '8' }]);
    expect(await livesOf(stack, services)).toEqual(before);
    expect(stack.changedSince(head)).toBe('');
    expect([...stack.letters('oncall', 'deleted'), ...stack.letters('oncall', 'inverted')]).toEqual([]);
    expect(await stack.metrics('mem0')).not.toContain('mem0_cache_errors_total 0\n');
    expect(await stack.metrics('mcp')).toMatch(/mcp_autonomous_failures_total [1-9]/);
  });
});
