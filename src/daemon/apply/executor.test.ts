import { expect, test } from 'vitest';
import { aRun } from '../../../test/support/policies.ts';
import type { EventSpec } from '../../core/event.ts';
import type { Operation } from '../../core/model/operation.ts';
import { Executor } from './executor.ts';
import { createHands } from './hands.ts';

function anOperation(argv: readonly string[]): Operation {
  const step = aRun(argv);
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

function anExecutor(record: (event: EventSpec) => void) {
  const faults: unknown[] = [];
  const executor = new Executor({
    hands: createHands({}, {}),
    now: () => Date.now(),
    record: (...events) => events.forEach(record),
    onFault: (error) => faults.push(error),
    notifier: () => undefined,
    hostName: 'test',
    log: () => {},
    writeReport: () => Promise.resolve(''),
    readReport: () => undefined,
    content: () => Promise.reject(new Error('there is no content')),
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
