import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startMailServer } from '../../../test/support/mail-server.ts';
import { startServer } from '../../../test/support/recording-server.ts';
import type { Notifier } from '../../core/model/notifier.ts';
import { type AllowRules, createAllowList } from '../allow-list.ts';
import { createSecretResolver } from '../secrets.ts';
import type { Message, NotifierKind } from './notifier-driver.ts';
import { createSend, NOTIFIER_DRIVERS } from './registry.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const message: Message = {
  id: 'n-1',
  topic: 'asking',
  severity: 'critical',
  title: 'inc-1: p95 “latency” is high',
  text: 'Line one\nline two',
  host: 'web-1',
  at: NOW,
  incident: 'inc-1',
  facts: { value: '0.7' },
};
const never = new AbortController().signal;
const folder = await mkdtemp(join(tmpdir(), 'revertd-notifier-'));
const server = await startServer(({ url }, response) => {
  if (url?.startsWith('/hang') === true) return;
  response.statusCode = Number(/\d+/.exec(url ?? '')?.[0] ?? 200);
  response.end('token is hunter22');
});
const mail = await startMailServer();
const fullMail = await startMailServer({ refuse: () => ({ code: 452, words: 'no space for hunter22' }) });
/** Accepts connections and never says a word. */
const mute = createServer(() => undefined).listen(0, '127.0.0.1');
await once(mute, 'listening');
const muteAddress = mute.address();
afterAll(async () => {
  mute.close();
  await Promise.all([mail[Symbol.asyncDispose](), fullMail[Symbol.asyncDispose]()]);
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const secrets = createSecretResolver({
  KEY: 'hunter22',
  URL: `${server.url}/200`,
  GONE: 'http://127.0.0.1:1/T0/hunter22',
});
const send = (type: Notifier['type'], rules: AllowRules = {}, timeoutMs = 10_000, signal = never) =>
  createSend({ allow: createAllowList(rules) })(
    { name: 'n', origin: { file: 't.yaml', line: 1, column: 1 }, suspend: false, on: ['opened'], timeoutMs, type },
    message,
    { signal, secrets, now: () => NOW },
  );
const webhook = (
  path: string,
  rest: Partial<Extract<Notifier['type'], { kind: 'webhook' }>> = {},
): Notifier['type'] => ({
  kind: 'webhook',
  url: server.url + path,
  headers: {},
  ...rest,
});
const command = (script: string): Notifier['type'] => ({
  kind: 'command',
  argv: ['/bin/sh', '-c', script, 'x', folder],
});

const slack = (path: string): Notifier['type'] => ({ kind: 'slack', url: server.url + path });
const alertmanager = (path: string): Notifier['type'] => ({
  kind: 'alertmanager',
  url: server.url + path,
  headers: {},
  labels: { team: 'memory' },
});
const email = (port: number): Notifier['type'] => ({
  kind: 'email',
  to: ['ann@example.com', 'Bob <bob@example.com>'],
  from: 'revertd <revertd@example.com>',
  server: { host: '127.0.0.1', port, security: 'none' },
});

/** For each type: one that delivers, one that is refused, one that hangs, and what forbids it. */
const SAMPLES = {
  webhook: {
    delivers: webhook('/200'),
    refused: webhook('/503'),
    hangs: webhook('/hang'),
    forbid: { hosts: [] },
    arrived: () => Promise.resolve(server.received.at(-1)?.body),
  },
  slack: {
    delivers: slack('/200'),
    refused: slack('/503'),
    hangs: slack('/hang'),
    forbid: { hosts: [] },
    arrived: () => Promise.resolve(server.received.at(-1)?.body),
  },
  alertmanager: {
    delivers: alertmanager('/200'),
    refused: alertmanager('/503'),
    hangs: alertmanager('/hang'),
    forbid: { hosts: [] },
    arrived: () => Promise.resolve(server.received.at(-1)?.body),
  },
  email: {
    delivers: email(mail.port),
    refused: email(fullMail.port),
    hangs: email(typeof muteAddress === 'object' && muteAddress !== null ? muteAddress.port : 0),
    forbid: { hosts: [] },
    arrived: () => Promise.resolve(mail.received.at(-1)?.text),
  },
  command: {
    delivers: command('cat > $1/got'),
    refused: command('cat > /dev/null; echo hunter22; exit 1'),
    hangs: command('sleep 1000'),
    forbid: { commands: [] },
    arrived: () => readFile(join(folder, 'got'), 'utf8'),
  },
} satisfies Record<NotifierKind, unknown>;

it('has a folder with a README for each driver and a driver for each folder', () => {
  const folders = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).sort()).toStrictEqual(Object.keys(NOTIFIER_DRIVERS).sort());
  for (const { name } of folders) expect(existsSync(join(import.meta.dirname, name, 'README.md'))).toBe(true);
});

