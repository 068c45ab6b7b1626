import type { Sampler } from '../sampler.ts';
import { HttpFault } from './http-fault.ts';

/** An http or https URL without credentials in it; they would be shown wherever the target is named. */
export function parseHttpUrl(text: string): URL | HttpFault {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    return new HttpFault('bad_url', `expected a URL like http://127.0.0.1:9464/metrics, found ${JSON.stringify(text)}`);
  }
  if (url.username !== '' || url.password !== '') {
    return new HttpFault('bad_url', `the URL of ${url.host} has credentials in it; name them under auth instead`);
  }
  return url;
}

/** A sampler of a target that cannot be sampled: it fails every time, and says why. */
export function unusable(address: string, { code, message }: HttpFault): Sampler {
  const outcome = { kind: 'failed', samples: [], fault: { code, message } } as const;
  return {
    target: withoutCredentials(address),
    timeoutMs: 1000,
    sample: () => Promise.resolve(outcome),
    close: () => {},
  };
}

function withoutCredentials(address: string): string {
  return address.replace(/\/\/[^/]*@/, '//');
}
