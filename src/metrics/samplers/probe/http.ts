import type { RE2JS } from 're2js';
import type { HttpProbe, MetricSource } from '../../../core/model/metric-source.ts';
import type { Sample } from '../../batch.ts';
import { authorize, resolveHeaders, trustOf } from '../../http/credentials.ts';
import { beginExchange, type Exchange, readBody } from '../../http/exchange.ts';
import { HttpFault } from '../../http/http-fault.ts';
import { parseHttpUrl, unusable } from '../../http/http-url.ts';
import type { Outcome, Sampler, SamplerMeans } from '../../sampler.ts';
import { earliestExpiry } from './certificate.ts';
import { compilePattern } from './pattern.ts';
import { reporter } from './report.ts';
import { formatStatuses } from './statuses.ts';

/** A body is looked at only up to this; a health page is never so large. */
const MAX_BODY_BYTES = 1024 * 1024;

type Probe = {
  readonly url: URL;
  readonly http: HttpProbe;
  readonly pattern: RE2JS | undefined;
  readonly means: SamplerMeans;
  readonly report: Report;
};

export function openHttp(source: MetricSource, http: HttpProbe, means: SamplerMeans): Sampler {
  const url = parseHttpUrl(http.url);
  if (url instanceof HttpFault) return unusable(http.url, url);
  const pattern = compilePattern('bodyMatches', http.bodyMatches);
  if (pattern instanceof HttpFault) return unusable(http.url, pattern);
  const opened: Probe = { url, http, pattern, means, report: reportOf(source.name, url.href) };
  return {
    target: url.href,
    timeoutMs: http.timeoutMs,
    sample: (signal) => probeOnce(opened, signal),
    close: () => {},
  };
}

async function probeOnce(opened: Probe, signal: AbortSignal): Promise<Outcome> {
  const { clock } = opened.means;
  const begun = clock.elapsed();
  const answer: Answer = { status: 0 };
  try {
    await ask(opened, signal, answer);
    return { kind: 'sampled', samples: opened.report(1, clock.elapsed() - begun, answer) };
  } catch (error) {
    if (!(error instanceof HttpFault)) throw error;
    const { code, message } = error;
    return { kind: 'failed', samples: opened.report(0, clock.elapsed() - begun, answer), fault: { code, message } };
  }
}

/** These are wanted also of an answer that then fails; status 0 means that there was none. */
type Answer = { status: number; certificateExpiry?: number };

async function ask(opened: Probe, signal: AbortSignal, answer: Answer): Promise<void> {
  const { http } = opened;
  const exchange = await prepare(opened, signal);
  const response = await beginExchange(exchange);
  try {
    answer.status = response.statusCode ?? 0;
    const expiry = earliestExpiry(response.socket);
    if (expiry !== undefined) answer.certificateExpiry = expiry;
    if (!http.status.includes(answer.status)) {
      throw new HttpFault('status', `status ${answer.status}; expected ${formatStatuses(http.status)}`);
    }
    if (http.bodyContains === undefined && opened.pattern === undefined) return;
    const body = await readBody(response, exchange, MAX_BODY_BYTES);
    requireBody(body.toString('utf8'), opened);
  } finally {
    response.destroy();
  }
}

async function prepare({ url, http, means }: Probe, signal: AbortSignal): Promise<Exchange> {
  const { method, body } = http;
  const content = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const headers = {
    'user-agent': 'revertd',
    ...(content === undefined ? {} : { 'content-type': typeof body === 'string' ? 'text/plain' : 'application/json' }),
    ...(await authorize(http.auth, means)),
    ...(await resolveHeaders(http.headers, means)),
  };
  const tls = await trustOf(http.tls);
  // A new connection every time: that one can be made is part of what is probed.
  const request = { url, method, headers, signal, agent: false, tls } as const;
  return content === undefined ? request : { ...request, body: content };
}

function requireBody(body: string, { http, pattern }: Probe): void {
  if (http.bodyContains !== undefined && !body.includes(http.bodyContains)) {
    throw unexpected(`that contains ${JSON.stringify(http.bodyContains)}`, body);
  }
  if (pattern !== undefined && !pattern.test(body)) throw unexpected(`that matches /${http.bodyMatches}/`, body);
}

function unexpected(expected: string, body: string): HttpFault {
  const found = body === '' ? 'an empty one' : JSON.stringify(body.slice(0, 80));
  return new HttpFault('unexpected_body', `expected a body ${expected}, found ${found}`);
}

type Report = (success: 0 | 1, durationMs: number, answer: Answer) => Sample[];

function reportOf(job: string, instance: string): Report {
  const { ended, series } = reporter(job, instance);
  const code = series('probe_http_status_code');
  const expiry = series('probe_ssl_earliest_cert_expiry');
  return (success, durationMs, { status, certificateExpiry }) => [
    ...ended(success, durationMs),
    { labels: code, value: status },
    ...(certificateExpiry === undefined ? [] : [{ labels: expiry, value: certificateExpiry }]),
  ];
}
