import { expect, test } from 'vitest';
import { classifyFailure, describeFailure, type GitFailure } from './git-failures.ts';

/** What git 2.39, curl 7.88 and OpenSSH 9.2 write, and the forms of other versions and servers. */
const OUTPUTS: readonly (readonly [GitFailure, string])[] = [
  ['auth', "remote: HTTP Basic: Access denied\nfatal: Authentication failed for 'https://host/a.git/'"],
  ['auth', "fatal: could not read Username for 'https://host': terminal prompts disabled"],
  ['auth', "fatal: unable to access 'https://host/a/': The requested URL returned error: 403"],
  [
    'auth',
    'git@host: Permission denied (publickey).\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.',
  ],
  ['gitMissing', "ssh -o 'BatchMode=yes': 1: ssh: not found\nfatal: Could not read from remote repository."],
  ['gitMissing', 'error: cannot run ssh: No such file or directory\nfatal: unable to fork'],
  ['hostKey', 'Host key verification failed.\nfatal: Could not read from remote repository.'],
  ['tls', "fatal: unable to access 'https://host/': SSL certificate problem: self-signed certificate"],
  [
    'tls',
    "fatal: unable to access 'https://host/': server certificate verification failed. CAfile: none CRLfile: none",
  ],
  ['tls', "fatal: unable to access 'https://host/': gnutls_handshake() failed: Handshake failed"],
  ['notFound', "fatal: repository 'https://host/a/' not found"],
  ['notFound', 'ERROR: Repository not found.\nfatal: Could not read from remote repository.'],
  [
    'notFound',
    "fatal: '/srv/none' does not appear to be a git repository\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.",
  ],
  ['network', "fatal: unable to access 'https://host/': Could not resolve host: host"],
  [
    'network',
    "fatal: unable to access 'http://127.0.0.1:1/': Failed to connect to 127.0.0.1 port 1 after 0 ms: Couldn't connect to server",
  ],
  ['network', 'ssh: connect to host host port 22: Connection refused\nfatal: Could not read from remote repository.'],
  ['network', 'ssh: Could not resolve hostname host: Name or service not known'],
  [
    'network',
    'error: RPC failed; curl 18 transfer closed with outstanding read data remaining\nfetch-pack: unexpected disconnect while reading sideband packet\nfatal: early EOF\nfatal: fetch-pack: invalid index-pack output',
  ],
  ['network', "fatal: unable to access 'https://host/': The requested URL returned error: 502"],
  ['timeout', 'ssh: connect to host host port 22: Connection timed out\nfatal: Could not read from remote repository.'],
  [
    'timeout',
    "fatal: unable to access 'https://host/': Operation too slow. Less than 1 bytes/sec transferred the last 30 seconds",
  ],
  ['gone', "fatal: couldn't find remote ref refs/heads/none"],
  ['gone', 'fatal: remote error: upload-pack: not our ref aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
  ['gone', 'error: Server does not allow request for unadvertised object aaaa'],
  ['forbiddenProtocol', "fatal: transport 'ext' not allowed"],
  ['storage', 'fatal: write error: No space left on device\nfatal: fetch-pack: invalid index-pack output'],
  ['exhausted', 'fatal: Out of memory, malloc failed (tried to allocate 1 bytes)'],
  [
    'busy',
    "error: cannot lock ref 'refs/revertd/tip': Unable to create '/data/mirror.git/refs/revertd/tip.lock': File exists.",
  ],
  ['corrupt', 'error: object file .git/objects/ab/cd is empty\nfatal: loose object abcd (stored in x) is corrupt'],
  ['corrupt', 'error: /srv/a did not send all necessary objects'],
  ['corrupt', 'fatal: bad object refs/revertd/tip'],
  ['unknown', 'fatal: something that no version said before'],
  ['unknown', ''],
];

test.each(OUTPUTS)('%s: %j', (failure, output) => {
  expect(classifyFailure(output)).toBe(failure);
});

test('the message says what to do, and quotes the line that tells most', () => {
  const output =
    'warning: something else\ngit@host: Permission denied (publickey).\nfatal: Could not read from remote repository.\n';
  expect(describeFailure('auth', 'git@host:a', output)).toBe(
    'git@host:a: access was denied; look at the credentials of the source, and at what they may read (git: git@host: Permission denied (publickey).)',
  );
  expect(describeFailure('unknown', '/srv/a', 'hint: x\nfatal: odd\nmore\n')).toBe(
    '/srv/a: git failed (git: fatal: odd)',
  );
  expect(describeFailure('unknown', '/srv/a', '')).toBe('/srv/a: git failed');
});
