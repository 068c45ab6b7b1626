/** Messages and reports of a spawned daemon: real receivers, one of which is dead, and the commands that read. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Event } from '../../src/core/event.ts';
import { E2eHost, FLAG, SOURCE } from '../support/e2e-host.ts';
import { type MailServer, startMailServer } from '../support/mail-server.ts';
import { type RecordingServer, startServer } from '../support/recording-server.ts';

const host = new E2eHost();
let receiver: RecordingServer;
let mail: MailServer;
/** Accepts whatever comes and never answers. */
const dead = createServer(() => undefined);

const notifier = (name: string, spec: string): string =>
  `apiVersion: revertd.dev/v1\nkind: Notifier\nmetadata: { name: ${name} }\nspec:\n${spec}\n---\n`;

const guard = `apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: latency }
spec:
  triggers: [ { name: slow, query: app_latency_seconds, above: 0.5, for: 1s, severity: critical } ]
  ladder:
    - rung: flags
      do: [ { setFlag: { flag: fast-path, to: safe } } ]
      # So long that the second level is reached before it is over.
      verify: { settle: 3s, within: 60s }
  cooldown: 10m
  rto: 2m
  escalate: [ { after: 1s, notify: [senior] }, { after: 2s, notify: [commander] } ]
  notify: [oncall, slack, leadership, dead]
`;

beforeAll(async () => {
  receiver = await startServer(({ url }, response) => {
    response.statusCode = url === '/refuses' ? 500 : 200;
    response.end('ok');
  });
  mail = await startMailServer();
  dead.listen(0, '127.0.0.1');
  await once(dead, 'listening');
  const address = dead.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await host.startApp();
  const templates = '  templates: { opened: templates/opened.md }';
  host.commit({
    'flags.yaml': FLAG(),
    'source.yaml': SOURCE,
    'guard.yaml': guard,
    'templates/opened.md':
      '*${incident.policy}* on ${host.name}\n\n${#incident.triggers}\n- ${trigger} ${threshold}\n${/incident.triggers}\n',
    'notifiers.yaml': [
      notifier('oncall', `  webhook: { url: "${receiver.url}/oncall" }`),
      notifier('slack', `  slack: { url: "${receiver.url}/slack" }\n${templates}`),
      notifier('senior', `  webhook: { url: "${receiver.url}/senior" }\n  on: [escalated, resolved]`),
      notifier(
        'commander',
        `  webhook: { url: "${receiver.url}/commander", body: { level: "\${incident.level}" } }\n  on: [escalated]`,
      ),
      notifier(
        'leadership',
        `  email: { to: [boss@example.com], from: revertd@example.com, server: "smtp://127.0.0.1:${mail.port}" }\n  on: [resolved, report]`,
      ),
      notifier('dead', `  webhook: { url: "http://127.0.0.1:${port}/" }\n  timeout: 10m`),
    ].join(''),
  });
  host.writeConfig();
  await host.startDaemon();
  await host.untilStatus('the trigger is healthy', ({ triggers }) => triggers[0]?.state === 'inactive');
  await host.tellApp('degrade');
  await host.until('the report by mail', async () => (mail.received.length >= 2 ? true : undefined));
});

afterAll(async () => {
  await host.close();
  dead.close();
  await Promise.all([receiver[Symbol.asyncDispose](), mail[Symbol.asyncDispose]()]);
});

const bodies = (path: string): Readonly<Record<string, unknown>>[] =>
  receiver.received
    .filter(({ url }) => url === path)
    .map(({ body }) => JSON.parse(body) as Readonly<Record<string, unknown>>);

