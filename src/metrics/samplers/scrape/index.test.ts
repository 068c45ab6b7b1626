import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders, RequestListener } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createFakeSystemctl } from '../../../../test/support/fake-systemctl.ts';
import { loopback, tlsLoopback, unusedPort } from '../../../../test/support/loopback.ts';
import type { MetricSource, ScrapeType } from '../../../core/model/metric-source.ts';
import { systemClock } from '../../clock.ts';
import { DeadlineExceeded } from '../../http/exchange.ts';
import { formatSeries } from '../../labels.ts';
import type { Outcome, Sampler } from '../../sampler.ts';
import { scrape } from './index.ts';

function open(target: string, type: Partial<ScrapeType> = {}): Sampler {
  const full: ScrapeType = { kind: 'scrape', targets: [target], labels: {}, timeoutMs: 10_000, ...type };
  const origin = { file: 'metrics.yaml', line: 1, column: 1 };
  const source: MetricSource = { name: 'app', origin, suspend: false, intervalMs: 1000, type: full };
  const [sampler] = scrape.open(source, full, {
    clock: systemClock,
    secret: (ref) => ('env' in ref ? Promise.resolve(`secret ${ref.env}`) : Promise.reject(new Error('no such file'))),
    systemctl: createFakeSystemctl({}),
  });
  if (sampler === undefined) throw new Error('expected a sampler');
  onTestFinished(() => sampler.close());
  return sampler;
}

function values({ samples }: Outcome): Record<string, number> {
  return Object.fromEntries(samples.map(({ labels, value }) => [formatSeries(labels), value]));
}

function sampleOnce(sampler: Sampler, signal = new AbortController().signal): Promise<Outcome> {
  return sampler.sample(signal);
}

async function sampleAnswer(answer: RequestListener, type: Partial<ScrapeType> = {}): Promise<Outcome> {
  await using server = await loopback(answer);
  return await sampleOnce(open(`${server.origin}/metrics`, type));
}

function text(body: string | Buffer, headers: Record<string, string> = {}): RequestListener {
  return (_, response) =>
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4', ...headers }).end(body);
}

