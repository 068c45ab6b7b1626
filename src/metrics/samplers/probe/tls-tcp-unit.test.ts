import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createFakeSystemctl } from '../../../../test/support/fake-systemctl.ts';
import { loopback, tlsLoopback, unusedPort } from '../../../../test/support/loopback.ts';
import type { HttpProbe, MetricSource, ProbeType, TcpProbe } from '../../../core/model/metric-source.ts';
import { hostSystemctl, type Systemctl } from '../../../drivers/systemctl.ts';
import { systemClock } from '../../clock.ts';
import { DeadlineExceeded } from '../../http/exchange.ts';
import type { Outcome } from '../../sampler.ts';
import { probe } from './index.ts';

function fixture(name: string): string {
  return fileURLToPath(new URL(`../../../../test/fixtures/tls/${name}`, import.meta.url));
}

const CERTIFICATE = { key: readFileSync(fixture('server-key.pem')), cert: readFileSync(fixture('server.pem')) };
const TRUSTED = { caFile: fixture('authority.pem'), serverName: 'metrics.test' };
/** The fixtures are valid until 2126. */
const EXPIRY = expect.closeTo(Date.UTC(2126, 6, 1) / 1000, -8);

async function sample(
  asked: ProbeType['probe'],
  signal = new AbortController().signal,
  systemctl: Systemctl = createFakeSystemctl({}),
): Promise<Outcome> {
  const type: ProbeType = { kind: 'probe', probe: asked };
  const origin = { file: 'metrics.yaml', line: 1, column: 1 };
  const source: MetricSource = { name: 'p', origin, suspend: false, intervalMs: 1000, type };
  const secret = () => Promise.resolve('s3cret');
  const [sampler] = probe.open(source, type, { clock: systemClock, secret, systemctl });
  if (sampler === undefined) throw new Error('expected a sampler');
  onTestFinished(() => sampler.close());
  return await sampler.sample(signal);
}

function values({ samples }: Outcome): Record<string, number> {
  return Object.fromEntries(samples.map(({ labels, value }) => [labels['__name__'] ?? '', value]));
}

describe('an http probe', () => {
  function http(url: string, changes: Partial<HttpProbe> = {}): HttpProbe {
    return { kind: 'http', method: 'GET', url, headers: {}, status: [200], timeoutMs: 5000, ...changes };
  }

  it('of https tells when the first certificate expires', async () => {
    await using server = await tlsLoopback(CERTIFICATE, (_, response) => response.end());
    const outcome = await sample(http(server.origin, { tls: TRUSTED }));
    expect(values(outcome)).toMatchObject({ probe_success: 1, probe_ssl_earliest_cert_expiry: EXPIRY });
  });

  it('of https trusts no unknown authority', async () => {
    await using server = await tlsLoopback(CERTIFICATE, (_, response) => response.end());
    const outcome = await sample(http(server.origin));
    expect(outcome).toMatchObject({ fault: { code: 'tls' } });
    expect(values(outcome)).toMatchObject({ probe_success: 0 });
  });

  it.each([
    [{ task: 'sample' }, 'application/json', '{"task":"sample"}'],
    ['ping ü', 'text/plain', 'ping ü'],
  ])('sends the body %j and logs in', async (body, type, sent) => {
    const seen: unknown[] = [];
    await using server = await loopback((request, response) => {
      const { 'content-type': contentType, authorization } = request.headers;
      seen.push(contentType, authorization);
      request.setEncoding('utf8').on('data', (text) => seen.push(text));
      request.on('end', () => response.end());
    });
    const auth = { kind: 'bearer', token: { credential: 't' } } as const;
    await sample(http(server.origin, { method: 'POST', body, auth }));
    expect(seen).toEqual([type, 'Bearer s3cret', sent]);
  });
});

