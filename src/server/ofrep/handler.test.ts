import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aFlag } from '../../../test/support/policies.ts';
import { EMPTY_MEMORY, type Memory } from '../../core/memory.ts';
import type { Desired } from '../../core/model/desired.ts';
import type { Flag } from '../../core/model/flag.ts';
import { createLog } from '../../daemon/log.ts';
import { createServer } from '../../drivers/node-http.ts';
import { type AccessToken, authenticateBy } from '../access.ts';
import { closed } from '../listen.ts';
import { rateLimitBy } from '../rate-limit.ts';
import { EventStream } from './event-stream.ts';
import { createOfrepHandler, type OfrepOptions } from './handler.ts';
import { OfrepMetrics } from './ofrep-metrics.ts';
import { servedBy } from './served-flags.ts';

const NOW = 1_700_000_000_000;
const FLAGS: readonly Flag[] = [
  aFlag({ metadata: { owner: 'search' } }),
  aFlag({
    name: 'share',
    defaultVariant: 'off',
    targeting: {
      fractional: [
        ['on', 100],
        ['off', 0],
      ],
    },
  }),
  aFlag({ name: 'staff', defaultVariant: 'off', targeting: { if: [{ var: 'staff' }, 'on', null] } }),
  aFlag({ name: 'clock', targeting: { if: [{ '<': [{ var: '$flagd.timestamp' }, NOW / 1000 + 1] }, 'on', 'off'] } }),
  aFlag({ name: 'disabled', state: 'DISABLED' }),
  aFlag({ name: 'nowhere', targeting: { var: 'variant' } }),
  aFlag({ name: 'loops', targeting: { $ref: 'loops' }, evaluators: { loops: { '!': [{ $ref: 'loops' }] } } }),
  aFlag({ name: 'a b/ü' }),
];

function desiredOf(flags: readonly Flag[], revision = 'r1'): Desired {
  const byName = Object.fromEntries(flags.map((flag) => [flag.name, flag]));
  return { revision, flags: byName, adopt: 'git', metricSources: {}, targets: {}, policies: {}, notifiers: {} };
}

function latched(flag: string): Memory['holds'] {
  const lift = { kind: 'manual' } as const;
  const origin = { file: 'p.yaml', line: 1, column: 1 };
  const hold = {
    kind: 'latch',
    object: `Flag/${flag}`,
    since: 1,
    cause: 'p95 was high',
    flag,
    variant: 'off',
    incident: 'INC-1',
    origin,
    lift,
  } as const;
  return { 'latch:x': { id: 'latch:x', ...hold } };
}

/** What the server goes by; a test may change it. */
const world: { desired: Desired | null; memory: Memory; now: number } = {
  desired: null,
  memory: EMPTY_MEMORY,
  now: NOW,
};
let open: { readonly base: string; readonly events: EventStream; readonly close: () => Promise<void> };

async function serve(
  change: Partial<OfrepOptions> & { readonly tokens?: readonly AccessToken[]; readonly isOpen?: boolean } = {},
) {
  const flags = servedBy({ desired: () => world.desired, memory: () => world.memory });
  const events = new EventStream(flags()?.tag, NOW);
  const handle = createOfrepHandler({
    flags,
    now: () => world.now,
    authenticate: authenticateBy(change.tokens ?? [], change.isOpen ?? true),
    rateLimit: null,
    origins: [],
    metrics: new OfrepMetrics(),
    log: createLog('error', {}),
    ...change,
    events,
  });
  const server = createServer((request, response) => {
    if (!handle(request, response)) response.writeHead(418).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    events.close();
    await closed(server);
  };
  return {
    base: `http://127.0.0.1:${port}`,
    events,
    close,
    publish: () => events.publish(flags()?.tag ?? '', world.now),
  };
}

async function ask(path: string, body: unknown = {}, headers: Readonly<Record<string, string>> = {}, base = open.base) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await fetch(`${base}/ofrep/v1/evaluate/flags${path}`, { method: 'POST', body: text, headers });
  const received = await answer.text();
  return { status: answer.status, headers: answer.headers, body: received === '' ? null : JSON.parse(received) };
}

beforeEach(async () => {
  Object.assign(world, { desired: desiredOf(FLAGS), memory: EMPTY_MEMORY, now: NOW });
  open = await serve();
});