describe('a scrape', () => {
  it('gives the samples of the target under its labels, and reports on itself', async () => {
    await using server = await loopback(text('m{job="theirs",code="200"} 3\nup 0\n'));
    const outcome = await sampleOnce(open(`${server.origin}/metrics`, { labels: { service: 'memory' } }));
    const own = `instance="127.0.0.1:${server.port}", job="app", service="memory"`;
    expect(outcome.kind).toBe('sampled');
    expect(values(outcome)).toMatchObject({
      [`m{code="200", exported_job="theirs", ${own}}`]: 3,
      [`scrape_samples_scraped{${own}}`]: 2,
    });
    expect(outcome.samples[0]).toMatchObject({ labels: { __name__: 'up' }, value: 1 });
    expect(outcome.samples[1]?.value).toBeGreaterThan(0);
  });

  it('asks as Prometheus does, and keeps its connection', async () => {
    const seen: IncomingHttpHeaders[] = [];
    let connections = 0;
    await using server = await loopback((request, response) => {
      seen.push(request.headers);
      response.end('m 1\n');
    });
    server.server.on('connection', () => connections++);
    const sampler = open(`${server.origin}/metrics`, {
      timeoutMs: 2500,
      auth: { kind: 'basic', username: 'me', password: { env: 'PW' } },
    });
    await sampleOnce(sampler);
    await sampleOnce(sampler);
    expect(connections).toBe(1);
    expect(seen[1]).toMatchObject({
      accept: expect.stringContaining('application/openmetrics-text;version=1.0.0'),
      'accept-encoding': 'gzip',
      'x-prometheus-scrape-timeout-seconds': '2.5',
      authorization: `Basic ${Buffer.from('me:secret PW').toString('base64')}`,
    });
  });

  it('sends a bearer token', async () => {
    let authorization: string | undefined;
    const answer: RequestListener = (request, response) => {
      authorization = request.headers.authorization;
      response.end('m 1\n');
    };
    await sampleAnswer(answer, { auth: { kind: 'bearer', token: { env: 'TOKEN' } } });
    expect(authorization).toBe('Bearer secret TOKEN');
  });

  it('unpacks gzip and reads OpenMetrics with its timestamps', async () => {
    const body = gzipSync('# TYPE m gauge\nm 3 1700000000.5\n# EOF\n');
    const type = { 'content-encoding': 'gzip', 'content-type': 'application/openmetrics-text; version=1.0.0' };
    const outcome = await sampleAnswer(text(body, type));
    expect(outcome.samples.at(-1)).toMatchObject({ value: 3, timestamp: 1_700_000_000_500 });
  });

  it('goes on over a new connection when the kept one was closed', async () => {
    let requests = 0;
    // Answers once per connection, and resets it as the next request arrives: what a race with a server's idle timeout looks like.
    const server = createTcpServer((socket) => {
      let answered = false;
      socket.on('error', () => {});
      socket.on('data', () => {
        requests++;
        if (answered) return socket.resetAndDestroy();
        answered = true;
        return socket.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nm 1\n');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const address = server.address();
    const sampler = open(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`);
    const kinds = [await sampleOnce(sampler), await sampleOnce(sampler)].map((outcome) => outcome.kind);
    sampler.close();
    expect(kinds).toEqual(['sampled', 'sampled']);
    expect(requests).toBe(3);
  });
});

function fixture(name: string): string {
  return fileURLToPath(new URL(`../../../../test/fixtures/tls/${name}`, import.meta.url));
}

describe('TLS', () => {
  const options = { key: readFileSync(fixture('server-key.pem')), cert: readFileSync(fixture('server.pem')) };

  it.each([
    ['with the authority and the name', { caFile: fixture('authority.pem'), serverName: 'metrics.test' }, 'up'],
    ['without the authority', { serverName: 'metrics.test' }, 'tls'],
    ['for another name', { caFile: fixture('authority.pem'), serverName: 'other.test' }, 'tls'],
    ['with an authority that is not there', { caFile: fixture('nope.pem') }, 'ca_file'],
  ])('%s', async (_, tls, expected) => {
    await using server = await tlsLoopback(options, text('m 1\n'));
    const outcome = await sampleOnce(open(`${server.origin}/metrics`, { tls }));
    expect(outcome.kind === 'sampled' ? 'up' : outcome.fault.code).toBe(expected);
  });

  it('is not spoken by a plain server', async () => {
    await using server = await loopback(text('m 1\n'));
    const outcome = await sampleOnce(open(server.origin.replace('http:', 'https:')));
    expect(outcome).toMatchObject({ kind: 'failed', fault: { code: 'tls' } });
  });
});

describe('a bad target', () => {
  const page = '<!DOCTYPE html>\n<html><body>log in</body></html>\n';
  const cases: readonly [string, RequestListener, Partial<ScrapeType>, string, string][] = [
    ['sends a page', text(page, { 'content-type': 'text/html' }), {}, 'html', 'check the path'],
    ['sends a page as text', text(page), {}, 'html', 'line 1'],
    ['repeats a series', text('m 1\nm 2\n'), {}, 'repeated_series', 'line 2'],
    ['sends invalid UTF-8', text(Buffer.from([0x6d, 0x20, 0xff, 0x0a])), {}, 'invalid_utf8', 'line 1'],
    [
      'sends more samples than it may',
      text('a 1\nb 1\nc 1\n'),
      { limits: { samples: 2 } },
      'too_many_samples',
      'more than 2',
    ],
    [
      'says that it is too large',
      text('m 1\n'.repeat(100)),
      { limits: { bytes: 99 } },
      'body_too_large',
      'than 99 bytes',
    ],
    [
      'hides its size in gzip',
      text(gzipSync(Buffer.alloc(1e6)), { 'content-encoding': 'gzip' }),
      { limits: { bytes: 9999 } },
      'body_too_large',
      'than 9999 bytes',
    ],
    ['sends damaged gzip', text('m 1\n', { 'content-encoding': 'gzip' }), {}, 'content_encoding', 'damaged'],
    [
      'cuts gzip short',
      text(gzipSync('m 1\n').subarray(0, -9), { 'content-encoding': 'gzip' }),
      {},
      'content_encoding',
      'damaged',
    ],
    ['uses another encoding', text('m 1\n', { 'content-encoding': 'br' }), {}, 'content_encoding', 'encoded as br'],
    [
      'redirects',
      (_, response) => response.writeHead(302, { location: 'http://elsewhere.test/' }).end(),
      {},
      'redirect',
      'to http://elsewhere.test/',
    ],
    ['is busy', (_, response) => response.writeHead(503).end('m 1\n'), {}, 'status', 'status 503; expected 200'],
    ['hangs up', (request) => request.socket.destroy(), {}, 'connection_broken', 'closed the connection'],
    [
      'hangs up in the middle',
      (_, response) => response.writeHead(200, { 'content-length': '9' }).write('m 1\n', () => response.destroy()),
      {},
      'connection_broken',
      'closed the connection',
    ],
    ['speaks no HTTP', (request) => request.socket.end('220 mail ready\r\n'), {}, 'bad_http', 'failed'],
    [
      'needs a secret that is missing',
      text('m 1\n'),
      { auth: { kind: 'bearer', token: { file: '/nope' } } },
      'secret',
      'no such file',
    ],
  ];
  it.each(cases)('%s', async (_, answer, type, code, message) => {
    const outcome = await sampleAnswer(answer, type);
    if (outcome.kind !== 'failed') throw new Error('expected the scrape to fail');
    expect(outcome.fault).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(outcome.samples.map(({ labels, value }) => [labels['__name__'], value])).toEqual([
      ['up', 0],
      ['scrape_duration_seconds', expect.any(Number)],
      ['scrape_samples_scraped', 0],
    ]);
  });

  it('is not there', async () => {
    const outcome = await sampleOnce(open(`http://127.0.0.1:${await unusedPort()}/metrics`));
    expect(outcome).toMatchObject({ kind: 'failed', fault: { code: 'connection_refused' } });
  });

  it.each([
    ['no URL', 'localhost:9464', 'localhost:9464', 'found "localhost:9464"'],
    ['credentials in its URL', 'http://me:hunter2@127.0.0.1/m', 'http://127.0.0.1/m', 'under auth instead'],
  ])('has %s', async (_, address, shown, message) => {
    const sampler = open(address);
    const outcome = await sampleOnce(sampler);
    expect(sampler.target).toBe(shown);
    expect(outcome).toMatchObject({ fault: { code: 'bad_url', message: expect.stringContaining(message) } });
    expect(JSON.stringify(outcome)).not.toContain('hunter2');
  });

  it('sends a gigabyte, of which little is taken', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x 1\n');
    let sent = 0;
    let closed: Promise<unknown> = Promise.resolve();
    const before = process.memoryUsage().rss;
    const outcome = await sampleAnswer((_, response) => {
      closed = once(response, 'close');
      const pump = () => {
        while (sent < 1024 && !response.destroyed) {
          sent++;
          if (!response.write(chunk)) return void response.once('drain', pump);
        }
        return response.end();
      };
      pump();
    });
    await closed;
    expect(outcome).toMatchObject({ fault: { code: 'body_too_large' } });
    expect(sent).toBeLessThan(100);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
  });

  it('has a million label sets', async () => {
    const body = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => `m{i="${index}"} 1\n`).join(''));
    const outcome = await sampleAnswer(text(body), { limits: { bytes: 1e9 } });
    const message = expect.stringContaining('more than 50000 samples');
    expect(outcome).toMatchObject({ fault: { code: 'too_many_samples', message } });
  });

  it('never ends: the deadline ends it, and says how far it came', async () => {
    const deadline = new AbortController();
    let closed: Promise<unknown> = Promise.resolve();
    await using server = await loopback((_, response) => {
      closed = once(response, 'close');
      response.write('m 1\n', () => setImmediate(() => deadline.abort(new DeadlineExceeded('no end within 2s'))));
    });
    const outcome = await sampleOnce(open(server.origin), deadline.signal);
    await closed;
    expect(outcome).toMatchObject({ fault: { code: 'timeout', message: expect.stringContaining('no end within 2s') } });
  });

  it('takes the connection and says nothing', async () => {
    const deadline = new AbortController();
    await using server = await loopback(() => deadline.abort(new DeadlineExceeded('no end within 2s')));
    const outcome = await sampleOnce(open(server.origin), deadline.signal);
    expect(outcome).toMatchObject({ fault: { code: 'timeout' } });
  });

  it('is scraped again as soon as it is well', async () => {
    let healthy = false;
    await using server = await loopback((_, response) => {
      if (healthy) response.end('m 1\n');
      else response.writeHead(500).end();
    });
    const sampler = open(server.origin);
    expect((await sampleOnce(sampler)).kind).toBe('failed');
    healthy = true;
    expect((await sampleOnce(sampler)).kind).toBe('sampled');
  });
});
