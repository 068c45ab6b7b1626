import { describe, expect, test } from 'vitest';
import { aDesired, aNotifier, aPolicy, aRun, aRung, aVerify, setFlagOff } from '../../../test/support/policies.ts';
import { World } from '../../../test/support/world.ts';
import type { RollbackPolicy } from '../model/policy.ts';

const APP = 'envFile:/app.env';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const HALT = { since: 0, by: 'ann', reason: 'looking' };

/** The levels of abathur's runbook and the updates of memory-system's. */
const ESCALATE = [
  { afterMs: 30 * MINUTE, notify: ['senior'] },
  { afterMs: 90 * MINUTE, notify: ['specialist'] },
  { afterMs: 210 * MINUTE, notify: ['commander'] },
];

const LADDER = [aRung({ verify: aVerify({ withinMs: 10 * HOUR }) })];
const NOTIFIERS = ['oncall', 'senior', 'specialist', 'commander'].map((name) => aNotifier({ name }));

function worldWith(policy: Partial<RollbackPolicy>, notifiers = NOTIFIERS): World {
  const desired = aDesired({
    policies: { guard: aPolicy({ ladder: LADDER, notify: ['oncall'], ...policy }) },
    notifiers: Object.fromEntries(notifiers.map((notifier) => [notifier.name, notifier])),
  });
  const world = new World(desired, { [APP]: { FAST_PATH: 'true' } });
  world.live(60, 0.1);
  world.live(15, 0.9);
  expect(world.events('incident.opened')).toHaveLength(1);
  return world;
}

/** Minutes without a reading: only time passes. */
function pass(world: World, minutes: number): void {
  for (let minute = 0; minute < minutes; minute += 1) {
    world.now += MINUTE;
    world.settle();
  }
}

/** `15m oncall update`, for everything that arrived since the incident was opened. */
function arrived(world: World, topics: readonly string[]): string[] {
  const openedAt = world.events('incident.opened')[0]?.at ?? 0;
  return world.log.flatMap((event) => {
    if (event.type !== 'operation.planned' || event.operation.action.kind !== 'notify') return [];
    const { notifier, notification } = event.operation.action;
    if (!topics.includes(notification.topic)) return [];
    return [`${(event.at - openedAt) / MINUTE}m ${notifier} ${notification.topic}`];
  });
}

describe('levels of escalation', () => {
  const ESCALATED = [
    '30m oncall escalated',
    '30m senior escalated',
    '90m oncall escalated',
    '90m senior escalated',
    '90m specialist escalated',
    '210m oncall escalated',
    '210m senior escalated',
    '210m specialist escalated',
    '210m commander escalated',
  ];

  test('are reached after 30 minutes, one hour more and two hours more, each once', () => {
    const world = worldWith({ escalate: ESCALATE });
    pass(world, 300);
    expect(arrived(world, ['escalated'])).toEqual(ESCALATED);
    expect(world.events('incident.escalated').map(({ level }) => level)).toEqual([1, 2, 3]);
  });

  test('are reached in a halt, and while git suspends the policy', () => {
    const world = worldWith({ escalate: ESCALATE });
    world.halt = HALT;
    pass(world, 40);
    world.halt = null;
    world.accept(
      aDesired({
        ...world.desired,
        policies: { guard: aPolicy({ ladder: LADDER, suspend: true, notify: ['oncall'] }) },
      }),
    );
    pass(world, 260);
    expect(arrived(world, ['escalated'])).toEqual(ESCALATED);
  });

  test('are neither lost nor repeated by restarts, kills and a clock that is set', () => {
    const world = worldWith({ escalate: ESCALATE });
    for (let minute = 0; minute < 240; minute += 1) {
      world.now += MINUTE;
      if (minute % 7 === 0) world.kill(minute % 2);
      if (minute === 60) {
        world.now -= 5 * HOUR;
        world.record({ type: 'clock.jumped', byMs: -5 * HOUR });
      }
      world.settle();
    }
    expect(world.events('incident.escalated').map(({ level }) => level)).toEqual([1, 2, 3]);
    const messages = world
      .events('notification.queued')
      .filter(({ notification }) => notification.topic === 'escalated');
    expect(messages.map(({ notification }) => notification.id)).toEqual([
      'INC-1/escalated-1',
      'INC-1/escalated-2',
      'INC-1/escalated-3',
    ]);
  });

  test('are told late, and each, when nobody decided in time', () => {
    const world = worldWith({ escalate: ESCALATE });
    world.now += 4 * HOUR;
    world.settle();
    expect(world.events('incident.escalated').map(({ level }) => level)).toEqual([1, 2, 3]);
  });

  test('end with the incident, and who heard of one hears of the end', () => {
    const world = worldWith({ escalate: ESCALATE });
    pass(world, 40);
    world.live(30, 0.1);
    pass(world, 300);
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'resolved' }]);
    expect(world.events('incident.escalated')).toHaveLength(1);
    const resolved = world.events('notification.queued').find(({ notification }) => notification.topic === 'resolved');
    expect(resolved?.notifiers).toEqual(['oncall', 'senior']);
  });

  test('all hear when the ladder is exhausted, for no later one would come', () => {
    const ladder = [aRung({ verify: aVerify({ withinMs: MINUTE }) })];
    const world = worldWith({ escalate: ESCALATE, ladder });
    world.live(90, 0.9);
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'exhausted' }]);
    const told = world.events('notification.queued').find(({ notification }) => notification.topic === 'exhausted');
    expect(told?.notifiers).toEqual(['oncall', 'senior', 'specialist', 'commander']);
  });

  test('are awaited: the plan says when it wants to decide again', () => {
    const world = worldWith({ escalate: ESCALATE });
    const openedAt = world.events('incident.opened')[0]?.at ?? 0;
    pass(world, 25);
    const { requeueAt, outlook } = world.plan();
    expect(requeueAt).toBe(openedAt + 30 * MINUTE);
    expect(outlook).toContainEqual(
      expect.objectContaining({ object: 'Incident/INC-1', afterMs: 5 * MINUTE, what: 'level 1 is told: senior' }),
    );
  });
});

