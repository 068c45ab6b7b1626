import type { Agent } from 'node:http';
import type { MetricSource, ScrapeType } from '../../../core/model/metric-source.ts';
import { HttpAgent, nodeHttps } from '../../../drivers/node-http.ts';
import type { Sample } from '../../batch.ts';
import { ACCEPT, decodeBody, formatOf } from '../../exposition/decode.ts';
import { ExpositionError } from '../../exposition/exposition-error.ts';
import { DEFAULT_MAX_BYTES, DEFAULT_MAX_SAMPLES } from '../../exposition/limits.ts';
import { parseExposition } from '../../exposition/parse.ts';
import { SeriesTable } from '../../exposition/series-table.ts';
import { authorize, trustOf } from '../../http/credentials.ts';
import { beginExchange, type Exchange, readBody } from '../../http/exchange.ts';
import { HttpFault } from '../../http/http-fault.ts';
import { parseHttpUrl, unusable } from '../../http/http-url.ts';
import type { Outcome, Sampler, SamplerDriver, SamplerMeans } from '../../sampler.ts';
import { type Report, reporter } from '../scrape-report.ts';
import { targetLabels, withTargetLabels } from './target-labels.ts';

export const scrape: SamplerDriver<ScrapeType> = {
  open: (source, type, means) => type.targets.map((target) => openTarget(source, type, target, means)),
};

/** Everything about one target that stays the same from scrape to scrape. */
type Target = {
  readonly url: URL;
  readonly type: ScrapeType;
  readonly agent: Agent;
  readonly table: SeriesTable;
  readonly means: SamplerMeans;
};

function openTarget(source: MetricSource, type: ScrapeType, address: string, means: SamplerMeans): Sampler {
  const url = parseHttpUrl(address);
  if (url instanceof HttpFault) return unusable(address, url);
  const own = targetLabels(source.name, url, type.labels);
  const table = new SeriesTable((exposed) => withTargetLabels(exposed, own));
  const options = { keepAlive: true, maxSockets: 1, maxFreeSockets: 1 };
  const agent = url.protocol === 'https:' ? new (nodeHttps().Agent)(options) : new HttpAgent(options);
  const target: Target = { url, type, agent, table, means };
  const report = reporter(own);
  return {
    target: url.href,
    timeoutMs: type.timeoutMs,
    sample: (signal) => scrapeOnce(target, report, signal),
    close: () => agent.destroy(),
  };
}

async function scrapeOnce(target: Target, report: Report, signal: AbortSignal): Promise<Outcome> {
  const { clock } = target.means;
  const begun = clock.elapsed();
  try {
    const samples = await fetchSamples(target, signal);
    // The report goes first: of samples with the same labels the first counts, and a target does not say itself that it is up.
    return { kind: 'sampled', samples: report(1, clock.elapsed() - begun, samples.length).concat(samples) };
  } catch (error) {
    if (!(error instanceof HttpFault || error instanceof ExpositionError)) throw error;
    const { code, message } = error;
    return { kind: 'failed', samples: report(0, clock.elapsed() - begun, 0), fault: { code, message } };
  }
}

async function fetchSamples(target: Target, signal: AbortSignal): Promise<Sample[]> {
  const { type, table } = target;
  const exchange = await prepare(target, signal);
  const response = await beginExchange(exchange);
  try {
    requireOk(response.statusCode ?? 0, response.headers.location);
    const format = formatOf(response.headers['content-type']);
    const body = await readBody(response, exchange, type.limits?.bytes ?? DEFAULT_MAX_BYTES);
    return parseExposition(decodeBody(body), table, { format, limit: type.limits?.samples ?? DEFAULT_MAX_SAMPLES });
  } finally {
    // An answer that is not read to its end would keep the only connection busy.
    if (!response.readableEnded) response.destroy();
  }
}

async function prepare({ url, type, agent, means }: Target, signal: AbortSignal): Promise<Exchange> {
  const headers = {
    accept: ACCEPT,
    'accept-encoding': 'gzip',
    'user-agent': 'revertd',
    'x-prometheus-scrape-timeout-seconds': String(type.timeoutMs / 1000),
    ...(await authorize(type.auth, means)),
  };
  return { url, method: 'GET', headers, signal, agent, tls: await trustOf(type.tls) };
}

function requireOk(status: number, location: string | undefined): void {
  if (status === 200) return;
  if (status >= 300 && status < 400) {
    const where = location === undefined ? '' : ` to ${location}`;
    throw new HttpFault(
      'redirect',
      `status ${status}, a redirect${where}, is not followed: name the final URL in targets`,
    );
  }
  throw new HttpFault('status', `status ${status}; expected 200`);
}
