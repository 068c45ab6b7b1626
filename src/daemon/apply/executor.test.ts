import { expect, test } from 'vitest';
import { aRun, ORIGIN } from '../../../test/support/policies.ts';
import { startServer } from '../../../test/support/recording-server.ts';
import type { EventSpec } from '../../core/event.ts';
import { firstAttempt, type Operation } from '../../core/model/operation.ts';
import type { Step } from '../../core/model/step.ts';
import { Executor } from './executor.ts';
import { createHands } from './hands.ts';

function anOperation(argv: readonly string[], step: Step = aRun(argv)): Operation {
  const action = {
    kind: 'step',
    key: 'step:INC-1/flags/do/0',
    sign: '!',
    reason: '',
    losesData: false,
    preconditions: [],
    incident: 'INC-1',
    rung: 'flags',
    step,
  } as const;
  return { id: `${action.key}#1`, action, plannedAt: 0, state: 'planned', fingerprint: null };
}

function anExecutor(record: (event: EventSpec) => void, hostName = 'test') {
  const faults: unknown[] = [];
  const executor = new Executor({
    hands: createHands({}, {}),
    now: () => Date.now(),
    record: (...events) => events.forEach(record),
    onFault: (error) => faults.push(error),
    notifier: () => undefined,
    hostName,
    log: () => {},
    check: () => Promise.resolve({ outcome: 'unknown', detail: '' }),
    scratchDir: '/nowhere',
    writeReport: () => Promise.resolve(''),
    readReport: () => undefined,
    content: () => Promise.reject(new Error('there is no content')),
    room: () => Promise.resolve(Infinity),
    scratch: '/nowhere',
    neededContent: () => ({ sound: [], damaged: [] }),
  });
  return { executor, faults };
}

test('a step that is ended because the daemon stops stays open, for the next life to look after', async () => {
  const types: string[] = [];
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  const { executor } = anExecutor((event) => {
    types.push(event.type);
    if (event.type === 'operation.running') resolve();
  });
  executor.start(anOperation(['/bin/sleep', '60']));
  await begun;
  executor.abortAll('the daemon stops');
  await executor.drain();
  expect(types).toEqual(['operation.running']);
});

test('a store that cannot be written is a fault that is told, not a rejection that nobody hears', async () => {
  const full = new Error('disk full');
  const { executor, faults } = anExecutor(() => {
    throw full;
  });
  executor.start(anOperation(['/bin/true']));
  await executor.drain();
  expect(faults).toEqual([full]);
});

test('a request is told by its key from every other one but the repetition of itself', async () => {
  await using server = await startServer((_request, response) => response.end());
  const post: Step = {
    kind: 'http',
    origin: ORIGIN,
    timeoutMs: 10_000,
    method: 'POST',
    url: server.url,
    headers: {},
    status: [],
    repeatable: true,
    unless: [],
  };
  const first = anOperation([], post);
  const again: Operation = { ...first, id: 'step:INC-1/flags/do/0#9', plannedAt: 5, repeats: firstAttempt(first) };
  const anew: Operation = { ...first, id: 'step:INC-1/flags/do/0#9' };
  const later: Operation = { ...first, plannedAt: 5 };
  for (const operation of [first, again, anew, later]) {
    const { executor } = anExecutor(() => undefined);
    executor.start(operation);
    await executor.drain();
  }
  const other = anExecutor(() => undefined, 'other').executor;
  other.start(first);
  await other.drain();
  const [key, ...keys] = server.received.map(({ headers }) => headers['idempotency-key']);
  expect(key).toMatch(/^[0-9a-f]{32}$/);
  expect(keys.map((one) => one === key)).toEqual([true, false, false, false]);
});
