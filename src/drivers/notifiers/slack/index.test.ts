import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { startServer } from '../../../../test/support/recording-server.ts';
import type { Notifier } from '../../../core/model/notifier.ts';
import { createAllowList } from '../../allow-list.ts';
import { createSecretResolver } from '../../secrets.ts';
import type { Message } from '../notifier-driver.ts';
import { parseRetryAfter } from '../post.ts';
import { slackNotifier } from './index.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
let answer: { status: number; headers: Record<string, string>; body: string };
const server = await startServer((_request, response) => {
  response.writeHead(answer.status, answer.headers).end(answer.body);
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  answer = { status: 200, headers: {}, body: 'ok' };
});

const secrets = createSecretResolver({ HOOK: `${server.url}/services/T0/B0/hunter22` });
const driver = slackNotifier({ allow: createAllowList({}) });

function send(change: Partial<Message> = {}, templates: Notifier['templates'] = {}) {
  const message: Message = {
    id: 'INC-1/asking',
    topic: 'asking',
    severity: 'critical',
    title: 'INC-1 guard: a person is asked',
    text: 'why',
    host: 'web-1',
    at: NOW,
    facts: {},
    ...change,
  };
  const type = { kind: 'slack', url: { env: 'HOOK' } } as const;
  const origin = { file: 't.yaml', line: 1, column: 1 };
  return driver.send(
    { name: 'n', origin, suspend: false, on: ['asking'], timeoutMs: 5_000, templates, type },
    message,
    { signal: new AbortController().signal, secrets, now: () => NOW },
  );
}

type Payload = {
  readonly text: string;
  readonly blocks: readonly {
    readonly type: string;
    readonly text?: { readonly type: string; readonly text: string };
  }[];
};
const arrived = (): Payload => JSON.parse(server.received.at(-1)?.body ?? '{}') as Payload;

describe('a message to Slack', () => {
  test('has a header, the text as mrkdwn, and whose it is', async () => {
    expect(await send()).toMatchObject({ outcome: 'delivered', detail: 'the receiver answered 200: ok' });
    expect(arrived()).toMatchObject({
      text: 'INC-1 guard: a person is asked',
      blocks: [
        { type: 'header', text: { type: 'plain_text', text: 'INC-1 guard: a person is asked' } },
        { type: 'section', text: { type: 'mrkdwn', text: expect.stringContaining('why') } },
        { type: 'context', elements: [{ text: 'web-1 · critical · 2026-01-02T03:04:05.000Z' }] },
      ],
    });
  });

  test('mentions and links nobody by what is filled in, and whom its template says', async () => {
    const text = '<!channel> <@U1> <https://x|y> & *bold*';
    await send(
      { title: 'a <!here>', text },
      { asking: { file: 't.md', text: '${title}\n\n<!subteam^S1> *now*: ${text}' } },
    );
    const { text: fallback, blocks } = arrived();
    expect(fallback).toBe('a &lt;!here&gt;');
    expect(blocks[0]?.text?.text).toBe('a <!here>');
    expect(blocks[1]?.text?.text).toBe(
      '<!subteam^S1> *now*: &lt;!channel&gt; &lt;@U1&gt; &lt;https://x|y&gt; &amp; *bold*',
    );
  });

  test('keeps to the lengths that Slack takes', async () => {
    await send({
      title: 'x'.repeat(400),
      text: Array.from({ length: 2_000 }, (_, index) => `line ${index}`).join('\n'),
    });
    const { blocks } = arrived();
    expect(blocks[0]?.text?.text).toHaveLength(150);
    const sections = blocks.filter(({ type }) => type === 'section').map(({ text }) => text?.text ?? '');
    expect(sections).toHaveLength(5);
    for (const section of sections) expect(section.length).toBeLessThanOrEqual(3_000);
    expect(sections[0]).toMatch(/^line 0\nline 1\n/);
  });

  test('never tells the address', async () => {
    answer = { status: 404, headers: {}, body: `no_service at ${server.url}/services/T0/B0/hunter22` };
    const delivery = await send();
    expect(delivery).toMatchObject({ outcome: 'failed', retry: false });
    expect(delivery.detail).not.toMatch(/hunter22|T0/);
  });

  test.each([
    [
      '429 with a number',
      { status: 429, headers: { 'retry-after': '30' }, body: '' },
      { retry: true, retryAfterMs: 30_000 },
    ],
    ['429 without', { status: 429, headers: {}, body: '' }, { retry: true }],
    ['503', { status: 503, headers: {}, body: '' }, { retry: true }],
    ['400', { status: 400, headers: {}, body: 'invalid_payload' }, { retry: false }],
    ['410', { status: 410, headers: {}, body: 'channel_is_archived' }, { retry: false }],
  ])('after an answer of %s is treated so', async (_title, given, expected) => {
    answer = given;
    const { outcome, detail: _detail, ...rest } = await send();
    expect(outcome).toBe('failed');
    expect(rest).toEqual(expected);
  });
});

test.each([
  ['120', 120_000],
  [' 5 ', 5_000],
  [new Date(NOW + 90_000).toUTCString(), 90_000],
  [new Date(NOW - 90_000).toUTCString(), 0],
  ['soon', undefined],
  ['-5', undefined],
  ['', undefined],
])('Retry-After: %j', (text, expected) => {
  expect(parseRetryAfter(text, NOW)).toBe(expected);
});
