import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingHttpHeaders, RequestListener } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createFakeSystemctl } from '../../../../test/support/fake-systemctl.ts';
import { loopback, unusedPort } from '../../../../test/support/loopback.ts';
import type { HttpProbe, MetricSource } from '../../../core/model/metric-source.ts';
import { systemClock } from '../../clock.ts';
import { DeadlineExceeded } from '../../http/exchange.ts';
import type { Outcome, Sampler } from '../../sampler.ts';
import { probe } from './index.ts';
import { formatStatuses } from './statuses.ts';

function open(url: string, http: Partial<HttpProbe> = {}): Sampler {
  const full = { kind: 'http', method: 'GET', url, headers: {}, status: [200], timeoutMs: 5000, ...http } as const;
  const type = { kind: 'probe', probe: full } as const;
  const origin = { file: 'metrics.yaml', line: 1, column: 1 };
  const source: MetricSource = { name: 'health', origin, suspend: false, intervalMs: 1000, type };
  const [sampler] = probe.open(source, type, {
    clock: systemClock,
    secret: (ref) => ('env' in ref ? Promise.resolve(`secret ${ref.env}`) : Promise.reject(new Error('no such file'))),
    systemctl: createFakeSystemctl({}),
  });
  if (sampler === undefined) throw new Error('expected a sampler');
  return sampler;
}

async function probeAnswer(answer: RequestListener, http: Partial<HttpProbe> = {}): Promise<Outcome> {
  await using server = await loopback(answer);
  return await open(`${server.origin}/health`, http).sample(new AbortController().signal);
}

function values({ samples }: Outcome): Record<string, number> {
  return Object.fromEntries(samples.map(({ labels, value }) => [labels['__name__'] ?? '', value]));
}

function answer(status: number, body = ''): RequestListener {
  return (_, response) => response.writeHead(status).end(body);
}

describe('an http probe', () => {
  const successes: readonly [string, RequestListener, Partial<HttpProbe>, number][] = [
    ['the expected status', answer(200), {}, 200],
    ['one of several', answer(204), { status: [200, 204] }, 204],
    [
      'a redirect, if that is expected',
      (_, response) => response.writeHead(302, { location: '/' }).end(),
      { status: [302] },
      302,
    ],
    ['the expected text', answer(200, '{"status": "ok"}'), { bodyContains: '"ok"' }, 200],
    ['a matching body', answer(200, 'queue=17\n'), { bodyMatches: 'queue=[0-9]{1,2}\\b' }, 200],
  ];
  it.each(successes)('succeeds with %s', async (_, respond, http, status) => {
    const outcome = await probeAnswer(respond, http);
    expect(outcome.kind).toBe('sampled');
    expect(values(outcome)).toMatchObject({ probe_success: 1, probe_http_status_code: status });
    expect(values(outcome)['probe_duration_seconds']).toBeGreaterThan(0);
  });

  const failures: readonly [string, RequestListener, Partial<HttpProbe>, number, string, string][] = [
    [
      'another status',
      answer(503),
      { status: [200, 201, 202, 204] },
      503,
      'status',
      'status 503; expected 200–202 or 204',
    ],
    ['a redirect', (_, response) => response.writeHead(301, { location: '/' }).end(), {}, 301, 'status', 'status 301'],
    [
      'a body without the text',
      answer(200, 'down'),
      { bodyContains: 'ok' },
      200,
      'unexpected_body',
      'contains "ok", found "down"',
    ],
    [
      'a body that does not match',
      answer(200),
      { bodyMatches: '^ok$' },
      200,
      'unexpected_body',
      'matches /^ok$/, found an empty one',
    ],
    [
      'a body too large to look at',
      answer(200, 'x'.repeat(2e6)),
      { bodyContains: 'ok' },
      200,
      'body_too_large',
      'larger than',
    ],
    ['a connection that is closed', (request) => request.socket.destroy(), {}, 0, 'connection_broken', 'closed'],
    ['a secret that is missing', answer(200), { headers: { 'X-Key': { file: '/nope' } } }, 0, 'secret', 'header X-Key'],
  ];
  it.each(failures)('fails with %s', async (_, respond, http, status, code, message) => {
    const outcome = await probeAnswer(respond, http);
    expect(values(outcome)).toMatchObject({ probe_success: 0, probe_http_status_code: status });
    expect(outcome).toMatchObject({ kind: 'failed', fault: { code, message: expect.stringContaining(message) } });
  });

  it('fails where nothing listens', async () => {
    const outcome = await open(`http://127.0.0.1:${await unusedPort()}/`).sample(new AbortController().signal);
    expect(outcome).toMatchObject({ kind: 'failed', fault: { code: 'connection_refused' } });
    expect(values(outcome)).toMatchObject({ probe_success: 0, probe_http_status_code: 0 });
  });

  it.each([
    ['a URL that is none', '/health', {}, 'bad_url'],
    ['an expression that is none', 'http://127.0.0.1:1/', { bodyMatches: 'a(b' }, 'bad_pattern'],
  ])('fails with %s', async (_, url, http, code) => {
    const outcome = await open(url, http).sample(new AbortController().signal);
    expect(outcome).toMatchObject({ kind: 'failed', samples: [], fault: { code } });
  });

  it('keeps the status of an answer whose body never comes', async () => {
    const deadline = new AbortController();
    await using server = await loopback((_, response) => void response.writeHead(200).write('o'));
    const abort = () => void setImmediate(() => deadline.abort(new DeadlineExceeded('no end within 5s')));
    subscribe('http.client.response.finish', abort);
    onTestFinished(() => void unsubscribe('http.client.response.finish', abort));
    const outcome = await open(server.origin, { bodyContains: 'ok' }).sample(deadline.signal);
    expect(outcome).toMatchObject({ fault: { code: 'timeout', message: expect.stringContaining('no end within 5s') } });
    expect(values(outcome)).toMatchObject({ probe_success: 0, probe_http_status_code: 200 });
  });

  it('sends the method and the headers, secrets resolved, and labels its series', async () => {
    const seen: { method: string | undefined; headers: IncomingHttpHeaders }[] = [];
    await using server = await loopback((request, response) => {
      seen.push({ method: request.method, headers: request.headers });
      response.end();
    });
    const headers = { Accept: 'text/x', Authorization: { env: 'TOKEN' } };
    const outcome = await open(server.origin, { method: 'HEAD', headers }).sample(new AbortController().signal);
    expect(seen[0]).toMatchObject({ method: 'HEAD', headers: { accept: 'text/x', authorization: 'secret TOKEN' } });
    expect(outcome.samples[0]?.labels).toEqual({
      __name__: 'probe_success',
      job: 'health',
      instance: `${server.origin}/`,
    });
  });
});

describe('statuses', () => {
  it.each([
    [[200], '200'],
    [[204, 200, 201], '200–201 or 204'],
    [[200, 300, 400], '200, 300 or 400'],
    [[], 'no status'],
  ])('%j are shown as %s', (statuses, text) => {
    expect(formatStatuses(statuses)).toBe(text);
  });
});
