import { expect, test } from 'vitest';
import { parseGitLocation } from './git-location.ts';

test.each([
  ['/srv/policies.git', { transport: 'local', address: '/srv/policies.git' }],
  ['/srv/a:b', { transport: 'local', address: '/srv/a:b' }],
  ['file:///srv/with%20space', { transport: 'local', address: '/srv/with space' }],
  ['https://host/a.git', { transport: 'https', address: 'https://host/a.git', origin: 'https://host' }],
  ['HTTPS://Host:8443/a', { transport: 'https', address: 'https://host:8443/a', origin: 'https://host:8443' }],
  [
    'https://me:s%40cret@host/a',
    {
      transport: 'https',
      address: 'https://host/a',
      origin: 'https://host',
      credentials: { username: 'me', password: 's@cret' },
    },
  ],
  [
    'https://token@host/a',
    {
      transport: 'https',
      address: 'https://host/a',
      origin: 'https://host',
      credentials: { username: 'token', password: '' },
    },
  ],
  ['http://127.0.0.1:80/a', { transport: 'http', address: 'http://127.0.0.1/a', origin: 'http://127.0.0.1' }],
  [
    'http://localhost:3000/a',
    { transport: 'http', address: 'http://localhost:3000/a', origin: 'http://localhost:3000' },
  ],
  ['http://[::1]:3000/a', { transport: 'http', address: 'http://[::1]:3000/a', origin: 'http://[::1]:3000' }],
  ['ssh://git@host:2222/a.git', { transport: 'ssh', address: 'ssh://git@host:2222/a.git' }],
  ['git@host:team/a.git', { transport: 'ssh', address: 'git@host:team/a.git' }],
  ['host:a', { transport: 'ssh', address: 'host:a' }],
])('%s', (text, expected) => {
  expect(parseGitLocation(text)).toEqual(expected);
});

test.each([
  ['', 'empty'],
  [' https://host/a', 'spaces around'],
  ['https://host/a\nb', 'control characters'],
  ['policies', 'no address'],
  ['./policies', 'no address'],
  ['--upload-pack=touch /tmp/x', 'no address'],
  ['--upload-pack:x', 'looks like an option'],
  ['-oProxyCommand=x:y', 'looks like an option'],
  ['git@-oProxyCommand=x:y', 'looks like an option'],
  ['git@host:--option', 'looks like an option'],
  ['ssh://-oProxyCommand=x/a', 'looks like an option'],
  ['ssh://host/-a', 'looks like an option'],
  ['ssh://me:pass@host/a', 'has a password'],
  ['ext::sh -c touch', 'no address'],
  ['ext://sh', 'ext:// is not supported'],
  ['git://host/a', 'git:// is not supported'],
  ['http://host/a', 'neither encrypted nor authenticated'],
  ['http://127.0.0.1.example.org/a', 'neither encrypted'],
  ['file://host/a', 'names a host'],
  ['https://host/a?private_token=x', 'followed by ? or #'],
  ['https://', 'no URL'],
])('%j is refused: %s', (text, message) => {
  expect(() => parseGitLocation(text)).toThrow(
    expect.objectContaining({ code: 'configuration', message: expect.stringContaining(message) }),
  );
});

test.each([
  'https://me:hush@',
  'http://hush@example.org/a',
  'https://me:hush@host/a?x',
  'ssh://me:hush@host/a',
  'hush@@',
])('the refusal of %s does not repeat the secret', (text) => {
  expect(() => parseGitLocation(text)).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('hush') }),
  );
});
