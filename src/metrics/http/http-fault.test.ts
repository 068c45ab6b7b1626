import { describe, expect, it } from 'vitest';
import { faultOf, HttpFault } from './http-fault.ts';

function failure(code: string): Error {
  return Object.assign(new Error(`what Node says about ${code}`), { code });
}

describe('a failed request', () => {
  it.each([
    ['ECONNREFUSED', 'connection_refused', 'nothing listens on db:9187'],
    ['ECONNRESET', 'connection_broken', 'db:9187 closed the connection'],
    ['ENOTFOUND', 'name_not_resolved', 'the name of db:9187 cannot be resolved'],
    ['EAI_AGAIN', 'name_not_resolved', 'cannot be resolved'],
    ['EHOSTUNREACH', 'unreachable', 'cannot be reached'],
    ['CERT_HAS_EXPIRED', 'tls', 'what Node says about CERT_HAS_EXPIRED'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls', 'goes into tls.caFile'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls', 'no trusted TLS connection to db:9187'],
    ['HPE_HEADER_OVERFLOW', 'bad_http', 'what Node says about HPE_HEADER_OVERFLOW'],
    ['Z_DATA_ERROR', 'content_encoding', 'damaged'],
    ['EMFILE', 'request_failed', 'what Node says about EMFILE'],
    ['constructor', 'request_failed', 'what Node says about constructor'],
  ])('with %s is %s', (code, expected, message) => {
    const cause = failure(code);
    const fault = faultOf(cause, 'db:9187');
    expect(fault).toMatchObject({ code: expected, message: expect.stringContaining(message), cause });
  });

  it('that is explained already stays as it is', () => {
    const fault = new HttpFault('redirect', 'r');
    expect(faultOf(fault, 'db')).toBe(fault);
  });
});
