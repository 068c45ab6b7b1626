import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Event } from '../../src/core/event.ts';
import { E2eHost, FLAG } from '../support/e2e-host.ts';
import { unusedPort } from '../support/loopback.ts';
import { findProgram, PeerProcess } from '../support/peer-process.ts';

const prometheus = findProgram('prometheus');
const FOR_MS = 2_000;

/** Nothing is sampled by revertd itself: triggers and verification ask the server. */
const policies = (url: string): string => `apiVersion: revertd.dev/v1
kind: MetricSource
metadata: { name: prom }
spec: { interval: 500ms, prometheus: { url: "${url}", timeout: 400ms } }
---
apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: latency }
spec:
  triggers:
    - { name: slow, query: 'app_latency_seconds{job="app"}', above: 0.5, for: ${FOR_MS / 1_000}s, source: prom }
  ladder:
    - rung: flags
      do: [ { setFlag: { flag: fast-path, to: safe } } ]
      verify:
        settle: 300ms
        within: 30s
        checks: [ { query: { expr: 'app_latency_seconds{job="app"}', below: 0.5, source: prom } } ]
  cooldown: 10m
`;

describe.skipIf(prometheus === undefined)('policies over a Prometheus (needs the package prometheus)', () => {
  const host = new E2eHost();
  let url = '';
  let server: PeerProcess;

  async function startPrometheus(): Promise<void> {
    const config = join(host.folder, 'prometheus.yml');
    const target = new URL(host.appUrl).host;
    writeFileSync(
      config,
      `global: { scrape_interval: 500ms, scrape_timeout: 500ms }
scrape_configs: [ { job_name: app, static_configs: [ { targets: [ "${target}" ] } ] } ]
`,
    );
    server = new PeerProcess(prometheus ?? '', [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(host.folder, 'tsdb')}`,
      `--web.listen-address=${new URL(url).host}`,
    ]);
    await server.ready(`${url}/-/ready`);
  }

  beforeAll(async () => {
    await host.startApp();
    url = `http://127.0.0.1:${await unusedPort()}`;
    await startPrometheus();
    host.commit({ 'flags.yaml': FLAG(), 'policies.yaml': policies(url) });
    host.writeConfig();
    await host.startDaemon();
  });

  afterAll(async () => {
    await server.stop();
    await host.close();
  });

  async function events<T extends Event['type']>(type: T): Promise<Extract<Event, { type: T }>[]> {
    const { events: all } = await (await host.client()).get<{ events: Event[] }>('events?limit=1000');
    return all.filter((event): event is Extract<Event, { type: T }> => event.type === type);
  }

  const state = async (): Promise<string | undefined> => (await host.status()).triggers[0]?.state;

  test('watch what it scrapes', async () => {
    await host.untilStatus('the trigger is healthy', ({ triggers }) => triggers[0]?.state === 'inactive');
    expect((await host.status()).sources).toMatchObject([{ source: 'prom', state: 'up' }]);
  });

  test('do nothing while it is gone, whatever happens to the service meanwhile', async () => {
    await server.stop();
    await host.untilStatus('the trigger is unknown', ({ triggers }) => triggers[0]?.state === 'unknown');
    await host.tellApp('degrade');
    const [{ lastAt: from = 0 } = {}] = (await host.status()).sources;
    await host.untilStatus('it was asked in vain for much longer than `for`', ({ sources: [source] }) => {
      return source?.state === 'down' && (source.lastAt ?? 0) - from >= 2 * FOR_MS;
    });
    expect(await state()).toBe('unknown');
    expect(await events('incident.opened')).toEqual([]);
    expect(await events('operation.planned')).toEqual([]);
    expect(await host.appState()).toMatchObject({ fast: true, reloads: 0 });
  });

  test('go on when it is back, and are verified by it', async () => {
    await startPrometheus();
    await host.until('the incident is closed', async () =>
      (await events('incident.closed')).length > 0 ? true : undefined,
    );
    expect(await events('incident.closed')).toMatchObject([{ outcome: 'resolved' }]);
    expect(host.env()).toBe('# flags of the app\nFAST_PATH=false\nOTHER=kept # not a comment\n');
    expect(await host.appState()).toMatchObject({ fast: false, reloads: 1 });
    expect(await state()).toBe('inactive');
  });
});