describe.each(Object.keys(SAMPLES) as NotifierKind[])('%s', (kind) => {
  const sample = SAMPLES[kind];

  it('delivers the message, whatever characters are in it', async () => {
    expect(await send(sample.delivers)).toMatchObject({ outcome: 'delivered' });
    const arrived = (await sample.arrived()) ?? '';
    for (const part of [message.title, 'Line one', 'web-1', 'inc-1']) expect(arrived).toContain(part);
  });

  it('tells that it may be tried again, without secrets', async () => {
    await secrets.resolve({ env: 'KEY' });
    const delivery = await send(sample.refused);
    expect(delivery).toMatchObject({ outcome: 'failed', retry: true, detail: expect.stringContaining('[redacted]') });
    expect(delivery.detail).not.toContain('hunter22');
  });

  it('gives up at its deadline, and when it is stopped', async () => {
    expect(await send(sample.hangs, {}, 100)).toMatchObject({ outcome: 'failed', retry: true });
    expect(await send(sample.delivers, {}, 10_000, AbortSignal.abort())).toMatchObject({
      outcome: 'failed',
      retry: true,
    });
  });

  it('sends nothing that this host does not allow', async () => {
    expect(await send(sample.delivers, sample.forbid)).toMatchObject({
      outcome: 'failed',
      retry: false,
      detail: expect.stringContaining('not among'),
    });
  });
});

describe.each(['webhook', 'command'] as const)('%s', (kind) => {
  it('delivers the whole message as JSON', async () => {
    await send(SAMPLES[kind].delivers);
    expect(JSON.parse((await SAMPLES[kind].arrived()) ?? '')).toStrictEqual(message);
  });
});

describe('webhook', () => {
  it('signs the time and the body', async () => {
    await send(webhook('/200', { secret: { env: 'KEY' }, headers: { 'X-Team': 'payments' } }));
    const last = server.received.at(-1);
    const signature = createHmac('sha256', 'hunter22').update(`1767323045.${last?.body}`).digest('hex');
    expect(last?.headers).toMatchObject({
      'content-type': 'application/json',
      'x-revertd-id': 'n-1',
      'x-revertd-timestamp': '1767323045',
      'x-revertd-signature': `sha256=${signature}`,
      'x-team': 'payments',
    });
  });

  it('does not sign without a secret', async () => {
    await send(webhook('/200'));
    expect(server.received.at(-1)?.headers['x-revertd-signature']).toBeUndefined();
  });

  it.each([
    [200, 'delivered', undefined],
    [204, 'delivered', undefined],
    [302, 'failed', false],
    [404, 'failed', false],
    [408, 'failed', true],
    [429, 'failed', true],
    [500, 'failed', true],
  ])('an answer of %d: %s', async (status, outcome, retry) => {
    expect(await send(webhook(`/${status}`))).toMatchObject({ outcome, ...(retry === undefined ? {} : { retry }) });
  });

  it('takes its URL from a secret, and never tells it', async () => {
    expect(await send(webhook('', { url: { env: 'URL' } }))).toMatchObject({ outcome: 'delivered' });
    const gone = await send(webhook('', { url: { env: 'GONE' } }));
    expect(gone).toMatchObject({ outcome: 'failed', retry: true });
    expect(gone.detail).not.toMatch(/T0|hunter22/);
    expect(await send(webhook('', { url: { env: 'ABSENT' } }))).toMatchObject({
      detail: expect.stringContaining('ABSENT'),
    });
  });
});

it('does not try a missing command again', async () => {
  expect(await send({ kind: 'command', argv: ['/no/such/program'] })).toMatchObject({
    outcome: 'failed',
    retry: false,
  });
});
