import { renameSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { E2eHost, FLAG, SOURCE } from '../support/e2e-host.ts';

const CHECKOUT = `apiVersion: revertd.dev/v1
kind: Flag
metadata: { name: checkout }
spec:
  variants: { "on": true, "off": false }
  defaultVariant: "off"
  safeVariant: "off"
  targeting: { if: [{ $ref: staff }, "on", { fractional: [["on", 50], ["off", 50]] }] }
  evaluators: { staff: { ends_with: [{ var: email }, "@example.com"] } }
---
apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: by-hand }
spec:
  ladder:
    - rung: flags
      do: [ { setFlag: { flag: checkout, to: safe } } ]
      verify: { settle: 100ms, within: 20s, checks: [ { http: { url: "\${host.app}/state" } } ] }
  release: { flags: manual }
`;

const SHOP = '{ name: shop, role: application, token: { env: SHOP_TOKEN } }';
const ANN = '{ name: ann, role: operator, token: { env: ANN_TOKEN } }';
const ENVIRONMENT = { SHOP_TOKEN: 'of-the-shop', ANN_TOKEN: 'of-ann' };

const host = new E2eHost();

beforeAll(async () => {
  await host.startApp();
  host.commit({ 'flags.yaml': FLAG(), 'source.yaml': SOURCE, 'checkout.yaml': CHECKOUT });
  host.writeConfig('', `, tokens: [${SHOP}, ${ANN}], cors: ["https://shop.example"]`);
  await host.startDaemon(ENVIRONMENT);
  await host.untilStatus('the policies are in force', ({ revision }) => revision !== null);
});

afterAll(async () => {
  await host.close();
});

async function http(method: string, path: string, body?: unknown, token?: string) {
  const answer = await fetch(`http://127.0.0.1:${host.port}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text };
}

async function evaluate(flag: string, context: object = {}) {
  const { text } = await http('POST', `/ofrep/v1/evaluate/flags/${flag}`, { context }, ENVIRONMENT.SHOP_TOKEN);
  return JSON.parse(text);
}

async function users(): Promise<boolean[]> {
  const all = Array.from(
    { length: 30 },
    async (_, user) => (await evaluate('checkout', { targetingKey: `${user}` })).value,
  );
  return await Promise.all(all);
}

/** The event stream: what comes next on it that is an event with data. */
async function changes(): Promise<Disposable & { readonly next: () => Promise<string> }> {
  const ending = new AbortController();
  const headers = { 'x-api-key': ENVIRONMENT.SHOP_TOKEN };
  const answer = await fetch(`http://127.0.0.1:${host.port}/ofrep/v1/events`, { headers, signal: ending.signal });
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  const next = async (): Promise<string> => {
    for (let text = ''; ; ) {
      const piece = await reader?.read();
      if (piece === undefined || piece.done) throw new Error('the stream ended');
      text += piece.value;
      if (text.includes('data: ')) return text;
    }
  };
  return { next, [Symbol.dispose]: () => ending.abort() };
}

describe('a daemon serves flags', () => {
  test('from git, with targeting and what it is about', async () => {
    const { revision } = await host.status();
    expect(await evaluate('checkout', { email: 'ann@example.com' })).toEqual({
      key: 'checkout',
      value: true,
      reason: 'TARGETING_MATCH',
      variant: 'on',
      metadata: { 'revertd.revision': revision, 'revertd.reason': 'git' },
    });
    expect(new Set(await users())).toEqual(new Set([true, false]));
    expect(await evaluate('fast-path')).toMatchObject({ value: true, reason: 'STATIC' });
  });

  test('sets them for operators only, wholly or not at all', async () => {
    const set = async (body: unknown, token?: string, query = '') =>
      await http('POST', `/admin/feature-flags${query}`, body, token);
    expect((await set({ FAST_PATH: false })).status).toBe(401);
    expect((await set({ FAST_PATH: false }, ENVIRONMENT.SHOP_TOKEN)).status).toBe(403);
    const share = await set({ FAST_PATH: false, checkout: 0.01 }, ENVIRONMENT.ANN_TOKEN);
    expect(share).toMatchObject({
      status: 400,
      text: expect.stringContaining('shares of users are not supported yet'),
    });
    const unknown = await set({ FAST_PATHS: false }, ENVIRONMENT.ANN_TOKEN);
    expect(unknown).toMatchObject({ status: 404, text: expect.stringContaining('did you mean') });
    expect(await evaluate('fast-path')).toMatchObject({ value: true });

    using told = await changes();
    const done = await set({ FAST_PATH: false }, ENVIRONMENT.ANN_TOKEN, '?reason=too%20slow&ttl=2h');
    expect(done).toMatchObject({ status: 200 });
    expect(JSON.parse(done.text)).toMatchObject({ flags: { 'fast-path': false } });
    expect(await evaluate('fast-path')).toMatchObject({
      value: false,
      metadata: { 'revertd.hold': 'override:fast-path', 'revertd.reason': expect.stringContaining('too slow') },
    });
    expect(await told.next()).toContain('"type":"refetchEvaluation"');
    await host.until('the place shows it', async () => (host.env().includes('FAST_PATH=false') ? true : undefined));
    const { holds } = await host.status();
    expect(holds).toMatchObject([{ id: 'override:fast-path', cause: expect.stringContaining('token ann') }]);
    const read = await http('GET', '/admin/feature-flags');
    expect(JSON.parse(read.text)).toMatchObject({ flags: { 'fast-path': false, checkout: false } });
  });

  test('as a rollback holds them, which only force releases', async () => {
    await host.runCommand('--config', host.config, 'rollback', 'by-hand', '--reason', 'complaints');
    await host.until('it is held', async () =>
      (await evaluate('checkout', { email: 'ann@example.com' })).value ? undefined : true,
    );
    expect(new Set(await users())).toEqual(new Set([false]));
    const on = { checkout: true };
    const refused = await http('POST', '/admin/feature-flags', on, ENVIRONMENT.ANN_TOKEN);
    expect(refused).toMatchObject({ status: 409, text: expect.stringContaining('force=true') });
    await host.untilStatus('the incident is over', ({ incidents }) => incidents.length === 0);
    const forced = await http('POST', '/admin/feature-flags?force=true', on, ENVIRONMENT.ANN_TOKEN);
    expect(forced.status).toBe(200);
    expect(new Set(await users())).toEqual(new Set([true]));
    await host.runCommand('--config', host.config, 'holds', 'lift', 'override:checkout');
  });

  test('to the same users after a restart, and while git is gone', async () => {
    const before = await users();
    await host.stopDaemon();
    await host.startDaemon(ENVIRONMENT);
    await host.untilStatus('the policies are in force', ({ revision }) => revision !== null);
    expect(await users()).toEqual(before);
    renameSync(host.repository, `${host.repository}.gone`);
    try {
      await host.untilStatus('git is missed', ({ policies }) => policies?.trouble?.kind === 'unreachable');
      expect(await users()).toEqual(before);
      expect(await evaluate('fast-path')).toMatchObject({ value: false });
    } finally {
      renameSync(`${host.repository}.gone`, host.repository);
    }
  });

  test('and counts what it answers', async () => {
    await evaluate('absent');
    const { text } = await http('GET', '/metrics');
    expect(text).toMatch(/revertd_flag_evaluations_total\{reason="TARGETING_MATCH"\} \d+/);
    expect(text).toMatch(/revertd_ofrep_requests_total\{status="404"\} \d+/);
  });

  test('a token is good for its role alone', async () => {
    expect((await http('GET', '/api/v1/status', undefined, ENVIRONMENT.SHOP_TOKEN)).status).toBe(403);
    expect((await http('GET', '/api/v1/status', undefined, ENVIRONMENT.ANN_TOKEN)).status).toBe(200);
    expect((await http('GET', '/api/v1/status', undefined, 'wrong')).status).toBe(401);
    expect((await http('POST', '/api/v1/halt', { reason: 'x' }, ENVIRONMENT.ANN_TOKEN)).status).toBe(403);
  });
});