describe('updates', () => {
  test('come every 15 minutes while the incident is open', () => {
    const world = worldWith({ updates: { everyMs: 15 * MINUTE } });
    pass(world, 50);
    world.live(30, 0.1);
    pass(world, 60);
    expect(arrived(world, ['opened', 'update', 'resolved'])).toEqual([
      '0m oncall opened',
      '15m oncall update',
      '30m oncall update',
      '45m oncall update',
      expect.stringMatching(/^50.*m oncall resolved$/),
    ]);
  });

  test('that were missed are told as one, and the next keeps to its time', () => {
    const world = worldWith({ updates: { everyMs: 15 * MINUTE } });
    world.now += 50 * MINUTE;
    world.settle();
    pass(world, 10);
    expect(arrived(world, ['update'])).toEqual(['50m oncall update', '60m oncall update']);
    expect(world.events('incident.updated').map(({ number }) => number)).toEqual([3, 4]);
  });

  test('say how it stands', () => {
    const ladder = [
      aRung({ verify: aVerify({ withinMs: MINUTE }) }),
      aRung({ name: 'second', do: [aRun(['second'])], verify: aVerify({ withinMs: HOUR }) }),
    ];
    const world = worldWith({ updates: { everyMs: 5 * MINUTE }, ladder });
    world.live(300, 0.9);
    const update = world.events('notification.queued').find(({ notification }) => notification.topic === 'update');
    expect(update?.notification).toMatchObject({
      title: 'INC-1 guard: update 1',
      about: {
        reason: 'guard/latency = 0.9 > 0.5 for 10s',
        duration: '5m',
        breachedFor: '5m10s',
        rung: 'second',
        status: 'verifying rung "second"',
        walked: [{ rung: 'flags', outcome: 'failed' }],
      },
    });
  });
});

describe('a rung', () => {
  test('adds hearers from its beginning on; that the ladder is exhausted everybody hears', () => {
    const ladder = [
      aRung({ verify: aVerify({ withinMs: MINUTE }), notify: ['senior'] }),
      aRung({ name: 'database', do: [setFlagOff()], verify: aVerify({ withinMs: HOUR }), notify: ['specialist'] }),
      aRung({ name: 'third', notify: ['commander'] }),
    ];
    const world = worldWith({ ladder });
    const told = (topic: string) =>
      world
        .events('notification.queued')
        .flatMap((event) => (event.notification.topic === topic ? [event.notifiers] : []));
    expect(told('opened')).toEqual([['oncall']]);
    expect(told('rung')).toEqual([['oncall', 'senior']]);
    // The second rung would set what is set already: it is skipped, and adds nobody. The third is skipped likewise.
    world.live(90, 0.9);
    expect(told('exhausted').map((names) => names.toSorted())).toEqual([
      ['commander', 'oncall', 'senior', 'specialist'],
    ]);
  });
});

