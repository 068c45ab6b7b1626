import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { HostConfig, Role } from '../policy/host-config.ts';

/** Who sends a request over the port, and what they may do. */
export type Principal = { readonly name: string; readonly role: Role };

/** Each includes what stands before it. */
const ROLES: readonly Role[] = ['application', 'viewer', 'operator', 'admin'];

export function mayActAs(principal: Principal, role: Role): boolean {
  return ROLES.indexOf(principal.role) >= ROLES.indexOf(role);
}

/** Says who a request is from; undefined where a token is needed, or the one that is given is none. */
export type Authenticate = (request: IncomingMessage) => Principal | undefined;

export type AccessToken = { readonly name: string; readonly role: Role; readonly token: string };

/** Whoever needs no token may read. */
export const ANYBODY: Principal = { name: 'anonymous', role: 'viewer' };

/**
 * Tokens are given as `Authorization: Bearer TOKEN`, or as `X-API-Key: TOKEN`. Their digests are compared, so that the time
 * that it takes tells nothing about them. What was found to be one is remembered as it was given: applications send the same
 * thousands of times a second.
 */
export function authenticateBy(tokens: readonly AccessToken[], isOpen: boolean): Authenticate {
  const known = new Map(tokens.map(({ name, role, token }) => [digestOf(token), { name, role }] as const));
  const seen = new Map<string, Principal>();
  return ({ headers }) => {
    const given = headers.authorization ?? headers['x-api-key'];
    if (typeof given !== 'string') return isOpen ? ANYBODY : undefined;
    const remembered = seen.get(given);
    if (remembered !== undefined) return remembered;
    const principal = known.get(digestOf(headers.authorization === undefined ? given : tokenIn(given)));
    // Only whoever knows a token can write it in several ways.
    if (principal !== undefined && seen.size < MOST_SPELLINGS) seen.set(given, principal);
    return principal;
  };
}

const MOST_SPELLINGS = 1_000;

const BEARER = 'bearer ';

function tokenIn(authorization: string): string {
  const isBearer = authorization.slice(0, BEARER.length).toLowerCase() === BEARER;
  return isBearer ? authorization.slice(BEARER.length).trim() : authorization;
}

function digestOf(token: string): string {
  return hash('sha256', token);
}

/** The tokens of the configuration, with their secrets. Rejects with SecretError. */
export async function tokensOf(
  { tokens }: HostConfig['server'],
  resolve: (ref: HostConfig['server']['tokens'][number]['token']) => Promise<string>,
): Promise<readonly AccessToken[]> {
  return await Promise.all(tokens.map(async ({ name, role, token }) => ({ name, role, token: await resolve(token) })));
}