afterEach(async () => {
  await open.close();
});

describe('one flag', () => {
  test.each<[what: string, path: string, body: unknown, status: number, answer: object]>([
    ['static', '/fast-path', {}, 200, { key: 'fast-path', value: true, reason: 'STATIC', variant: 'on' }],
    ['no body at all', '/fast-path', '', 200, { value: true }],
    ['a share of users', '/share', { context: { targetingKey: 'u' } }, 200, { value: true, reason: 'TARGETING_MATCH' }],
    ['nothing decided', '/staff', { context: {} }, 200, { value: false, reason: 'DEFAULT' }],
    ['a key that is encoded', '/a%20b%2F%C3%BC?x=1', {}, 200, { key: 'a b/ü' }],
    ['no key where one is needed', '/share', {}, 400, { key: 'share', errorCode: 'TARGETING_KEY_MISSING' }],
    ['an unknown variant', '/nowhere', { context: { variant: 'x' } }, 400, { key: 'nowhere', errorCode: 'GENERAL' }],
    ['targeting that refers to itself', '/loops', {}, 400, { key: 'loops', errorCode: 'PARSE_ERROR' }],
    ['no such flag', '/absent', {}, 404, { key: 'absent', errorCode: 'FLAG_NOT_FOUND' }],
    ['what every object has', '/toString', {}, 404, { key: 'toString', errorCode: 'FLAG_NOT_FOUND' }],
    ['no JSON', '/fast-path', '{', 400, { key: 'fast-path', errorCode: 'PARSE_ERROR' }],
    ['no object', '/fast-path', '[]', 400, { key: 'fast-path', errorCode: 'INVALID_CONTEXT' }],
    ['a context that is none', '/fast-path', { context: 'u' }, 400, { errorCode: 'INVALID_CONTEXT' }],
    ['a targeting key that is none', '/share', { context: { targetingKey: 1 } }, 400, { errorCode: 'INVALID_CONTEXT' }],
    ['a prototype in the context', '/staff', '{"context":{"__proto__":{"staff":true}}}', 200, { value: false }],
  ])('%s', async (_what, path, body, status, answer) => {
    const answered = await ask(path, body);
    expect(answered).toMatchObject({ status, body: answer });
    expect(answered.headers.get('content-type')).toBe('application/json');
  });

  test('a disabled one has no value, which is not the same as null', async () => {
    const { status, body } = await ask('/disabled');
    expect(status).toBe(200);
    expect(body).toEqual({
      key: 'disabled',
      reason: 'DISABLED',
      metadata: { 'revertd.revision': 'r1', 'revertd.reason': 'git' },
    });
  });

  test('a rollback goes before targeting and state, and says why', async () => {
    world.memory = { ...EMPTY_MEMORY, holds: latched('share') };
    const { body } = await ask('/share', { context: { targetingKey: 'u' } });
    expect(body).toEqual({
      key: 'share',
      value: false,
      reason: 'STATIC',
      variant: 'off',
      metadata: { 'revertd.revision': 'r1', 'revertd.hold': 'latch:x', 'revertd.reason': 'p95 was high' },
    });
    world.memory = EMPTY_MEMORY;
    expect((await ask('/share', { context: { targetingKey: 'u' } })).body).toMatchObject({ value: true });
  });

  test("the flag's own metadata are told too", async () => {
    expect((await ask('/fast-path')).body.metadata).toMatchObject({ owner: 'search', 'revertd.revision': 'r1' });
  });

  test('a body of ten megabytes is refused, and the next request answered', async () => {
    expect(await ask('/fast-path', ' '.repeat(10 * 1024 * 1024))).toMatchObject({
      status: 413,
      body: { key: 'fast-path', errorCode: 'GENERAL' },
    });
    expect(await ask('/fast-path')).toMatchObject({ status: 200 });
  });

  test('who goes away in the middle of a body concerns nobody else', async () => {
    const { port } = new URL(open.base);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('POST /ofrep/v1/evaluate/flags/fast-path HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{');
    await once(socket, 'connect');
    socket.destroy();
    expect(await ask('/fast-path')).toMatchObject({ status: 200 });
  });

  test('before the first revision nothing is known', async () => {
    world.desired = null;
    expect(await ask('/fast-path')).toMatchObject({ status: 500, body: { key: 'fast-path', errorCode: 'GENERAL' } });
  });

  test('other methods and paths', async () => {
    const get = async (path: string, method = 'GET') => (await fetch(open.base + path, { method })).status;
    expect(await get('/ofrep/v1/evaluate/flags/fast-path')).toBe(405);
    expect(await get('/ofrep/v1/evaluate/flags/', 'POST')).toBe(404);
    expect(await get('/ofrep/v1/evaluate/flags/%E0%A4%A', 'POST')).toBe(404);
    expect(await get('/ofrep/v2', 'POST')).toBe(404);
    expect(await get('/elsewhere')).toBe(418);
  });
});