test('each receiver hears what it asks for, once, and in its own form', () => {
  expect(bodies('/oncall').map(({ topic }) => topic)).toEqual([
    'opened',
    'rung',
    'escalated',
    'escalated',
    'resolved',
    'report',
  ]);
  expect(bodies('/senior').map(({ topic }) => topic)).toEqual(['escalated', 'escalated', 'resolved']);
  expect(bodies('/commander')).toEqual([{ level: '2' }]);
  expect(JSON.stringify(bodies('/slack')[0])).toContain('*latency* on e2e');
  expect(bodies('/slack')[0]).toMatchObject({
    blocks: [{ type: 'header' }, { text: { text: '- latency/slow &gt; 0.5' } }, { type: 'context' }],
  });
  expect(mail.received.map(({ to }) => to)).toEqual([['boss@example.com'], ['boss@example.com']]);
  expect(mail.received[1]?.text).toMatch(/# INC-1: latency on e2e[^]*<svg viewBox/);
});

test('a dead receiver holds up neither the rollback nor the others', async () => {
  const { events } = await (await host.client()).get<{ events: Event[] }>('events?limit=1000');
  const begun = events.findIndex(
    (event) => event.type === 'operation.planned' && event.operation.id.startsWith('notify:dead/'),
  );
  const closed = events.findIndex((event) => event.type === 'incident.closed');
  expect(begun).toBeGreaterThan(-1);
  expect(closed).toBeGreaterThan(begun);
  expect(events.filter((event) => event.type === 'operation.finished' && event.id.startsWith('notify:dead/'))).toEqual(
    [],
  );
  expect(await host.appState()).toMatchObject({ fast: false });
});

test('what was delivered is counted', async () => {
  const metrics = await (await fetch(`http://127.0.0.1:${host.port}/metrics`)).text();
  expect(metrics).toContain('revertd_notifications_total{notifier="senior",outcome="delivered"} 3');
  expect(metrics).toMatch(/revertd_notifications_waiting\{notifier="dead"\} \d/);
});

test('[M11] `report` tells of the period in four forms, over the API too', async () => {
  const run = (...args: string[]) => host.runCommand('--config', host.config, 'report', '--period', '7d', ...args);
  const text = await run();
  expect(text.code).toBe(0);
  expect(text.stdout).toMatch(/^Rollbacks +1 +0 +\+1$/m);
  expect(text.stdout).toMatch(/^INC-1 +latency +.* +resolved +\S+ +within 2m$/m);
  expect(text.stdout).toMatch(/^fast-path +1 +latch to off/m);
  expect(text.stdout).toMatch(/^Storage: The log takes [\d.]+ KiB: \d+ events, \d+ readings\.$/m);
  const json = JSON.parse((await run('--json')).stdout) as Readonly<Record<string, unknown>>;
  expect(json).toMatchObject({
    schemaVersion: 1,
    host: 'e2e',
    now: { rollbacks: 1, resolved: 1, withinRto: 1, beyondRto: 0, escalations: 2, flagsLatched: 1 },
    before: { rollbacks: 0, medianRecoveryMs: null },
  });
  expect((await run('--markdown')).stdout).toContain('| Rollbacks | 1 | 0 | +1 |');
  expect((await run('--html')).stdout).toMatch(/^<!doctype html>[^]*<svg viewBox[^]*INC-1/);
  const answer = await fetch(`http://127.0.0.1:${host.port}/api/v1/report?periodMs=${7 * 86_400_000}`);
  expect(await answer.json()).toMatchObject({ schemaVersion: 1, now: { rollbacks: 1 } });
  expect(await run('--period', 'soon')).toMatchObject({ code: 64 });
});

test('the report is beside the log in both forms, and the command line gives it', async () => {
  const reports = join(host.data, 'reports');
  const html = readFileSync(join(reports, 'INC-1.html'), 'utf8');
  expect(html).toMatch(/<figcaption><strong>latency\/slow<\/strong>[^]*class="breach"/);
  expect(readFileSync(join(reports, 'INC-1.md'), 'utf8')).toMatch(/^# INC-1: latency on e2e\n\n\*\*resolved\*\*/);
  const out = join(host.folder, 'out.html');
  const args = ['--config', host.config, 'incidents', 'report', 'INC-1'];
  expect(await host.runCommand(...args, '--html', '--out', out)).toMatchObject({ code: 0, stdout: '' });
  expect(readFileSync(out, 'utf8')).toMatch(/^<!doctype html>/);
  expect((await host.runCommand(...args)).stdout).toMatch(/^# INC-1: latency on e2e\n/);
  expect(await host.runCommand(...args.slice(0, -1), 'INC-9')).toMatchObject({ code: 1 });
});
