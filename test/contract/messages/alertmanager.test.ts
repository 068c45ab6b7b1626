/** The notifier `alertmanager` against Debian's Alertmanager. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Incident, Phase } from '../../../src/core/model/incident.ts';
import type { Notifier } from '../../../src/core/model/notifier.ts';
import { aboutIncident } from '../../../src/core/notifications/about-incident.ts';
import { createAllowList } from '../../../src/drivers/allow-list.ts';
import type { Message } from '../../../src/drivers/notifiers/notifier-driver.ts';
import { createSend } from '../../../src/drivers/notifiers/registry.ts';
import { createSecretResolver } from '../../../src/drivers/secrets.ts';
import { unusedPort } from '../../support/loopback.ts';
import { findProgram, PeerProcess } from '../../support/peer-process.ts';
import { aPolicy, ORIGIN } from '../../support/policies.ts';

const program = findProgram('prometheus-alertmanager');
const folder = mkdtempSync(join(tmpdir(), 'revertd-alertmanager-'));
let peer: PeerProcess | undefined;
let url = '';

type Alert = {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly status: { readonly state: string };
};

async function alerts(): Promise<Alert[]> {
  return (await (await fetch(`${url}/api/v2/alerts`)).json()) as Alert[];
}

function anIncident(id: string, phase: Phase): Incident {
  const openedAt = Date.now() - 60_000;
  return {
    id,
    openedAt,
    revision: 'rev-1',
    policy: aPolicy(),
    openedBy: [
      { trigger: 'guard/latency', value: 0.9, labels: {}, threshold: '> 0.5', breachedSince: openedAt - 30_000 },
    ],
    joined: [],
    conflictSet: [],
    rungEnteredAt: null,
    held: false,
    pausedAt: null,
    phase,
  };
}

async function send(incident: Incident, topic: Message['topic']) {
  const type = { kind: 'alertmanager', url: `${url}/`, headers: {}, labels: { team: 'memory' } } as const;
  const notifier: Notifier = { name: 'am', origin: ORIGIN, suspend: false, on: ['opened'], timeoutMs: 10_000, type };
  const message: Message = {
    id: `${incident.id}/${topic}`,
    topic,
    severity: 'critical',
    title: `${incident.id} guard: ${topic}`,
    text: '',
    host: 'web-1',
    at: Date.now(),
    incident: incident.id,
    policy: 'guard',
    facts: {},
    about: aboutIncident(incident, Date.now()),
  };
  return await createSend({ allow: createAllowList({}) })(notifier, message, {
    signal: AbortSignal.timeout(10_000),
    secrets: createSecretResolver({}),
    now: Date.now,
  });
}

describe.skipIf(program === undefined)('an incident (needs the package prometheus-alertmanager)', () => {
  beforeAll(async () => {
    const config = join(folder, 'alertmanager.yml');
    writeFileSync(config, 'route: { receiver: none }\nreceivers: [ { name: none } ]\n');
    url = `http://127.0.0.1:${await unusedPort()}`;
    peer = new PeerProcess(program ?? '', [
      `--config.file=${config}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=${url.slice('http://'.length)}`,
      '--cluster.listen-address=',
    ]);
    await peer.ready(`${url}/-/ready`);
  });

  afterAll(async () => {
    await peer?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  test('is one alert with the labels of its routes, however often it is told of, and ends with it', async () => {
    const open = anIncident('INC-1', { kind: 'entering', rung: 0, since: 0, unsure: false });
    expect(await send(open, 'opened')).toMatchObject({ outcome: 'delivered' });
    await send(open, 'rung');
    const [alert, ...others] = await alerts();
    expect(others).toEqual([]);
    expect(alert).toMatchObject({
      labels: {
        alertname: 'RevertdIncident',
        severity: 'critical',
        host: 'web-1',
        policy: 'guard',
        incident: 'INC-1',
        team: 'memory',
      },
      annotations: {
        summary: 'INC-1 guard: rung',
        status: 'about to begin rung "flags"',
        command: 'revertd incidents show INC-1',
      },
      startsAt: new Date(open.openedAt).toISOString(),
      status: { state: 'active' },
    });
    // It lasts some minutes, and no longer, should nobody repeat it.
    const lastsMs = Date.parse(alert?.endsAt ?? '') - Date.now();
    expect(lastsMs).toBeGreaterThan(2 * 60_000);
    expect(lastsMs).toBeLessThanOrEqual(8 * 60_000);
    await send(
      { ...open, phase: { kind: 'closed', outcome: 'resolved', at: Date.now(), reason: 'verified' } },
      'resolved',
    );
    expect(await alerts()).toEqual([]);
  });

  test('that ended without a rung left stays an alert for a day', async () => {
    await send(
      anIncident('INC-2', { kind: 'closed', outcome: 'exhausted', at: Date.now(), reason: 'no rung is left' }),
      'exhausted',
    );
    const [alert] = await alerts();
    expect(alert?.labels['incident']).toBe('INC-2');
    expect(Date.parse(alert?.endsAt ?? '') - Date.now()).toBeGreaterThan(23 * 3_600_000);
  });
});
