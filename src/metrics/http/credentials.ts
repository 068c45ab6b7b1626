import { readFile } from 'node:fs/promises';
import type { HttpAuth, SourceHeaders, TlsFiles } from '../../core/model/metric-source.ts';
import type { SamplerMeans } from '../sampler.ts';
import type { TlsTrust } from './exchange.ts';
import { HttpFault } from './http-fault.ts';

type Secrets = Pick<SamplerMeans, 'secret'>;

/** The header that logs in, or none. Throws an HttpFault. */
export async function authorize(auth: HttpAuth | undefined, means: Secrets): Promise<Record<string, string>> {
  if (auth === undefined) return {};
  try {
    switch (auth.kind) {
      case 'basic': {
        const pair = `${auth.username}:${await means.secret(auth.password)}`;
        return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
      }
      case 'bearer':
        return { authorization: `Bearer ${await means.secret(auth.token)}` };
      default:
        return auth satisfies never;
    }
  } catch (error) {
    throw noSecret(`${auth.kind} authentication`, error);
  }
}

/** Headers under their names in small letters, with the secrets among them resolved. Throws an HttpFault. */
export async function resolveHeaders(headers: SourceHeaders, means: Secrets): Promise<Record<string, string>> {
  const resolved: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    resolved[name.toLowerCase()] =
      typeof value === 'string'
        ? value
        : await means.secret(value).catch((error: unknown) => {
            throw noSecret(`the header ${name}`, error);
          });
  }
  return resolved;
}

function noSecret(what: string, error: unknown): HttpFault {
  const why = error instanceof Error ? error.message : String(error);
  return new HttpFault('secret', `the secret for ${what} cannot be had: ${why}`, { cause: error });
}

/** Reads the files anew, so that what was renewed is taken up. Throws an HttpFault. */
export async function trustOf(tls: TlsFiles = {}): Promise<TlsTrust> {
  const { caFile, serverName, certFile, keyFile } = tls;
  return {
    ...(caFile === undefined ? {} : { ca: await readPem('tls.caFile', caFile) }),
    ...(serverName === undefined ? {} : { serverName }),
    ...(certFile === undefined ? {} : { cert: await readPem('tls.certFile', certFile) }),
    ...(keyFile === undefined ? {} : { key: await readPem('tls.keyFile', keyFile) }),
  };
}

async function readPem(what: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new HttpFault('ca_file', `${what} ${path} cannot be read`, { cause: error });
  }
}
