import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { createAllowList } from '../../allow-list.ts';
import { createSecretResolver } from '../../secrets.ts';
import type { StepOf } from '../step-driver.ts';
import { httpStep } from './index.ts';

/** Answers the given statuses one after the other, the last one for ever; 0 cuts the connection. */
async function serve(...answers: readonly number[]) {
  const keys: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const status = answers[Math.min(keys.length, answers.length - 1)] ?? 200;
    keys.push(request.headers['idempotency-key']?.toString());
    if (status === 0) request.socket.destroy();
    else response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, keys };
}

const perform = (url: string, rest: Partial<StepOf<'http'>>) => {
  const secrets = createSecretResolver({});
  const ask = () => Promise.resolve({ outcome: 'unknown', detail: '' } as const);
  const step: StepOf<'http'> = {
    origin: { file: 'test.yaml', line: 1, column: 1 },
    timeoutMs: 15_000,
    kind: 'http',
    method: 'POST',
    url,
    headers: {},
    status: [],
    repeatable: true,
    unless: [],
    retries: 1,
    ...rest,
  };
  const context = { signal: new AbortController().signal, operation: 'op-1', once: 'op-1', secrets };
  return httpStep({ secrets, allow: createAllowList({}), ask }).perform(step, {
    ...context,
    log: () => undefined,
    remember: () => undefined,
  });
};

it.each([
  ['a busy server', [503, 200], {}, 2, 'done'],
  ['a broken connection', [0, 200], {}, 2, 'done'],
  ['a broken connection of what may not be sent twice', [0, 200], { repeatable: false }, 1, 'failed'],
  ['what the server refuses', [422, 200], {}, 1, 'failed'],
  ['a status that is expected', [503, 200], { status: [503] }, 1, 'done'],
  ['as often as allowed', [503], {}, 2, 'failed'],
  ['not at all', [503, 200], { retries: 0 }, 1, 'failed'],
])('%s', async (_, answers, rest, sent, outcome) => {
  const { url, keys } = await serve(...answers);
  expect((await perform(url, rest)).outcome).toBe(outcome);
  expect(keys).toStrictEqual(Array.from({ length: sent }, () => 'op-1'));
});
