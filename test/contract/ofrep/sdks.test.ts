import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { OpenFeature as Server } from '@openfeature/server-sdk';
import { type Provider, ProviderEvents, OpenFeature as Web } from '@openfeature/web-sdk';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { EMPTY_MEMORY } from '../../../src/core/memory.ts';
import type { Desired } from '../../../src/core/model/desired.ts';
import { createLog } from '../../../src/daemon/log.ts';
import { createServer } from '../../../src/drivers/node-http.ts';
import { authenticateBy } from '../../../src/server/access.ts';
import { closed } from '../../../src/server/listen.ts';
import { EventStream } from '../../../src/server/ofrep/event-stream.ts';
import { createOfrepHandler } from '../../../src/server/ofrep/handler.ts';
import { OfrepMetrics } from '../../../src/server/ofrep/ofrep-metrics.ts';
import { servedBy } from '../../../src/server/ofrep/served-flags.ts';
import { SimpleEventSource } from '../../support/event-source.ts';
import { aFlag } from '../../support/policies.ts';

const TOKEN = 'application-token';
let desired = desiredOf('on', 'r1');
const flags = servedBy({ desired: () => desired, memory: () => EMPTY_MEMORY });
const events = new EventStream(flags()?.tag, 0);
const statuses: number[] = [];

function desiredOf(defaultVariant: string, revision: string): Desired {
  const share = {
    fractional: [
      ['on', 50],
      ['off', 50],
    ],
  };
  const all = [
    aFlag({ defaultVariant }),
    aFlag({ name: 'share', targeting: share }),
    aFlag({ name: 'text', variants: { a: 'A', b: 'B' }, defaultVariant: 'a', targeting: { if: [{ var: 'b' }, 'b'] } }),
    aFlag({ name: 'number', variants: { few: 0, many: 10.5 }, defaultVariant: 'many' }),
    aFlag({ name: 'object', variants: { one: { limits: [1, 2] } }, defaultVariant: 'one' }),
    aFlag({ name: 'disabled', state: 'DISABLED' }),
    aFlag({ name: 'broken', targeting: { nonsense: 1 } }),
  ];
  const byName = Object.fromEntries(all.map((flag) => [flag.name, flag]));
  return { revision, flags: byName, adopt: 'git', metricSources: {}, targets: {}, policies: {}, notifiers: {} };
}

const handle = createOfrepHandler({
  flags,
  now: () => 0,
  authenticate: authenticateBy([{ name: 'app', role: 'application', token: TOKEN }], false),
  rateLimit: null,
  origins: ['*'],
  metrics: new OfrepMetrics(),
  events,
  log: createLog('error', {}),
});
const server = createServer((request, response) => {
  response.on('finish', () => statuses.push(response.statusCode));
  handle(request, response);
});
let baseUrl = '';

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

beforeEach(() => {
  desired = desiredOf('on', 'r1');
  statuses.length = 0;
});

afterAll(async () => {
  await Server.close();
  await Web.close();
  events.close();
  await closed(server);
});

describe("OpenFeature's SDK for servers", () => {
  test('gets values of every type, reasons, errors and metadata', async () => {
    await Server.setProviderAndWait(new OFREPProvider({ baseUrl, headers: [['Authorization', `Bearer ${TOKEN}`]] }));
    const client = Server.getClient();
    const who = { targetingKey: 'ann' };
    expect(await client.getBooleanDetails('fast-path', false, who)).toMatchObject({
      value: true,
      variant: 'on',
      reason: 'STATIC',
      flagMetadata: { 'revertd.revision': 'r1', 'revertd.reason': 'git' },
    });
    expect(await client.getStringDetails('text', '', { ...who, b: true })).toMatchObject({
      value: 'B',
      reason: 'TARGETING_MATCH',
    });
    expect(await client.getStringDetails('text', '', who)).toMatchObject({ value: 'A', reason: 'DEFAULT' });
    expect(await client.getNumberValue('number', 0, who)).toBe(10.5);
    expect(await client.getObjectValue('object', {}, who)).toEqual({ limits: [1, 2] });
    expect(await client.getBooleanDetails('absent', true, who)).toMatchObject({
      value: true,
      errorCode: 'FLAG_NOT_FOUND',
    });
    expect(await client.getBooleanDetails('broken', true, who)).toMatchObject({
      value: true,
      errorCode: 'PARSE_ERROR',
    });
    expect(await client.getBooleanDetails('share', true)).toMatchObject({ errorCode: 'TARGETING_KEY_MISSING' });
    expect(await client.getStringDetails('fast-path', 'x', who)).toMatchObject({
      value: 'x',
      errorCode: 'TYPE_MISMATCH',
    });
    expect(await client.getBooleanValue('disabled', true, who)).toBe(true);
  });

  test('has the same users in the same bucket as anybody else', async () => {
    const client = Server.getClient();
    const half = async (): Promise<boolean[]> =>
      await Promise.all(
        Array.from({ length: 40 }, (_, user) => client.getBooleanValue('share', false, { targetingKey: `${user}` })),
      );
    const first = await half();
    expect(new Set(first)).toEqual(new Set([true, false]));
    desired = desiredOf('off', 'r2');
    expect(await half()).toEqual(first);
  });

  test('falls back to the defaults of the application with a wrong token', async () => {
    await Server.setProviderAndWait('wrong', new OFREPProvider({ baseUrl, headers: [['X-API-Key', 'wrong']] }));
    expect(await Server.getClient('wrong').getBooleanDetails('fast-path', false)).toMatchObject({
      value: false,
      reason: 'ERROR',
    });
  });
});

describe("OpenFeature's SDK for pages", () => {
  test('asks for all flags at once, and again when the stream says so', async () => {
    vi.stubGlobal('EventSource', SimpleEventSource);
    const headers: [string, string][] = [['X-API-Key', TOKEN]];
    const provider = new OFREPWebProvider({ baseUrl, headers, cacheMode: 'disabled', disableVisibilityRefresh: true });
    // The provider's own types are not made for `exactOptionalPropertyTypes`.
    await Web.setProviderAndWait(provider as Provider, { targetingKey: 'ann' });
    const client = Web.getClient();
    expect(client.getBooleanDetails('fast-path', false)).toMatchObject({
      value: true,
      variant: 'on',
      reason: 'STATIC',
    });
    expect(client.getObjectValue('object', {})).toEqual({ limits: [1, 2] });
    expect(client.getBooleanDetails('broken', true)).toMatchObject({ value: true, errorCode: 'PARSE_ERROR' });
    expect(client.getBooleanValue('disabled', true)).toBe(true);

    await vi.waitFor(() => expect(events.size).toBe(1));
    const changed = Promise.withResolvers<unknown>();
    client.addHandler(ProviderEvents.ConfigurationChanged, (details) => changed.resolve(details?.flagsChanged));
    desired = desiredOf('off', 'r2');
    events.publish(flags()?.tag ?? '', 0);
    expect(await changed.promise).toContain('fast-path');
    expect(client.getBooleanValue('fast-path', true)).toBe(false);
    expect(statuses).toContain(200);
  });

  test('asks anew for another user', async () => {
    const client = Web.getClient();
    const seen = new Set<boolean>();
    for (let user = 0; user < 20; user += 1) {
      await Web.setContext({ targetingKey: `${user}` });
      seen.add(client.getBooleanValue('share', false));
    }
    expect(seen).toEqual(new Set([true, false]));
  });
});
