import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { RE2JS } from 're2js';
import type { MetricSource, TcpProbe } from '../../../core/model/metric-source.ts';
import { nodeTls } from '../../../drivers/node-http.ts';
import { trustOf } from '../../http/credentials.ts';
import { DeadlineExceeded, tlsOptions } from '../../http/exchange.ts';
import { faultOf, HttpFault } from '../../http/http-fault.ts';
import { unusable } from '../../http/http-url.ts';
import type { Outcome, Sampler, SamplerMeans } from '../../sampler.ts';
import { earliestExpiry } from './certificate.ts';
import { compilePattern } from './pattern.ts';
import { type Report, reporter } from './report.ts';

/** A banner is looked for in no more than this. */
const MAX_BANNER_BYTES = 4096;

type Probe = {
  readonly tcp: TcpProbe;
  readonly host: string;
  readonly port: number;
  readonly pattern: RE2JS | undefined;
  readonly means: SamplerMeans;
  readonly report: Report;
};

export function openTcp(source: MetricSource, tcp: TcpProbe, means: SamplerMeans): Sampler {
  const { address } = tcp;
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65_535) {
    const expected = `expected an address like 127.0.0.1:5432, found ${JSON.stringify(address)}`;
    return unusable(address, new HttpFault('bad_url', expected));
  }
  const pattern = compilePattern('bannerMatches', tcp.bannerMatches);
  if (pattern instanceof HttpFault) return unusable(address, pattern);
  const opened: Probe = { tcp, host, port: Number(port), pattern, means, report: reporter(source.name, address) };
  return {
    target: address,
    timeoutMs: tcp.timeoutMs,
    sample: (signal) => probeOnce(opened, signal),
    close: () => {},
  };
}

async function probeOnce(opened: Probe, signal: AbortSignal): Promise<Outcome> {
  const { means, report, tcp } = opened;
  const begun = means.clock.elapsed();
  let expiry: number | undefined;
  const samples = (success: 0 | 1) => [
    ...report.ended(success, means.clock.elapsed() - begun),
    ...(expiry === undefined ? [] : [{ labels: report.series('probe_ssl_earliest_cert_expiry'), value: expiry }]),
  ];
  let socket: Socket | undefined;
  try {
    socket = await connected(opened, signal);
    expiry = earliestExpiry(socket);
    if (opened.pattern !== undefined) await requireBanner(socket, opened.pattern, tcp, signal);
    return { kind: 'sampled', samples: samples(1) };
  } catch (error) {
    const { code, message } = asFault(error, tcp.address, signal);
    return { kind: 'failed', samples: samples(0), fault: { code, message } };
  } finally {
    socket?.destroy();
  }
}

async function connected({ tcp, host, port }: Probe, signal: AbortSignal): Promise<Socket | TLSSocket> {
  const trust = tcp.tls === undefined ? undefined : tlsOptions({ serverName: host, ...(await trustOf(tcp.tls)) });
  // Its certificate may be for an IP address, which is no name that can be asked for (RFC 6066, 3).
  const { servername, ...rest } = trust ?? {};
  const named = servername === host && /^[\d.]+$|:/.test(host) ? rest : trust;
  const socket = trust === undefined ? connect({ host, port }) : nodeTls().connect({ host, port, ...named });
  try {
    await once(socket, trust === undefined ? 'connect' : 'secureConnect', { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function requireBanner(socket: Socket, pattern: RE2JS, tcp: TcpProbe, signal: AbortSignal): Promise<void> {
  const abort = () => socket.destroy(new HttpFault('timeout', 'no banner in time'));
  signal.addEventListener('abort', abort, { once: true });
  let said = Buffer.alloc(0);
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      said = Buffer.concat([said, chunk]);
      if (pattern.test(said.toString('latin1'))) return;
      if (said.length > MAX_BANNER_BYTES) break;
    }
  } finally {
    signal.removeEventListener('abort', abort);
  }
  const found = said.length === 0 ? 'the end of the connection' : JSON.stringify(said.toString('latin1', 0, 80));
  throw new HttpFault('unexpected_body', `expected a banner that matches /${tcp.bannerMatches}/, found ${found}`);
}

function asFault(error: unknown, address: string, signal: AbortSignal): HttpFault {
  if (!signal.aborted) return faultOf(error, address);
  const reason = signal.reason instanceof DeadlineExceeded ? signal.reason.message : 'stopped';
  return new HttpFault('timeout', `no connection to ${address}, or no banner: ${reason}`, { cause: error });
}
