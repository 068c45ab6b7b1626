export type HttpFaultCode =
  | 'bad_url'
  | 'bad_pattern'
  | 'secret'
  | 'ca_file'
  | 'connection_refused'
  | 'connection_broken'
  | 'name_not_resolved'
  | 'unreachable'
  | 'tls'
  | 'timeout'
  | 'bad_http'
  | 'redirect'
  | 'status'
  | 'body_too_large'
  | 'content_encoding'
  | 'unexpected_body'
  | 'request_failed';

/** Why a request gave no usable answer. The message is for people, and holds no secret. */
export class HttpFault extends Error {
  override readonly name = 'HttpFault';
  readonly code: HttpFaultCode;

  constructor(code: HttpFaultCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What a failed request of Node's means, by its error code. `host` is named in the message. */
export function faultOf(error: unknown, host: string): HttpFault {
  if (error instanceof HttpFault) return error;
  const detail = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  return new HttpFault(classify(code), explain(classify(code), host, code, detail), { cause: error });
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

const BY_CODE: Readonly<Record<string, HttpFaultCode>> = {
  ECONNREFUSED: 'connection_refused',
  ECONNRESET: 'connection_broken',
  EPIPE: 'connection_broken',
  ERR_STREAM_PREMATURE_CLOSE: 'connection_broken',
  ENOTFOUND: 'name_not_resolved',
  EAI_AGAIN: 'name_not_resolved',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ETIMEDOUT: 'timeout',
  EPROTO: 'tls',
  HOSTNAME_MISMATCH: 'tls',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls',
};

/** Families of codes: Node's and OpenSSL's about TLS and certificates, llhttp's, zlib's. */
const BY_PREFIX: readonly (readonly [prefix: string, code: HttpFaultCode])[] = [
  ['ERR_TLS_', 'tls'],
  ['ERR_SSL_', 'tls'],
  ['ERR_OSSL_', 'tls'],
  ['CERT_', 'tls'],
  ['CRL_', 'tls'],
  ['UNABLE_TO_', 'tls'],
  ['INVALID_', 'tls'],
  ['HPE_', 'bad_http'],
  ['Z_', 'content_encoding'],
];

function classify(code: string): HttpFaultCode {
  const exact = Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined;
  return exact ?? BY_PREFIX.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 'request_failed';
}

function explain(fault: HttpFaultCode, host: string, code: string, detail: string): string {
  switch (fault) {
    case 'connection_refused':
      return `nothing listens on ${host} (connection refused)`;
    case 'connection_broken':
      return `${host} closed the connection before the answer was complete (${code})`;
    case 'name_not_resolved':
      return `the name of ${host} cannot be resolved (${code})`;
    case 'unreachable':
      return `${host} cannot be reached (${code})`;
    case 'tls':
      return `no trusted TLS connection to ${host}: ${detail} (${code}); a private authority goes into tls.caFile`;
    case 'content_encoding':
      return `the compressed answer of ${host} is damaged (${code})`;
    default:
      return `the request to ${host} failed: ${detail}`;
  }
}