describe('all flags', () => {
  test('each is answered as alone, errors among them', async () => {
    const { status, body } = await ask('', { context: { targetingKey: 'u', variant: 'x' } });
    expect(status).toBe(200);
    expect(body.flags).toHaveLength(FLAGS.length);
    for (const flag of body.flags) {
      const alone = await ask(`/${encodeURIComponent(flag.key)}`, { context: { targetingKey: 'u', variant: 'x' } });
      expect(flag).toEqual(alone.body);
    }
    expect(body).toMatchObject({ metadata: { 'revertd.revision': 'r1' }, eventStreams: [{ type: 'sse' }] });
  });

  test('the tag covers the configuration, the context and the time, and answers 304', async () => {
    const tagFor = async (context: object) => (await ask('', { context })).headers.get('etag') ?? '';
    const tag = await tagFor({ targetingKey: 'u' });
    expect(tag).toMatch(/^"[0-9a-f]{32}"$/);
    expect(await tagFor({ targetingKey: 'u' })).toBe(tag);
    expect(await tagFor({ targetingKey: 'v' })).not.toBe(tag);
    for (const given of [tag, `W/${tag}`, `"other", ${tag}`, '*', tag.replaceAll('"', '')]) {
      const known = await ask('', { context: { targetingKey: 'u' } }, { 'if-none-match': given });
      expect(known).toMatchObject({ status: 304, body: null });
      expect(known.headers.get('etag')).toBe(tag);
    }
    expect(await ask('', { context: { targetingKey: 'v' } }, { 'if-none-match': tag })).toMatchObject({ status: 200 });
    world.memory = { ...EMPTY_MEMORY, holds: latched('share') };
    const held = await tagFor({ targetingKey: 'u' });
    world.memory = EMPTY_MEMORY;
    world.desired = desiredOf(FLAGS, 'r2');
    const committed = await tagFor({ targetingKey: 'u' });
    world.desired = desiredOf(FLAGS);
    world.now = NOW + 5_000;
    expect(new Set([tag, held, committed, await tagFor({ targetingKey: 'u' })]).size).toBe(4);
  });

  test('faults of the request as a whole', async () => {
    expect(await ask('', '{')).toMatchObject({ status: 400, body: { errorCode: 'PARSE_ERROR' } });
    expect(await ask('', { context: [] })).toMatchObject({ status: 400, body: { errorCode: 'INVALID_CONTEXT' } });
  });

  test('a thousand flags are of one instant, though another revision comes in between', async () => {
    const many = Array.from({ length: 1_000 }, (_, index) => aFlag({ name: `flag-${index}` }));
    world.desired = desiredOf(many, 'old');
    const answered = ask('');
    const commit = async (): Promise<void> => {
      await ask('/flag-1');
      world.desired = desiredOf(many, 'new');
    };
    const [{ body }] = await Promise.all([answered, commit()]);
    const revisions = body.flags.map((flag: { metadata: Record<string, string> }) => flag.metadata['revertd.revision']);
    expect(new Set(revisions).size).toBe(1);
    expect(revisions).toHaveLength(1_000);
  });
});

/** The lines of an event stream, one event each; ends with the connection. */
async function* eventsOf(url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal) {
  const answer = await fetch(url, { headers, signal });
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  let text = '';
  for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) yield Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s)));
  }
}

