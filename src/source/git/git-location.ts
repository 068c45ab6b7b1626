import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SourceError } from '../source-error.ts';

export type Credentials = { readonly username: string; readonly password: string };

/** Where a repository is, taken apart so that a secret in it reaches neither a command line nor a message. */
export type GitLocation = {
  readonly transport: 'local' | 'https' | 'http' | 'ssh';
  /** What git is given: an absolute path or a URL without credentials. */
  readonly address: string;
  /** Scheme, host and port, for what is asked over HTTP. */
  readonly origin?: string;
  /** What stood in the URL. */
  readonly credentials?: Credentials;
};

/**
 * Understands an absolute path, `file://`, `https://`, `ssh://`, `user@host:path`, and `http://` to this machine.
 * @throws {SourceError} `configuration`, for anything else; git's other transports can run commands or prove nothing
 */
export function parseGitLocation(text: string): GitLocation {
  if (/\p{Cc}/u.test(text) || text.trim() !== text || text === '') {
    throw wrong('the address of the repository is empty, or has spaces around it or control characters in it');
  }
  if (isAbsolute(text)) return { transport: 'local', address: text };
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return fromUrl(text);
  const secureCopy = /^(?:(?<user>[^@:/]+)@)?(?<host>\[[0-9a-f:]+\]|[^@:/]+):(?<path>[^:].*)$/i.exec(text)?.groups;
  if (secureCopy === undefined) throw wrong(`${withoutUser(text)} is no address of a git repository`);
  refuseOptions(secureCopy['user'], secureCopy['host'], secureCopy['path']);
  return { transport: 'ssh', address: text };
}

function fromUrl(text: string): GitLocation {
  if (!URL.canParse(text)) throw wrong(`${withoutUser(text)} is no URL that can be understood`);
  const url = new URL(text);
  switch (url.protocol) {
    case 'file:':
      return fromFileUrl(url);
    case 'https:':
      return fromHttpUrl(url, 'https');
    case 'http:':
      if (isLoopback(url.hostname)) return fromHttpUrl(url, 'http');
      throw wrong(`${url.protocol}//${url.host} is neither encrypted nor authenticated. Use https:// or ssh://`);
    case 'ssh:':
      return fromSshUrl(url);
    default:
      throw wrong(`${url.protocol}// is not supported. Use https://, ssh://, file:// or a path`);
  }
}

function fromFileUrl(url: URL): GitLocation {
  if (url.hostname !== '') throw wrong(`${url.href} names a host. Write file:///PATH`);
  return { transport: 'local', address: fileURLToPath(url) };
}

function fromHttpUrl(url: URL, transport: 'https' | 'http'): GitLocation {
  const username = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  if (bare.search !== '' || bare.hash !== '') {
    throw wrong(`${bare.origin}${bare.pathname} is followed by ? or #, which a repository's address has no use for`);
  }
  const place = { transport, address: bare.href, origin: bare.origin } as const;
  return username === '' && password === '' ? place : { ...place, credentials: { username, password } };
}

function fromSshUrl(url: URL): GitLocation {
  if (url.password !== '') throw wrong(`ssh://${url.host} has a password in its URL. Use a key`);
  refuseOptions(decodeURIComponent(url.username), url.hostname, url.pathname.slice(1));
  return { transport: 'ssh', address: url.href };
}

/** What begins with a dash could be taken for an option by ssh, or by git on the other side. */
function refuseOptions(...parts: readonly (string | undefined)[]): void {
  const option = parts.find((part) => part?.startsWith('-'));
  if (option !== undefined) throw wrong(`the part ${option} of the repository's address looks like an option`);
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d+){3}$/.test(hostname);
}

/** The user part of a URL is often a token. */
function withoutUser(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?[^/]*@/i, '$1');
}

function wrong(message: string): SourceError {
  return new SourceError('configuration', message);
}
