import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loopback, tlsLoopback, unusedPort } from '../../../test/support/loopback.ts';
import type { PrometheusType } from '../../core/model/metric-source.ts';
import { systemClock } from '../clock.ts';
import { DeadlineExceeded } from '../http/exchange.ts';
import { createPrometheusClient } from './prometheus-client.ts';
import { type RemoteAnswer, RemoteFault, type RemoteQuery } from './remote-query.ts';

const AT = 1_800_000_000_250;

function client(url: string, changes: Partial<PrometheusType> = {}): RemoteQuery {
  const type: PrometheusType = { kind: 'prometheus', url, headers: {}, timeoutMs: 5000, retries: 0, ...changes };
  const secret = (ref: object) =>
    'env' in ref ? Promise.resolve(`secret ${String(ref.env)}`) : Promise.reject(new Error('no such file'));
  const remote = createPrometheusClient(type, { clock: systemClock, secret });
  onTestFinished(() => remote.close());
  return remote;
}

async function ask(
  listener: RequestListener,
  changes: Partial<PrometheusType> = {},
): Promise<RemoteAnswer | RemoteFault> {
  await using server = await loopback(listener);
  return await asked(client(server.origin, changes));
}

async function asked(remote: RemoteQuery, signal = new AbortController().signal): Promise<RemoteAnswer | RemoteFault> {
  return await remote.query('up', AT, signal).catch((error: unknown) => {
    if (error instanceof RemoteFault) return error;
    throw error;
  });
}

