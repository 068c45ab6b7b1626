import { describe, expect, test } from 'vitest';
import { aDesired, aPolicy, aRun, aRung, ORIGIN } from '../../test/support/policies.ts';
import { World } from '../../test/support/world.ts';
import { conflictSet } from './incidents/conflict-set.ts';
import type { Notifier } from './model/notifier.ts';
import type { Step } from './model/step.ts';

const notify = (...to: readonly string[]): Step => ({
  kind: 'notify',
  origin: ORIGIN,
  timeoutMs: 1000,
  to,
  text: 'Restart the client.',
  severity: 'info',
});

const aNotifier = (name: string, change: Partial<Notifier> = {}): Notifier => ({
  name,
  origin: ORIGIN,
  suspend: false,
  on: [],
  timeoutMs: 5000,
  type: { kind: 'command', argv: ['/usr/bin/page'] },
  ...change,
});

function worldWith(...steps: readonly Step[]): World {
  const notifiers = { oncall: aNotifier('oncall'), quiet: aNotifier('quiet', { suspend: true }) };
  const policies = { guard: aPolicy({ ladder: [aRung({ do: steps })] }) };
  const world = new World(aDesired({ notifiers, policies }));
  world.live(60, 0.1);
  world.live(20, 0.9);
  return world;
}

describe('notify', () => {
  test('queues its message for those that it names, and goes on at once', () => {
    const world = worldWith(notify('oncall', 'quiet', 'gone'), aRun(['next']));
    expect(world.events('notification.queued')).toMatchObject([
      {
        notifiers: ['oncall'],
        notification: {
          topic: 'message',
          severity: 'info',
          text: 'Restart the client.',
          incident: 'INC-1',
          policy: 'guard',
        },
      },
    ]);
    expect(world.events('step.finished')[0]).toMatchObject({
      summary: 'tell oncall, quiet, gone: Restart the client.',
      result: { outcome: 'done', detail: 'queued for oncall; quiet, gone is suspended, or gone from git' },
    });
    expect(world.events('step.finished')).toHaveLength(2);
  });

  test('holds up nothing if there is nobody', () => {
    const world = worldWith(notify('gone'), aRun(['next']));
    expect(world.events('notification.queued')).toEqual([]);
    expect(world.events('step.finished')).toHaveLength(2);
  });

  test('says two things as two messages', () => {
    const ids = worldWith(notify('oncall'), notify('oncall'))
      .events('notification.queued')
      .map(({ notification }) => notification.id);
    expect(new Set(ids).size).toBe(2);
  });
});

test('what the new steps touch belongs to the conflict set', () => {
  const once = { repeatable: false, unless: [] };
  const head = { origin: ORIGIN, timeoutMs: 1000 };
  const steps: readonly Step[] = [
    {
      ...head,
      ...once,
      kind: 'sql',
      database: { kind: 'postgres', dsn: { credential: 'dsn' } },
      script: { kind: 'file', path: '/down.sql' },
      params: {},
      transaction: true,
      require: [],
    },
    { ...head, kind: 'editFile', path: '/etc/a', edit: { kind: 'content', content: '' } },
    { ...head, kind: 'gitCommit', message: 'm', changes: [], author: { name: 'n', email: 'e' } },
    { ...head, kind: 'waitFor', checks: [], forMs: 0 },
    notify('oncall'),
  ];
  expect(conflictSet(aPolicy({ ladder: [aRung({ do: steps })] }))).toEqual([
    'database:PostgreSQL dsn',
    'file:/etc/a',
    'repository:policies',
  ]);
});