describe('a tcp probe', () => {
  async function listen(server: Server): Promise<string> {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const sockets = new Set<Socket>();
    server.on('connection', (socket) => sockets.add(socket.on('error', () => {})));
    onTestFinished(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    const address = server.address();
    return `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  }

  function tcp(address: string, changes: Partial<TcpProbe> = {}): TcpProbe {
    return { kind: 'tcp', address, timeoutMs: 5000, ...changes };
  }

  it('succeeds with a connection', async () => {
    const outcome = await sample(tcp(await listen(createServer())));
    expect(outcome.kind).toBe('sampled');
    expect(values(outcome)).toEqual({ probe_success: 1, probe_duration_seconds: expect.any(Number) });
  });

  it('finds a banner that comes in pieces', async () => {
    const server = createServer((socket) => socket.write('220 ma', () => socket.write('il ready\r\n')));
    const outcome = await sample(tcp(await listen(server), { bannerMatches: '^220 .*ready' }));
    expect(outcome.kind).toBe('sampled');
  });

  it('tells when the certificate expires', async () => {
    const server = createTlsServer(CERTIFICATE, (socket) => socket.write('* OK\r\n'));
    const outcome = await sample(tcp(await listen(server), { tls: TRUSTED, bannerMatches: 'OK' }));
    expect(outcome.kind).toBe('sampled');
    expect(values(outcome)).toMatchObject({ probe_success: 1, probe_ssl_earliest_cert_expiry: EXPIRY });
  });

  it('trusts no unknown authority', async () => {
    const server = createTlsServer(CERTIFICATE);
    const outcome = await sample(tcp(await listen(server), { tls: { serverName: 'metrics.test' } }));
    expect(outcome).toMatchObject({ kind: 'failed', fault: { code: 'tls' } });
  });

  const speakers: readonly [string, (socket: Socket) => unknown, string][] = [
    ['says something else', (socket) => socket.end('500 busy\r\n'), 'found "500 busy'],
    ['hangs up', (socket) => socket.end(), 'found the end of the connection'],
    ['talks for ever', (socket) => talk(socket), 'found "xxxx'],
  ];
  it.each(speakers)('fails if the server %s', async (_, speak, message) => {
    const outcome = await sample(tcp(await listen(createServer(speak)), { bannerMatches: '^220' }));
    expect(outcome).toMatchObject({ fault: { code: 'unexpected_body', message: expect.stringContaining(message) } });
    expect(values(outcome)).toMatchObject({ probe_success: 0 });
  });

  it('fails if the banner does not come in time', async () => {
    const deadline = new AbortController();
    const server = createServer(() => deadline.abort(new DeadlineExceeded('no end within 5s')));
    const outcome = await sample(tcp(await listen(server), { bannerMatches: 'a' }), deadline.signal);
    expect(outcome).toMatchObject({ fault: { code: 'timeout', message: expect.stringContaining('no end within 5s') } });
  });

  it('fails if nobody listens', async () => {
    const outcome = await sample(tcp(`127.0.0.1:${await unusedPort()}`));
    expect(outcome).toMatchObject({ fault: { code: 'connection_refused' } });
  });

  it.each(['nothing', 'a:b', '[::1]', '127.0.0.1:70000'])('has no address in %s', async (address) => {
    expect(await sample(tcp(address))).toMatchObject({ fault: { code: 'bad_url' } });
  });
});

function talk(socket: Socket): void {
  while (socket.write('x'.repeat(1000)));
  socket.once('drain', () => talk(socket));
}

describe('a unit probe', () => {
  const working = { type: 'simple', start: 'works', canReload: true, loadState: 'loaded' } as const;
  const unit = { kind: 'unit', name: 'app.service', is: 'active', timeoutMs: 5000 } as const;
  const { signal } = new AbortController();

  it('succeeds if the unit is in the state', async () => {
    const systemctl = createFakeSystemctl({ 'app.service': working });
    await systemctl.act({ kind: 'start' }, 'app.service', signal);
    const outcome = await sample(unit, signal, systemctl);
    expect(outcome.kind).toBe('sampled');
    expect(values(outcome)).toMatchObject({ probe_success: 1 });
    const states = outcome.samples.filter(({ labels }) => labels['__name__'] === 'node_systemd_unit_state');
    expect(states.map(({ labels, value }) => `${labels['state']} ${labels['type']} ${value}`)).toEqual([
      'activating simple 0',
      'active simple 1',
      'deactivating simple 0',
      'failed simple 0',
      'inactive simple 0',
    ]);
  });

  it('fails if it is in another', async () => {
    const outcome = await sample(unit, signal, createFakeSystemctl({ 'app.service': working }));
    const message = 'app.service is inactive (dead); expected active';
    expect(outcome).toMatchObject({ kind: 'failed', fault: { code: 'unit_state', message } });
    expect(values(outcome)).toMatchObject({ probe_success: 0 });
  });

  it('fails if there is no such unit', async () => {
    expect(await sample(unit)).toMatchObject({ fault: { code: 'unit_not_found' } });
  });

  it('fails where systemd cannot be asked', async () => {
    const stopped = AbortSignal.abort();
    const outcome = await sample(unit, stopped, hostSystemctl);
    expect(outcome).toMatchObject({ fault: { code: expect.stringMatching(/^systemd_(noSystemd|stopped)$/) } });
    expect(values(outcome)).toEqual({ probe_success: 0, probe_duration_seconds: expect.any(Number) });
  });
});
