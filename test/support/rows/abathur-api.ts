/**
 * The API of abathur. What its configuration says is read when it starts; with semantic search it asks the vector extension,
 * which FAULTS, a JSON file, may break or slow down. Searches come by themselves.
 * Usage: node abathur-api.ts PORT CONFIG FAULTS
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Counter, Histogram, register } from 'prom-client';

export type AbathurFaults = {
  readonly extensionFails?: boolean;
  /** So long does a semantic search take. */
  readonly seconds?: number;
  readonly isSick?: boolean;
};

type Configuration = { readonly featureFlags: Readonly<Record<string, boolean>> };

const [port = '', config = '', faultsFile = ''] = process.argv.slice(2);
const { featureFlags } = JSON.parse(readFileSync(config, 'utf8')) as Configuration;
const errors = new Counter({ name: 'abathur_vector_extension_errors_total', help: 'Failed calls of the extension' });
const seconds = new Histogram({
  name: 'abathur_semantic_search_seconds',
  help: 'How long semantic searches take',
  buckets: [0.1, 0.25, 0.5, 1, 2],
});
let scrapes = 0;

function faults(): AbathurFaults {
  return JSON.parse(readFileSync(faultsFile, 'utf8')) as AbathurFaults;
}

function search(): void {
  if (featureFlags['semantic_search_enabled'] !== true) return;
  const { extensionFails = false, seconds: taken = 0.05 } = faults();
  if (extensionFails) errors.inc();
  seconds.observe(taken);
}

setInterval(search, 100);

createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
  switch (pathname) {
    case '/metrics':
      scrapes += 1;
      return void register.metrics().then((text) => response.end(text));
    case '/health':
      return void response.end(JSON.stringify({ status: faults().isSick === true ? 'sick' : 'healthy' }));
    case '/state':
      return void response.end(JSON.stringify({ scrapes, featureFlags }));
    default:
      return void response.writeHead(searchParams.get('mode') === 'exact' ? 200 : 404).end();
  }
}).listen(Number(port), '127.0.0.1');
