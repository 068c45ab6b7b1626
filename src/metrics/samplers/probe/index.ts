import { RE2JS } from 're2js';
import type { HttpProbe, MetricSource, ProbeType } from '../../../core/model/metric-source.ts';
import type { Labels } from '../../../promql/series.ts';
import type { Sample } from '../../batch.ts';
import { beginExchange, type Exchange, readBody } from '../../http/exchange.ts';
import { HttpFault } from '../../http/http-fault.ts';
import { parseHttpUrl, unusable } from '../../http/http-url.ts';
import { labelsOf } from '../../labels.ts';
import type { Outcome, Sampler, SamplerDriver, SamplerMeans } from '../../sampler.ts';
import { formatStatuses } from './statuses.ts';

/** A body is looked at only up to this; a health page is never so large. */
const MAX_BODY_BYTES = 1024 * 1024;

export const probe: SamplerDriver<ProbeType> = {
  open: (source, { http }, means) => [openHttp(source, http, means)],
};

type Probe = {
  readonly url: URL;
  readonly http: HttpProbe;
  readonly pattern: RE2JS | undefined;
  readonly means: SamplerMeans;
  readonly report: Report;
};

function openHttp(source: MetricSource, http: HttpProbe, means: SamplerMeans): Sampler {
  const url = parseHttpUrl(http.url);
  if (url instanceof HttpFault) return unusable(http.url, url);
  const pattern = compilePattern(http.bodyMatches);
  if (pattern instanceof HttpFault) return unusable(http.url, pattern);
  const labels = { job: source.name, instance: url.href };
  const opened: Probe = { url, http, pattern, means, report: reporter(labels) };
  return {
    target: url.href,
    timeoutMs: http.timeoutMs,
    sample: (signal) => probeOnce(opened, signal),
    close: () => {},
  };
}

function compilePattern(expression: string | undefined): RE2JS | undefined | HttpFault {
  try {
    return expression === undefined ? undefined : RE2JS.compile(expression);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return new HttpFault('bad_pattern', `bodyMatches is not an RE2 expression: ${why}`, { cause: error });
  }
}

async function probeOnce(opened: Probe, signal: AbortSignal): Promise<Outcome> {
  const { clock } = opened.means;
  const begun = clock.elapsed();
  const answer: Answer = { status: 0 };
  try {
    await ask(opened, signal, answer);
    return { kind: 'sampled', samples: opened.report(1, clock.elapsed() - begun, answer.status) };
  } catch (error) {
    if (!(error instanceof HttpFault)) throw error;
    const { code, message } = error;
    const samples = opened.report(0, clock.elapsed() - begun, answer.status);
    return { kind: 'failed', samples, fault: { code, message } };
  }
}

/** The status is wanted also of an answer that then fails; 0 means that there was none. */
type Answer = { status: number };

async function ask(opened: Probe, signal: AbortSignal, answer: Answer): Promise<void> {
  const { url, http, means } = opened;
  const headers = await resolveHeaders(http.headers, means);
  // A new connection every time: that one can be made is part of what is probed.
  const exchange: Exchange = { url, method: http.method, headers, signal, agent: false, tls: {} };
  const response = await beginExchange(exchange);
  try {
    answer.status = response.statusCode ?? 0;
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

async function resolveHeaders(headers: HttpProbe['headers'], means: SamplerMeans): Promise<Record<string, string>> {
  const resolved: Record<string, string> = { 'user-agent': 'revertd' };
  for (const [name, value] of Object.entries(headers)) {
    resolved[name.toLowerCase()] = typeof value === 'string' ? value : await revealed(name, means.secret(value));
  }
  return resolved;
}

async function revealed(header: string, secret: Promise<string>): Promise<string> {
  try {
    return await secret;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new HttpFault('secret', `the secret for the header ${header} cannot be had: ${why}`, { cause: error });
  }
}

type Report = (success: 0 | 1, durationMs: number, status: number) => Sample[];

/** Under the names of the Prometheus project's blackbox exporter. */
function reporter(own: Readonly<Record<string, string>>): Report {
  const named = (name: string): Labels => labelsOf(Object.entries({ ...own, __name__: name }));
  const success = named('probe_success');
  const duration = named('probe_duration_seconds');
  const code = named('probe_http_status_code');
  return (isSuccess, durationMs, status) => [
    { labels: success, value: isSuccess },
    { labels: duration, value: durationMs / 1000 },
    { labels: code, value: status },
  ];
}
