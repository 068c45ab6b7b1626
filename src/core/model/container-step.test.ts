import { describe, expect, it } from 'vitest';
import { aPolicy, aRung } from '../../../test/support/policies.ts';
import { conflictSet } from '../incidents/conflict-set.ts';
import { undoOf } from '../targets/moves.ts';
import { describeContainerCheck } from './check.ts';
import { type ComposeProject, describeContainerStep, type NamedContainers } from './container-step.ts';
import { documentKey } from './flag.ts';

const named = (step: NamedContainers['do'], ...names: readonly string[]): NamedContainers => ({
  on: { kind: 'containers', names },
  do: step,
});
const project = (step: ComposeProject['do'], rest: Partial<ComposeProject['on']> = {}): ComposeProject => ({
  on: { kind: 'compose', file: '/srv/compose.yaml', services: [], ...rest },
  do: step,
});

describe('a step says in one line all that it does', () => {
  it.each<[NamedContainers | ComposeProject, string]>([
    [named({ kind: 'restart' }, 'mem0'), 'restart container mem0'],
    [named({ kind: 'stop', graceMs: 30_000 }, 'a', 'b'), 'stop containers a, b (killed after 30s)'],
    [named({ kind: 'signal', signal: 'SIGHUP' }, 'a'), 'send SIGHUP to container a'],
    [named({ kind: 'exec', argv: ['pkill', '-f', 'a b'], exit: [0] }, 'a'), 'run pkill -f "a b" in container a'],
    [named({ kind: 'exec', argv: ['x'], exit: [0, 1] }, 'a'), 'run x in container a (done with exit code 0 or 1)'],
    [project({ kind: 'up' }), 'compose up /srv/compose.yaml'],
    [
      project({ kind: 'down', graceMs: 0 }, { project: 'mem', services: ['db', 'web'] }),
      'compose down /srv/compose.yaml as mem: db, web (killed after 0s)',
    ],
  ])('%j', (step, text) => {
    expect(describeContainerStep(step)).toBe(text);
  });
});

it('a check says what it asks for', () => {
  const asked = {
    kind: 'container',
    container: 'a',
    is: 'stopped',
    exitCode: 0,
    restartsBelow: 3,
    timeoutMs: 1,
  } as const;
  expect(describeContainerCheck(asked)).toBe('container a is stopped, ended with 0, was restarted less than 3 times');
});

it('documents of two containers are two documents', () => {
  const keys = ['a', 'b', undefined].map((container) =>
    documentKey({ kind: 'envFile', path: '/app/.env', ...(container === undefined ? {} : { container }) }),
  );
  expect(keys).toStrictEqual(['envFile:a:/app/.env', 'envFile:b:/app/.env', 'envFile:/app/.env']);
});

it('what is touched belongs to the conflict set', () => {
  const head = {
    origin: { file: 'a', line: 1, column: 1 },
    timeoutMs: 1,
    repeatable: false,
    unless: [],
    kind: 'container',
  } as const;
  const steps = [
    { ...head, ...named({ kind: 'stop' }, 'b', 'a') },
    { ...head, ...project({ kind: 'up' }) },
  ];
  expect(conflictSet(aPolicy({ ladder: [aRung({ do: steps })] }))).toStrictEqual([
    'compose:/srv/compose.yaml',
    'container:a',
    'container:b',
  ]);
});

it('what a target stops is started again, the last one first', () => {
  const head = {
    origin: { file: 'a', line: 1, column: 1 },
    timeoutMs: 1,
    repeatable: false,
    unless: [],
    kind: 'container',
  } as const;
  const stopped = undoOf({ ...head, ...named({ kind: 'stop', graceMs: 5 }, 'a', 'b') });
  expect(stopped).toStrictEqual({ ...head, ...named({ kind: 'start' }, 'b', 'a') });
  const undone = undoOf({ ...head, ...project({ kind: 'stop' }, { services: ['web'] }) });
  expect(undone).toStrictEqual({ ...head, ...project({ kind: 'start' }, { services: ['web'] }) });
  expect(undoOf({ ...head, ...named({ kind: 'restart' }, 'a') })).toBeNull();
});
