import { Socket } from 'node:net';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

/** A chain is never so long; a certificate that names itself as its issuer would be followed for ever. */
const LONGEST_CHAIN = 20;

/**
 * When the first certificate of the peer's chain expires, in seconds since the UNIX epoch, as the blackbox exporter's
 * `probe_ssl_earliest_cert_expiry` has it. Undefined without TLS.
 */
export function earliestExpiry(socket: unknown): number | undefined {
  if (!isEncrypted(socket)) return undefined;
  const expiries = chainOf(socket.getPeerCertificate(true)).map(({ valid_to: until }) => Date.parse(until) / 1000);
  const known = expiries.filter((seconds) => !Number.isNaN(seconds));
  return known.length === 0 ? undefined : Math.min(...known);
}

/** By its property `encrypted`, which Node documents for this purpose: TLS itself is not loaded to find that it is not used. */
function isEncrypted(socket: unknown): socket is TLSSocket {
  return socket instanceof Socket && 'encrypted' in socket;
}

function chainOf(leaf: DetailedPeerCertificate): DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = [];
  let next: DetailedPeerCertificate | undefined = leaf;
  while (next !== undefined && !chain.includes(next) && chain.length < LONGEST_CHAIN) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}
