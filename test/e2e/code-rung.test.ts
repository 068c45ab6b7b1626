import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { E2eHost, SOURCE } from '../support/e2e-host.ts';
import { makeRepository, type Repository, runGitIn } from '../tools/git-repository.ts';

const POLICIES = `apiVersion: revertd.dev/v1
kind: Target
metadata: { name: code }
spec:
  git:
    path: \${host.checkout}
    track: { ref: main, interval: 5s }
    build: [ { run: { argv: [/bin/sh, build.sh] } } ]
    publish: { from: dist, to: "\${host.folder}/opt/app" }
    activate: [ { http: { url: "\${host.app}/reload", repeatable: true } } ]
    bake: 1s
  check: [ { file: { path: "\${host.folder}/opt/app/latency.txt", contains: "0.1" } } ]
---
apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: latency }
spec:
  triggers: [ { name: slow, query: app_latency_seconds, above: 0.5, for: 1s, severity: critical } ]
  ladder:
    - rung: code
      when: [ { target: { name: code, is: { changedSince: 1h } } } ]
      do: [ { restore: { target: code, to: lastGood } } ]
      verify: { settle: 300ms, within: 20s, checks: [ { target: { name: code, is: intact } } ] }
  cooldown: 10s
`;

/** How slow a revision is stands in its own file; its build copies that into the release. */
const BUILD = 'mkdir dist && cp latency.txt dist/latency.txt\n';

const host = new E2eHost();
let upstream: Repository;
let server: Server;
/** What the running service took up at its last reload, which is what it serves. */
let latency = '0.1';

function published(): string {
  return readFileSync(join(host.folder, 'opt/app/latency.txt'), 'utf8').trim();
}

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/reload') latency = published();
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(`app_latency_seconds ${latency}\n`);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  host.appUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  upstream = makeRepository(join(host.folder, 'upstream'));
  upstream.commit({ 'latency.txt': '0.1', 'build.sh': BUILD }, 'Quick');
  const checkout = join(host.folder, 'checkout');
  runGitIn(host.folder, ['clone', '--quiet', upstream.path, checkout]);
  writeFileSync(join(checkout, 'notes.txt'), 'not tracked');
  host.commit({ 'policies.yaml': POLICIES, 'source.yaml': SOURCE }, 'Guard the latency');
  host.writeConfig(`    checkout: ${JSON.stringify(checkout)}`);
  await host.startDaemon();
});

afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await host.close();
});

async function untilEvent(what: string, is: (event: { type: string } & Record<string, unknown>) => boolean) {
  return await host.until(what, async () => {
    type Seen = { events: ({ type: string } & Record<string, unknown>)[] };
    const { events } = await (await host.client()).get<Seen>('events?limit=1000');
    return events.find(is);
  });
}

test('a bad revision is deployed, found slow, taken back and kept away; a fix is deployed', async () => {
  const checkout = join(host.folder, 'checkout');
  await untilEvent('the first revision proves good', ({ type }) => type === 'target.good');

  const bad = upstream.commit({ 'latency.txt': '0.9' }, 'Slow');
  await host.untilStatus('the incident', ({ incidents }) => incidents.length === 1);
  expect(latency).toBe('0.9');
  await host.untilStatus('it is resolved', ({ incidents }) => incidents.length === 0);
  expect([latency, published()]).toEqual(['0.1', '0.1']);
  await untilEvent('its checks were asked', ({ type }) => type === 'restore.checking');
  expect(readFileSync(join(checkout, 'notes.txt'), 'utf8')).toBe('not tracked');

  upstream.git('commit', '--quiet', '--amend', '--message', 'Slow, in other words');
  const amended = upstream.git('rev-parse', 'HEAD');
  await host.until('the amended commit is fetched', () => {
    const seen = runGitIn(checkout, ['rev-parse', 'refs/revertd/tracked']);
    return Promise.resolve(seen === amended ? true : undefined);
  });
  const { holds } = await host.status();
  expect(holds).toMatchObject([{ kind: 'quarantine', object: 'Target/code', value: bad }]);
  expect(latency).toBe('0.1');

  upstream.commit({ 'latency.txt': '0.2' }, 'Quick again');
  await untilEvent(
    'the fix proves good',
    (event) => event.type === 'target.good' && event['revision'] !== undefined && latency === '0.2',
  );
  expect(published()).toBe('0.2');
});