describe('the event stream', () => {
  test('tells of changes, and who comes back of those that were missed', async () => {
    await open.close();
    const served = await serve();
    open = served;
    using ending = new Ending();
    const events = eventsOf(`${open.base}/ofrep/v1/events`, {}, ending.signal);
    expect((await events.next()).value).toEqual({ retry: '2000' });
    const first = (await events.next()).value;
    expect(Object.keys(first ?? {})).toEqual(['id']);
    served.publish();
    world.memory = { ...EMPTY_MEMORY, holds: latched('share') };
    served.publish();
    const told = (await events.next()).value;
    expect(told).toMatchObject({ event: 'message' });
    const { id: etag = '' } = told ?? {};
    expect(JSON.parse(told?.['data'] ?? '')).toEqual({ type: 'refetchEvaluation', etag, lastModified: NOW / 1000 });
    const back = eventsOf(`${open.base}/ofrep/v1/events`, { 'last-event-id': first?.['id'] ?? '' }, ending.signal);
    await back.next();
    expect((await back.next()).value).toMatchObject({ id: etag, event: 'message' });
    const current = eventsOf(`${open.base}/ofrep/v1/events`, { 'last-event-id': etag }, ending.signal);
    await current.next();
    expect((await current.next()).value).toEqual({ id: etag });
  });

  test('a ticket stands for the token, for an hour or two', async () => {
    await open.close();
    open = await serve({ isOpen: false, tokens: [{ name: 'web', role: 'application', token: 'secret' }] });
    const { body } = await ask('', {}, { authorization: 'Bearer secret' });
    const [{ endpoint }] = body.eventStreams;
    using ending = new Ending();
    const status = async (path: string) => (await fetch(open.base + path, { signal: ending.signal })).status;
    expect(await status('/ofrep/v1/events')).toBe(401);
    expect(await status('/ofrep/v1/events?ticket=1.x')).toBe(401);
    expect(await status(endpoint.requestUri)).toBe(200);
    world.now = NOW + 2 * 3_600_000;
    expect(await status(endpoint.requestUri)).toBe(401);
  });
});

class Ending implements Disposable {
  readonly #controller = new AbortController();
  readonly signal = this.#controller.signal;
  [Symbol.dispose](): void {
    this.#controller.abort();
  }
}

describe('who may ask', () => {
  const tokens: readonly AccessToken[] = [{ name: 'shop', role: 'application', token: 'secret' }];

  test.each<[headers: Record<string, string>, closed: number, open: number]>([
    [{}, 401, 200],
    [{ authorization: 'Bearer secret' }, 200, 200],
    [{ authorization: 'bearer secret' }, 200, 200],
    [{ 'x-api-key': 'secret' }, 200, 200],
    [{ authorization: 'Bearer wrong' }, 401, 401],
    [{ 'x-api-key': '' }, 401, 401],
    [{ authorization: 'Basic c2VjcmV0' }, 401, 401],
  ])('%j', async (headers, whereClosed, whereOpen) => {
    await open.close();
    for (const [isOpen, status] of [
      [false, whereClosed],
      [true, whereOpen],
    ] as const) {
      open = await serve({ tokens, isOpen });
      const answered = await ask('/fast-path', {}, headers);
      expect(answered.status).toBe(status);
      expect(answered.body === null).toBe(status === 401);
      if (!isOpen) await open.close();
    }
  });

  test('more than the limit is told when to come back, each for themselves', async () => {
    await open.close();
    open = await serve({ tokens, rateLimit: rateLimitBy({ perSecond: 0.01, burst: 2 }) });
    for (const status of [200, 200, 429]) expect((await ask('/fast-path')).status).toBe(status);
    const refused = await ask('');
    expect(refused).toMatchObject({ status: 429, body: null });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await ask('/fast-path', {}, { 'x-api-key': 'secret' })).status).toBe(200);
  });

  test('pages of allowed origins may read the answer and its tag', async () => {
    await open.close();
    open = await serve({ origins: ['https://shop.example'] });
    const allowed = await ask('', {}, { origin: 'https://shop.example' });
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://shop.example');
    expect(allowed.headers.get('access-control-expose-headers')).toContain('ETag');
    expect(
      (await ask('', {}, { origin: 'https://evil.example' })).headers.get('access-control-allow-origin'),
    ).toBeNull();
    const preflight = await fetch(`${open.base}/ofrep/v1/evaluate/flags`, {
      method: 'OPTIONS',
      headers: { origin: 'https://shop.example' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('If-None-Match');
  });
});