function json(body: object, status = 200): RequestListener {
  return (_, response) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function vector(...elements: object[]) {
  return { status: 'success', data: { resultType: 'vector', result: elements } };
}

const ONE = { metric: { __name__: 'up', job: 'a' }, value: [1_800_000_000.25, '1'] };

describe('a query to a server', () => {
  it('is a form in a POST, at the instant, below the path of the url', async () => {
    const seen: string[] = [];
    await using server = await loopback((request, response) => {
      seen.push(
        `${request.method} ${request.url} ${request.headers['content-type']} ${String(request.headers['x-scope-orgid'])}`,
      );
      request.setEncoding('utf8').on('data', (text: string) => seen.push(text));
      request.on('end', () => response.end(JSON.stringify(vector(ONE))));
    });
    const remote = client(`${server.origin}/prometheus/`, { headers: { 'X-Scope-OrgID': 'team' } });
    expect(await remote.query('up{a="ü&"}', AT, new AbortController().signal)).toEqual({
      elements: [{ labels: { __name__: 'up', job: 'a' }, value: 1 }],
      partial: [],
    });
    expect(seen).toEqual([
      'POST /prometheus/api/v1/query application/x-www-form-urlencoded team',
      'query=up%7Ba%3D%22%C3%BC%26%22%7D&time=1800000000.25&timeout=5000ms',
    ]);
  });

  it.each([
    [{ kind: 'basic', username: 'me', password: { env: 'PW' } }, `Basic ${btoa('me:secret PW')}`],
    [{ kind: 'bearer', token: { env: 'TOKEN' } }, 'Bearer secret TOKEN'],
  ] as const)('logs in with %o', async (auth, expected) => {
    let seen: string | undefined;
    const listener: RequestListener = (request, response) => {
      seen = request.headers.authorization;
      json(vector())(request, response);
    };
    await ask(listener, { auth });
    expect(seen).toBe(expected);
  });

  it('trusts the authority that it is told of', async () => {
    const fixture = (name: string) => fileURLToPath(new URL(`../../../test/fixtures/tls/${name}`, import.meta.url));
    const options = { key: readFileSync(fixture('server-key.pem')), cert: readFileSync(fixture('server.pem')) };
    await using server = await tlsLoopback(options, json(vector(ONE)));
    const tls = { caFile: fixture('authority.pem'), serverName: 'metrics.test' };
    expect(await asked(client(server.origin, { tls }))).toMatchObject({ elements: [{ value: 1 }] });
    expect(await asked(client(server.origin))).toMatchObject({ code: 'unreachable' });
  });

  const answers: readonly [string, RequestListener, object][] = [
    ['nothing', json(vector()), { elements: [], partial: [] }],
    [
      'numbers that JSON does not have',
      json(vector(...['NaN', '+Inf', '-Inf', '1e-9'].map((text) => ({ metric: {}, value: [1, text] })))),
      { elements: ['NaN', '+Inf', '-Inf', 1e-9].map((value) => ({ labels: {}, value })) },
    ],
    [
      'a scalar',
      json({ status: 'success', data: { resultType: 'scalar', result: [1, '2'] } }),
      { elements: [{ labels: {}, value: 2 }] },
    ],
    [
      'gzip',
      (_, response) =>
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(JSON.stringify(vector(ONE)))),
      { elements: [{ value: 1 }] },
    ],
    [
      'a warning of Thanos that a store is missing',
      json({ ...vector(ONE), warnings: ['receive series from Addr: 10.0.0.7:10901: rpc error: Unavailable'] }),
      { elements: [{ value: 1 }], partial: [expect.stringContaining('rpc error')] },
    ],
    [
      'a partial answer of VictoriaMetrics',
      json({ ...vector(ONE), isPartial: true }),
      { partial: [expect.any(String)] },
    ],
    [
      'annotations, which mean nothing is missing',
      json({
        ...vector(ONE),
        warnings: ['PromQL warning: quantile value should be between 0 and 1'],
        infos: ['PromQL info: x'],
      }),
      { partial: [] },
    ],
    [
      'more elements than are looked at',
      json(vector(...Array.from({ length: 3000 }, () => ONE))),
      { elements: expect.toSatisfy((elements: readonly unknown[]) => elements.length === 1000) },
    ],
  ];
  it.each(answers)('may be answered by %s', async (_, listener, expected) => {
    expect(await ask(listener)).toMatchObject(expected);
  });

  const page: RequestListener = (_, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!DOCTYPE html><html>log in</html>');
  const faults: readonly [string, RequestListener, string, string][] = [
    [
      'it cannot parse it (Prometheus)',
      json({ status: 'error', errorType: 'bad_data', error: 'parse error' }, 400),
      'bad_query',
      'parse error (status 400)',
    ],
    [
      'it cannot execute it',
      json({ status: 'error', errorType: 'execution', error: 'many-to-many' }, 422),
      'bad_query',
      'many-to-many',
    ],
    [
      'VictoriaMetrics cannot parse it',
      json({ status: 'error', errorType: '422', error: 'cannot parse' }, 422),
      'bad_query',
      'cannot parse',
    ],
    [
      'it times out there',
      json({ status: 'error', errorType: 'timeout', error: 'timed out' }, 503),
      'unavailable',
      'timed out',
    ],
    ['too many ask', (_, response) => response.writeHead(429).end('too many'), 'unavailable', 'too many'],
    [
      'a gateway answers',
      (_, response) => response.writeHead(502).end('<html><h1>Bad Gateway'),
      'unavailable',
      'an HTML page',
    ],
    [
      'nobody is logged in',
      (_, response) => response.writeHead(401).end('no org id'),
      'refused',
      'status 401: no org id',
    ],
    [
      'the path is wrong',
      (_, response) => response.writeHead(404).end('404 page not found'),
      'bad_answer',
      'does the url end',
    ],
    [
      'a redirect leads away',
      (_, response) => response.writeHead(302, { location: '/login' }).end(),
      'bad_answer',
      'status 302',
    ],
    ['it is a page', page, 'bad_answer', 'an HTML page'],
    ['it is cut short', (_, response) => response.end('{"status":"succ'), 'bad_answer', 'expected JSON'],
    ['it is some other JSON', json({ ok: true }), 'bad_answer', 'expected JSON with "status":"success"'],
    ['it has no result', json({ status: 'success', data: {} }), 'bad_answer', 'expected a result'],
    ['a value is no text', json(vector({ metric: {}, value: [1, 1] })), 'bad_answer', 'expected [time, "number"]'],
    ['a value is empty', json(vector({ metric: {}, value: [1, ''] })), 'bad_answer', 'expected [time, "number"]'],
    [
      'an element is nothing',
      json({ status: 'success', data: { resultType: 'vector', result: [null] } }),
      'bad_answer',
      'found null',
    ],
    [
      'it is a range',
      json({ status: 'success', data: { resultType: 'matrix', result: [] } }),
      'bad_query',
      'gives a matrix',
    ],
    ['it is a native histogram', json(vector({ metric: {}, histogram: [1, {}] })), 'bad_query', 'histogram_quantile'],
    ['it speaks no HTTP', (request) => request.socket.end('220 mail\r\n'), 'bad_answer', 'failed'],
    ['it hangs up', (request) => request.socket.destroy(), 'unreachable', 'closed the connection'],
    ['it is very long', (_, response) => response.end('x'.repeat(9 * 1024 * 1024)), 'bad_query', 'aggregate the query'],
  ];
  it.each(faults)('has failed if %s', async (_, listener, code, message) => {
    expect(await ask(listener)).toMatchObject({ name: 'RemoteFault', code, message: expect.stringContaining(message) });
  });

  it('has failed if nobody listens, or a secret is missing', async () => {
    expect(await asked(client(`http://127.0.0.1:${await unusedPort()}`))).toMatchObject({ code: 'unreachable' });
    const auth = { kind: 'bearer', token: { file: '/nope' } } as const;
    expect(await ask(json(vector()), { auth })).toMatchObject({ code: 'misconfigured' });
    const leaky = client('http://me:hunter2@127.0.0.1');
    expect(await asked(leaky)).toMatchObject({
      code: 'misconfigured',
      message: expect.not.stringContaining('hunter2'),
    });
    expect(leaky.target).toBe('http://127.0.0.1');
  });

  it('ends at its deadline', async () => {
    const deadline = new AbortController();
    await using server = await loopback(() => deadline.abort(new DeadlineExceeded('no end within 5s')));
    const fault = await asked(client(server.origin), deadline.signal);
    expect(fault).toMatchObject({ code: 'timeout', message: expect.stringContaining('no end within 5s') });
  });

  it('is sent again while the trouble may pass, and not otherwise', async () => {
    const answersFor = async (statuses: readonly number[]) => {
      let sent = 0;
      const answer = await ask(
        (request, response) => {
          const status = statuses[sent++] ?? 500;
          json(status === 200 ? vector(ONE) : { status: 'error', error: 'no' }, status)(request, response);
        },
        { retries: 2 },
      );
      return [sent, answer instanceof RemoteFault ? answer.code : answer.elements.length];
    };
    expect(await answersFor([503, 502, 200])).toEqual([3, 1]);
    expect(await answersFor([503, 429, 500, 200])).toEqual([3, 'unavailable']);
    expect(await answersFor([422, 200])).toEqual([1, 'bad_query']);
  });
});

describe('the version', () => {
  const versions: readonly [string, RequestListener][] = [
    ['2.42.0', json({ status: 'success', data: { version: '2.42.0', revision: 'x' } })],
    ['Grafana Mimir 2.14.0', json({ status: 'success', data: { application: 'Grafana Mimir', version: '2.14.0' } })],
    ['unknown', (_, response) => response.writeHead(404).end('404 page not found')],
    ['unknown', (_, response) => response.end('<html>')],
    ['unknown', (request) => request.socket.destroy()],
  ];
  it.each(versions)('is %s', async (expected, listener) => {
    await using server = await loopback(listener);
    expect(await client(server.origin).version(new AbortController().signal)).toBe(expected);
  });
});
