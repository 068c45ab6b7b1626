import type { UnreachableCode } from '../policy-source.ts';

/** `gone`: the other side answers, and does not have what was asked for. */
export type GitFailure = UnreachableCode | 'gone';

/**
 * Git exits with 128 whatever went wrong, and says what only in words, in English under `LC_ALL=C`. This is the one place
 * that reads them; the first row that matches counts, as one fault often entails the words of another.
 */
const FAILURES: readonly (readonly [GitFailure, RegExp])[] = [
  ['storage', /No space left on device|Disk quota exceeded|Read-only file system|unable to create temporary file/],
  ['busy', /Unable to create '[^']*\.lock'/],
  ['forbiddenProtocol', /transport '[^']*' not allowed|protocol .* (?:not supported|disabled)/i],
  ['hostKey', /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/],
  ['auth', /Authentication failed|could not read (?:Username|Password)|Permission denied|returned error: 40[137]\b/i],
  [
    'tls',
    /SSL certificate|certificate verif|gnutls_handshake|SSL_ERROR|SSL routines|TLS connect error|SSL connect error/i,
  ],
  ['timeout', /timed out|Operation too slow/i],
  ['gone', /couldn't find remote ref|not our ref|unadvertised object/i],
  [
    'notFound',
    /repository .*not found|does not appear to be a git repository|not a git repository|returned error: 404\b|does not exist/i,
  ],
  [
    'corrupt',
    /bad object|bad tree object|unable to read [0-9a-f]{40}|is corrupt|is empty|did not send all necessary objects|inflate:|bad pack|missing (?:blob|tree|commit)|not a valid (?:object|pack)|Could not read [0-9a-f]{40}/,
  ],
  [
    'network',
    /Could not resolve|Connection (?:refused|reset|closed)|Failed to connect|Couldn't connect|Network is unreachable|No route to host|hung up unexpectedly|early EOF|unexpected disconnect|RPC failed|Empty reply|Recv failure|returned error: 5\d\d\b/i,
  ],
];

/** What kind of failure git's standard error speaks of. */
export function classifyFailure(stderr: string): GitFailure {
  return FAILURES.find(([, words]) => words.test(stderr))?.[0] ?? 'unknown';
}

const MENDING: Readonly<Record<GitFailure, string>> = {
  storage: 'the data folder cannot be written; look at its space and permissions',
  forbiddenProtocol: 'the server leads to a transport that is not allowed; use https:// or ssh://',
  hostKey: "the server's host key is unknown or has changed; compare it, and put it into the known hosts",
  auth: 'access was denied; look at the credentials of the source, and at what they may read',
  tls: "the server's certificate is not trusted; look at its name, its date and the certificate authorities of this host",
  timeout: 'the server did not answer in time',
  gone: 'the server does not have it',
  notFound: 'there is no such repository, or these credentials may not see it; look at the address',
  corrupt: 'the repository is damaged; run `git fsck` in it',
  network: 'the server cannot be reached',
  busy: 'another git process works in the mirror',
  gitMissing: 'git is not installed, or not on the PATH of revertd',
  unsteady: 'it changes while it is read',
  unknown: 'git failed',
};

/** A failure in words, with the line in which git says most. */
export function describeFailure(failure: GitFailure, subject: string, stderr: string): string {
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const telling =
    lines.find((line) => classifyFailure(line) === failure) ??
    lines.findLast((line) => line.startsWith('fatal:')) ??
    lines.at(-1);
  return `${subject}: ${MENDING[failure]}${telling === undefined ? '' : ` (git: ${telling})`}`;
}
