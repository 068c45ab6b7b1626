import { expect, test } from 'vitest';
import { followLink, type Place } from './links.ts';

const tree: Readonly<Record<string, Place>> = {
  'a.yaml': { kind: 'file' },
  sub: { kind: 'folder' },
  'sub/b.yaml': { kind: 'file' },
  pipe: { kind: 'other' },
  near: { kind: 'link', target: 'a.yaml' },
  'sub/up': { kind: 'link', target: '../a.yaml' },
  chain: { kind: 'link', target: 'sub/up' },
  dotted: { kind: 'link', target: './sub//./b.yaml' },
  '..data': { kind: 'link', target: '..2026' },
  '..2026': { kind: 'folder' },
  '..2026/c.yaml': { kind: 'file' },
  'c.yaml': { kind: 'link', target: '..data/c.yaml' },
  folder: { kind: 'link', target: 'sub' },
  self: { kind: 'link', target: '.' },
  dangling: { kind: 'link', target: 'none.yaml' },
  'through-file': { kind: 'link', target: 'a.yaml/x' },
  'up-from-file': { kind: 'link', target: 'a.yaml/../a.yaml' },
  'to-pipe': { kind: 'link', target: 'pipe' },
  outside: { kind: 'link', target: '../elsewhere.yaml' },
  'out-and-in': { kind: 'link', target: '../policies/a.yaml' },
  'sub/deep': { kind: 'link', target: '../../x' },
  absolute: { kind: 'link', target: '/etc/passwd' },
  'via-outside': { kind: 'link', target: 'outside/x.yaml' },
  ping: { kind: 'link', target: 'pong' },
  pong: { kind: 'link', target: 'ping' },
};

test.each([
  ['near', { end: 'file', path: 'a.yaml' }],
  ['sub/up', { end: 'file', path: 'a.yaml' }],
  ['chain', { end: 'file', path: 'a.yaml' }],
  ['dotted', { end: 'file', path: 'sub/b.yaml' }],
  ['c.yaml', { end: 'file', path: '..2026/c.yaml' }],
  ['folder', { end: 'folder' }],
  ['self', { end: 'folder' }],
  ['dangling', { end: 'nowhere' }],
  ['through-file', { end: 'nowhere' }],
  ['up-from-file', { end: 'nowhere' }],
  ['to-pipe', { end: 'nowhere' }],
  ['outside', { end: 'outside' }],
  ['out-and-in', { end: 'outside' }],
  ['sub/deep', { end: 'outside' }],
  ['absolute', { end: 'outside' }],
  ['via-outside', { end: 'outside' }],
  ['ping', { end: 'loop' }],
])('%s ends %o', async (path, expected) => {
  expect(await followLink(path, async (at) => tree[at])).toEqual(expected);
});