describe('a dead receiver', () => {
  test('never delays a rollback, and is tried again later and later', () => {
    const world = worldWith({ updates: { everyMs: 15 * MINUTE } }, [aNotifier()]);
    world.perform = (action) =>
      action.kind === 'notify' ? { outcome: 'failed', detail: 'nobody listens' } : { outcome: 'done', detail: '' };
    const other = worldWith({});
    world.live(30, 0.1);
    other.live(30, 0.1);
    const writes = (one: World) => one.effects.filter((effect) => !effect.startsWith('notify'));
    expect(writes(world)).toEqual(writes(other));
    expect(world.plan().conditions).toMatchObject([{ type: 'NotificationFailing', object: 'Notifier/oncall' }]);
    pass(world, 25 * 60);
    expect(world.memory.outbox).toEqual({});
    const dropped = world.events('notification.dropped').map(({ reason }) => reason);
    expect(dropped.every((reason) => reason.startsWith('not delivered within 1d'))).toBe(true);
    expect(dropped.length).toBeGreaterThan(0);
  });

  test('that asks for a pause gets it, for all its messages', () => {
    const world = worldWith({ escalate: ESCALATE });
    pass(world, 29);
    const before = world.now;
    world.perform = (action) =>
      action.kind === 'notify'
        ? { outcome: 'failed', detail: 'too many requests', retryAfterMs: 10 * MINUTE }
        : { outcome: 'done', detail: '' };
    pass(world, 5);
    world.perform = () => ({ outcome: 'done', detail: '' });
    pass(world, 20);
    const sent = world
      .events('operation.planned')
      .filter(({ at, operation }) => at > before && operation.action.kind === 'notify')
      .map(
        ({ at, operation }) =>
          `${(at - before) / MINUTE} ${operation.action.kind === 'notify' ? operation.action.notifier : ''}`,
      );
    expect(sent).toEqual(['1 oncall', '1 senior', '11 oncall', '11 senior']);
  });

  test('is sent nothing while git suspends it, and what waits afterwards', () => {
    const world = worldWith({ updates: { everyMs: 15 * MINUTE } });
    world.perform = (action) => ({ outcome: action.kind === 'notify' ? 'failed' : 'done', detail: '' });
    pass(world, 15);
    const { desired } = world;
    world.perform = () => ({ outcome: 'done', detail: '' });
    world.accept({ ...desired, notifiers: { oncall: aNotifier({ suspend: true }) } });
    const before = world.effects.length;
    pass(world, 60);
    expect(world.effects).toHaveLength(before);
    world.accept(desired);
    world.settle();
    expect(world.effects.slice(before)).toContain('notify oncall update');
  });
});

describe('a flood', () => {
  test('reaches a receiver with at most thirty messages a minute, in order', () => {
    const world = worldWith({}, [aNotifier({ on: ['drift'] })]);
    const drift = (number: number) =>
      world.record({
        type: 'notification.queued',
        notifiers: ['oncall'],
        notification: {
          id: `drift/${number}`,
          topic: 'drift',
          severity: 'warning',
          title: String(number),
          text: '',
          at: world.now,
          facts: {},
        },
      });
    for (let number = 1; number <= 250; number += 1) drift(number);
    const sent = () =>
      world
        .events('operation.planned')
        .flatMap(({ operation: { action } }) => (action.kind === 'notify' ? [action.notification.title] : []));
    world.settle();
    // Fifty of the oldest were dropped.
    expect(sent()).toEqual(Array.from({ length: 30 }, (_, index) => String(index + 51)));
    pass(world, 10);
    expect(sent()).toHaveLength(200);
    expect(world.events('notification.dropped')).toHaveLength(50);
  });
});

describe('a receiver of alerts', () => {
  const receiver = aNotifier({
    on: ['opened', 'update', 'resolved'],
    type: { kind: 'alertmanager', url: 'http://127.0.0.1:1', headers: {}, labels: {} },
  });

  test('is told every two minutes that the alert goes on, until it is over', () => {
    const world = worldWith({}, [receiver]);
    pass(world, 10);
    expect(world.events('incident.realerted')).toHaveLength(5);
    world.live(30, 0.1);
    pass(world, 10);
    expect(world.effects.filter((effect) => effect.startsWith('notify')).at(-1)).toBe('notify oncall resolved');
    expect(world.events('incident.realerted')).toHaveLength(5);
  });

  test('gets only the newest message of an incident when it comes back', () => {
    const world = worldWith({ updates: { everyMs: 15 * MINUTE } }, [receiver]);
    world.perform = (action) => ({ outcome: action.kind === 'notify' ? 'failed' : 'done', detail: '' });
    pass(world, 31);
    world.live(30, 0.1);
    world.perform = () => ({ outcome: 'done', detail: '' });
    const before = world.effects.length;
    pass(world, 20);
    expect(world.effects.slice(before)).toEqual(['notify oncall resolved']);
  });
});
