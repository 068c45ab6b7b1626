import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { unusedPort } from '../../../../test/support/loopback.ts';
import { startMailServer } from '../../../../test/support/mail-server.ts';
import type { EmailType } from '../../../core/model/notifier.ts';
import { createAllowList } from '../../allow-list.ts';
import { createSecretResolver } from '../../secrets.ts';
import type { Message } from '../notifier-driver.ts';
import { emailNotifier } from './index.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../../../test/fixtures/tls/${name}`, import.meta.url));
const tls = { cert: readFileSync(fixture('server.pem')), key: readFileSync(fixture('server-key.pem')) };
const onAuth: NonNullable<Parameters<typeof startMailServer>[0]>['onAuth'] = (
  { username, password },
  _session,
  done,
) =>
  username === 'revertd' && password === 'hunter22' ? done(null, { user: username }) : done(new Error('no such user'));

const [plain, starttls, implicit, locked, never] = await Promise.all([
  startMailServer({ hideSTARTTLS: true }),
  startMailServer({ ...tls, onAuth }),
  startMailServer({ ...tls, secure: true, onAuth }),
  startMailServer({ ...tls, authOptional: false, onAuth }),
  startMailServer({ hideSTARTTLS: true, refuse: () => ({ code: 554, words: 'not from here' }) }),
]);
afterAll(() => Promise.all([plain, starttls, implicit, locked, never].map((one) => one[Symbol.asyncDispose]())));

const secrets = createSecretResolver({ PASSWORD: 'hunter22', WRONG: 'letmein' });
const driver = emailNotifier({ allow: createAllowList({}) });
const TRUST = { tls: { caFile: fixture('authority.pem'), serverName: 'metrics.test' } };
const AUTH = { username: 'revertd', password: { env: 'PASSWORD' } };

const MESSAGE: Message = {
  id: 'INC-1/asking',
  topic: 'asking',
  severity: 'critical',
  title: 'INC-1 größer: a person is asked',
  text: 'see <b>this</b> & “that”',
  host: 'web-1',
  at: Date.UTC(2026, 0, 2, 3, 4, 5),
  incident: 'INC-1',
  facts: {},
};

function send(server: EmailType['server'], change: Partial<EmailType> = {}, message = MESSAGE) {
  const type: EmailType = {
    kind: 'email',
    to: ['ann@example.com', 'Bob <bob@example.com>'],
    from: 'revertd <revertd@example.com>',
    server,
    ...change,
  };
  const origin = { file: 't.yaml', line: 1, column: 1 };
  return driver.send({ name: 'n', origin, suspend: false, on: ['asking'], timeoutMs: 5_000, type }, message, {
    signal: new AbortController().signal,
    secrets,
    now: Date.now,
  });
}

const at = (port: number, security: EmailType['server']['security'], rest: Partial<EmailType['server']> = {}) => ({
  host: '127.0.0.1',
  port,
  security,
  ...rest,
});

describe('a mail', () => {
  test('is plain and HTML, escaped, to everybody, with an id that stays', async () => {
    expect(await send(at(plain.port, 'none'))).toMatchObject({ outcome: 'delivered' });
    await send(at(plain.port, 'none'));
    const [first, second] = plain.received.slice(-2);
    expect(first).toMatchObject({
      from: 'revertd@example.com',
      to: ['ann@example.com', 'bob@example.com'],
      secure: false,
    });
    expect(first?.text).toContain('see <b>this</b> & “that”');
    expect(first?.text).toContain('see &lt;b&gt;this&lt;/b&gt; &amp; “that”');
    expect(first?.text).toMatch(/Subject: =\?UTF-8\?[QB]\?/);
    expect(first?.text).toMatch(/Auto-Submitted: auto-generated/);
    const idOf = (text = '') => /^Message-ID: (<\S+@web-1\.revertd>)/im.exec(text)?.[1];
    expect(idOf(first?.text)).toBeDefined();
    expect(idOf(second?.text)).toBe(idOf(first?.text));
  });

  test('carries the report of an incident as a file', async () => {
    const report = { markdown: '# INC-1', html: '<h1>INC-1 größer</h1>' };
    await send(at(plain.port, 'none'), {}, { ...MESSAGE, topic: 'report', report });
    const { text = '' } = plain.received.at(-1) ?? {};
    expect(text).toMatch(/filename="?INC-1\.html/);
    expect(text).toContain('<h1>INC-1 größer</h1>');
  });

  test('adds no header by what is in its title', async () => {
    const title = 'x\r\nBcc: eve@example.com\r\n\r\nbody';
    await send(at(plain.port, 'none'), {}, { ...MESSAGE, title });
    const { raw = '', to } = plain.received.at(-1) ?? {};
    const [head = ''] = raw.split('\r\n\r\n');
    expect(head).not.toMatch(/^Bcc:/im);
    expect(head).toMatch(/^Subject: x\r?$/m);
    expect(to).toEqual(['ann@example.com', 'bob@example.com']);
  });
});

describe('a connection', () => {
  test('is secured by STARTTLS before the login', async () => {
    expect(await send(at(starttls.port, 'starttls', TRUST), { auth: AUTH })).toMatchObject({
      outcome: 'delivered',
    });
    expect(starttls.received.at(-1)).toMatchObject({ secure: true, user: 'revertd' });
  });

  test('is secured from the first byte', async () => {
    const delivery = await send(at(implicit.port, 'implicit', TRUST), { auth: AUTH });
    expect(delivery).toMatchObject({ outcome: 'delivered' });
    expect(implicit.received.at(-1)).toMatchObject({ secure: true, user: 'revertd' });
  });

  test.each([
    ['offers no STARTTLS', () => at(plain.port, 'starttls')],
    [
      'shows a certificate that nobody trusts',
      () => at(starttls.port, 'starttls', { tls: { serverName: 'metrics.test' } }),
    ],
    [
      'shows one of another name',
      () => at(implicit.port, 'implicit', { tls: { ...TRUST.tls, serverName: 'mail.test' } }),
    ],
    [
      'has its authority in a file that is not there',
      () => at(implicit.port, 'implicit', { tls: { caFile: '/no/such.pem' } }),
    ],
  ])('to a server that %s brings no mail, and is tried again', async (_title, server) => {
    const before = plain.received.length + starttls.received.length + implicit.received.length;
    expect(await send(server(), { auth: AUTH })).toMatchObject({ outcome: 'failed', retry: true });
    expect(plain.received.length + starttls.received.length + implicit.received.length).toBe(before);
  });

  test('with a wrong password is tried again, and the password told to nobody', async () => {
    const auth = { username: 'revertd', password: { env: 'WRONG' } };
    const delivery = await send(at(locked.port, 'starttls', TRUST), { auth });
    expect(delivery).toMatchObject({ outcome: 'failed', retry: true, detail: expect.stringContaining('EAUTH') });
    expect(delivery.detail).not.toContain('letmein');
  });

  test('to nobody is tried again', async () => {
    expect(await send(at(await unusedPort(), 'none'))).toMatchObject({ outcome: 'failed', retry: true });
  });

  test('needs its secret', async () => {
    const auth = { username: 'revertd', password: { env: 'ABSENT' } };
    expect(await send(at(plain.port, 'none'), { auth })).toMatchObject({
      retry: true,
      detail: expect.stringContaining('ABSENT'),
    });
  });
});

test('what a server refuses for good is not sent again', async () => {
  expect(await send(at(never.port, 'none'))).toMatchObject({
    outcome: 'failed',
    retry: false,
    detail: expect.stringContaining('not from here'),
  });
});
