import { describe, expect, test } from 'vitest';
import {
  aCheck,
  aDatabase,
  aDesired,
  aDrill,
  aNotifier,
  aPoint,
  aPointPolicy,
  aPolicy,
  aRestore,
  aRun,
  aRung,
  aTarget,
  aTrigger,
  aVerify,
  setFlagOff,
} from '../../test/support/policies.ts';
import { World } from '../../test/support/world.ts';
import { beginDrill } from './drill-command.ts';
import { abandonedRehearsals } from './drills/settle-drills.ts';
import { estimateOf } from './incidents/duration-key.ts';
import type { RehearseAction } from './model/action.ts';
import type { Desired } from './model/desired.ts';
import type { Drill, RehearsedItem } from './model/drill.ts';
import type { Point } from './model/point.ts';
import type { RestorePoint } from './model/target.ts';
import { CommandError } from './operator-commands.ts';
import type { Millis } from './units.ts';

const APP = 'envFile:/app.env';
const HALT = { since: 0, by: 'ann', reason: 'looking' };

function drilled(drill: Partial<Drill> = {}, change: Partial<Desired> = {}): Desired {
  return aDesired({ drills: { monthly: aDrill(drill) }, ...change });
}

/** A minute in which all is well; nothing is due in it. */
function calmWorld(desired = drilled()): World {
  const world = new World(desired, { [APP]: { FAST_PATH: 'true' } });
  world.drills = { monthly: { last: world.now - 1_000, next: world.now + 3_600_000 } };
  world.live(60, 0.1);
  return world;
}

function becomesDue(world: World): void {
  world.drills = { monthly: { last: world.now, next: world.now + 3_600_000 } };
}

/** Rehearsals that note these items, one for each rung, and take so long. */
function rehearses(world: World, item: Partial<RehearsedItem>, durationMs: Millis = 5_000): void {
  world.perform = (action) => {
    if (action.kind === 'rehearse') note(world, action, item);
    return { outcome: 'done', detail: '', durationMs };
  };
}

function note(world: World, { drill, run, rungs }: RehearseAction, item: Partial<RehearsedItem>): void {
  for (const { rung } of rungs) {
    const noted = {
      what: 'step',
      summary: 'look',
      outcome: 'successful',
      detail: '',
      durationMs: 1_000,
      ...item,
    } as const;
    world.record({ type: 'drill.rehearsed', drill, run, rung, item: noted });
  }
}

function neverEnds(world: World): void {
  world.perform = (action) => (action.kind === 'rehearse' ? null : { outcome: 'done', detail: '' });
}

function results(world: World) {
  return world.events('drill.ended').map(({ result }) => result);
}

function ask(world: World, name = 'monthly'): void {
  const { desired, memory, now } = world;
  const { events } = beginDrill({ desired, memory, now, observed: world.observe() }, name, 'ann');
  for (const event of events) world.record(event);
}

describe('a drill that is due', () => {
  test('runs once, and is measured', () => {
    const world = calmWorld();
    rehearses(world, {});
    becomesDue(world);
    world.live(600, 0.1);
    expect(results(world)).toMatchObject([
      { outcome: 'successful', durationMs: 5_000, beforeMs: null, cause: { kind: 'schedule' }, mode: 'dryRun' },
    ]);
    expect(world.memory.drills?.['monthly']).toMatchObject({ run: null, lastSuccessAt: expect.any(Number) });
    expect(world.plan().conditions).toEqual([]);
    expect(world.effects.filter((effect) => effect !== 'rehearse monthly')).toEqual([]);
  });

  test.each([
    ['an instant from before it was known', (world: World) => world.live(60, 0.1)],
    [
      'an instant from before its schedule was changed',
      (world: World) => {
        world.accept(drilled({ schedule: '0 4 * * *' }, { revision: 'rev-2' }));
        world.drills = { monthly: { last: world.now - 1, next: null } };
      },
    ],
    [
      'an instant that passed while it was suspended',
      (world: World) => {
        world.accept(drilled({ suspend: true }, { revision: 'rev-2' }));
        becomesDue(world);
        world.live(60, 0.1);
        world.accept(drilled({}, { revision: 'rev-3' }));
      },
    ],
  ])('does not run for %s', (_what, happen) => {
    const world = calmWorld();
    happen(world);
    world.live(60, 0.1);
    expect(world.events('drill.started')).toEqual([]);
  });

  test('is made up for once, however many instants were missed', () => {
    const world = calmWorld();
    rehearses(world, {});
    world.now += 90 * 86_400_000;
    world.restart();
    world.drills = { monthly: { last: world.now - 86_400_000, next: world.now + 86_400_000 } };
    world.live(60, 0.1);
    expect(world.events('drill.started')).toHaveLength(1);
  });

  test.each([
    ['an incident is open', (world: World) => world.live(20, 0.9), (world: World) => world.live(1_000, 0.1)],
    [
      'everything is halted',
      (world: World) => {
        world.halt = HALT;
      },
      (world: World) => {
        world.halt = null;
      },
    ],
    ['a trigger of its policy is pending', (world: World) => world.live(5, 0.9), (world: World) => world.live(60, 0.1)],
    [
      'a trigger of its policy was not evaluated since the start',
      (world: World) => world.restart(),
      (world: World) => world.live(60, 0.1),
    ],
  ])('waits while %s', (_what, disturb, calm) => {
    const world = calmWorld();
    rehearses(world, {});
    disturb(world);
    becomesDue(world);
    world.settle();
    expect(world.events('drill.started')).toEqual([]);
    calm(world);
    world.live(60, 0.1);
    expect(world.events('drill.started')).toHaveLength(1);
  });

  test('waits for another one that runs', () => {
    const world = calmWorld(drilled({}, { drills: { monthly: aDrill(), nightly: aDrill({ name: 'nightly' }) } }));
    const times = { last: world.now + 1, next: null };
    neverEnds(world);
    world.drills = { monthly: times, nightly: times };
    world.live(60, 0.1);
    expect(world.events('drill.started')).toMatchObject([{ drill: 'monthly' }]);
    const [operation] = Object.values(world.memory.operations);
    world.record({ type: 'operation.finished', id: operation?.id ?? '', outcome: 'done', detail: '', durationMs: 1 });
    world.live(10, 0.1);
    expect(world.events('drill.started')).toMatchObject([{ drill: 'monthly' }, { drill: 'nightly' }]);
  });

  test('is said to be overdue when it waits for long, with the reason', () => {
    const world = calmWorld();
    world.halt = HALT;
    becomesDue(world);
    world.live(60, 0.1);
    expect(world.plan().conditions.map(({ type }) => type)).toEqual(['Halted']);
    world.live(3_600, 0.1);
    expect(world.plan().conditions).toContainEqual(
      expect.objectContaining({ type: 'DrillOverdue', message: expect.stringContaining('stopped by ann') }),
    );
  });

  test('is decided again at the instant it is due, and when it becomes overdue', () => {
    const world = calmWorld();
    expect(world.plan().requeueAt).toBe(world.drills['monthly']?.next);
  });
});

describe('a drill under way', () => {
  function running(change: Partial<Desired> = {}): World {
    const world = calmWorld(drilled({}, change));
    neverEnds(world);
    becomesDue(world);
    world.live(5, 0.1);
    expect(world.events('drill.started')).toHaveLength(1);
    return world;
  }

  test('is begun once', () => {
    const world = running();
    expect(world.plan().operations).toEqual([]);
    expect(abandonedRehearsals(world.memory)).toEqual([]);
  });

  test('ends for an incident over the same things, and holds up nothing of it', () => {
    const world = running();
    world.live(15, 0.9);
    expect(results(world)).toMatchObject([{ outcome: 'aborted', reason: expect.stringContaining('INC-1') }]);
    expect(world.documents[APP]).toEqual({ FAST_PATH: 'false' });
    const opened = world.log.findIndex(({ type }) => type === 'incident.opened');
    const aborted = world.log.findIndex(({ type }) => type === 'drill.ended');
    expect(world.log[opened]?.at).toBe(world.log[aborted]?.at);
    expect(abandonedRehearsals(world.memory)).toHaveLength(1);
  });

  test('goes on beside an incident over other things', () => {
    const other = aPolicy({
      name: 'other',
      triggers: [aTrigger({ digest: 'other' })],
      ladder: [aRung({ do: [aRun(['mend'])] })],
    });
    const world = running({ policies: { guard: aPolicy(), other } });
    world.reading(0.9, { trigger: 'other/latency' });
    world.settle();
    world.now += 5_000;
    world.reading(0.9, { trigger: 'other/latency' });
    world.now += 5_000;
    world.reading(0.9, { trigger: 'other/latency' });
    world.settle();
    expect(world.events('incident.opened')).toHaveLength(1);
    expect(results(world)).toEqual([]);
  });

  test.each([
    [
      'a halt',
      (world: World) => {
        world.halt = HALT;
      },
    ],
    ['git letting go of it', (world: World) => world.accept(aDesired({ revision: 'rev-2' }))],
  ])('ends for %s', (_what, happen) => {
    const world = running();
    happen(world);
    world.live(10, 0.1);
    expect(results(world)).toMatchObject([{ outcome: 'aborted' }]);
    expect(abandonedRehearsals(world.memory)).toHaveLength(1);
  });

  test('that ends after it was aborted changes nothing, and lets the next one begin', () => {
    const world = running();
    world.halt = HALT;
    world.live(5, 0.1);
    world.halt = null;
    becomesDue(world);
    world.live(5, 0.1);
    expect(world.events('drill.started')).toHaveLength(1);
    const [id = ''] = abandonedRehearsals(world.memory);
    world.record({ type: 'operation.finished', id, outcome: 'unknown', detail: 'killed', durationMs: 1 });
    world.live(5, 0.1);
    expect(results(world)).toMatchObject([{ outcome: 'aborted' }]);
    expect(world.events('drill.started')).toHaveLength(2);
  });

  test('is interrupted by a kill, keeps what it had found, and is never taken up again', () => {
    const world = running();
    const action = Object.values(world.memory.operations)[0]?.action;
    if (action?.kind !== 'rehearse') throw new Error('a rehearsal must be under way');
    note(world, action, { detail: 'found' });
    world.restart();
    const [operation] = Object.values(world.memory.operations);
    world.record({
      type: 'operation.finished',
      id: operation?.id ?? '',
      outcome: 'unknown',
      detail: '',
      durationMs: 0,
    });
    world.live(60, 0.1);
    expect(results(world)).toMatchObject([
      { outcome: 'interrupted', rungs: [{ rung: 'flags', items: [{ detail: 'found' }] }] },
    ]);
    expect(world.events('drill.started')).toHaveLength(1);
    expect(world.plan().conditions).toMatchObject([
      { type: 'DrillOverdue', message: expect.stringContaining('revertd drill monthly') },
    ]);
  });

  test('is interrupted also if it was killed before its operation was planned', () => {
    const world = calmWorld();
    ask(world);
    world.restart();
    world.live(60, 0.1);
    expect(results(world)).toMatchObject([{ outcome: 'interrupted' }]);
  });
});

describe('the result of a drill', () => {
  test.each([
    ['failed', { outcome: 'failed', detail: 'systemd has no unit app.service' }, 5_000, {}, 'failed'],
    ['inconclusive', { outcome: 'inconclusive', detail: 'not rehearsed' }, 5_000, {}, 'inconclusive'],
    ['good, in time', {}, 60_000, { rtoMs: 60_000 }, 'successful'],
    ['good, too late', {}, 60_001, { rtoMs: 60_000 }, 'failed'],
    ['good, held against its policy', {}, 900_001, {}, 'failed'],
  ] as const)('of a step that is %s', (_what, item, durationMs, drill, outcome) => {
    const world = calmWorld(drilled(drill, { policies: { guard: aPolicy({ rtoMs: 900_000 }) } }));
    rehearses(world, item, durationMs);
    becomesDue(world);
    world.live(5, 0.1);
    expect(results(world)).toMatchObject([{ outcome, durationMs }]);
    const conditions = world.plan().conditions.map(({ type, needsAttention }) => [type, needsAttention]);
    expect(conditions).toEqual(outcome === 'failed' ? [['DrillFailed', true]] : []);
  });

  test('of which nothing was gone through says nothing', () => {
    const world = calmWorld();
    becomesDue(world);
    world.live(5, 0.1);
    expect(results(world)).toMatchObject([{ outcome: 'inconclusive', rungs: [{ outcome: 'inconclusive' }] }]);
  });

  test('is compared with the one before it in the same mode', () => {
    const world = calmWorld();
    for (const durationMs of [7_000, 5_000]) {
      rehearses(world, {}, durationMs);
      ask(world);
      world.live(5, 0.1);
    }
    world.accept(drilled({ mode: 'scratch' }, { revision: 'rev-2' }));
    ask(world);
    world.live(5, 0.1);
    expect(results(world)).toMatchObject([{ beforeMs: null }, { beforeMs: 7_000 }, { beforeMs: null }]);
  });

  test('is told to those whom the drill names, and to nobody else', () => {
    const notifiers = {
      oncall: aNotifier(),
      dba: aNotifier({ name: 'dba' }),
      deaf: aNotifier({ name: 'deaf', on: [] }),
    };
    const world = calmWorld(drilled({ notify: ['oncall', 'deaf'] }, { notifiers }));
    rehearses(world, { outcome: 'failed', detail: 'no unit' });
    ask(world);
    world.live(5, 0.1);
    expect(world.events('notification.queued')).toMatchObject([
      {
        notifiers: ['oncall'],
        notification: {
          topic: 'drill',
          severity: 'warning',
          title: 'drill monthly failed',
          drill: { outcome: 'failed', rungs: [{ rung: 'flags', outcome: 'failed', duration: '1s' }] },
        },
      },
    ]);
  });

  test('stands in for rollbacks where people are asked how long a rung takes, if it restored for real', () => {
    const world = calmWorld(drilled({ mode: 'scratch' }));
    rehearses(world, { durationMs: 42_000 });
    ask(world);
    world.live(5, 0.1);
    expect(estimateOf(world.memory, 'guard', 'flags')).toEqual({ ms: 42_000, by: 'drill' });
    expect(estimateOf(world.memory, 'other', 'flags')).toBeNull();
    world.live(20, 0.9);
    expect(estimateOf(world.memory, 'guard', 'flags')).toMatchObject({ by: 'rollbacks' });
  });

  test('of a dry run is no estimate', () => {
    const world = calmWorld();
    rehearses(world, {});
    ask(world);
    world.live(5, 0.1);
    expect(estimateOf(world.memory, 'guard', 'flags')).toBeNull();
  });

  test('is what an approval tells', () => {
    const rung = aRung({ approval: { roles: { dba: 1 }, withinMs: 60_000, onTimeout: 'abort' } });
    const world = calmWorld(drilled({ mode: 'scratch' }, { policies: { guard: aPolicy({ ladder: [rung] }) } }));
    rehearses(world, { durationMs: 42_000 });
    ask(world);
    world.live(5, 0.1);
    world.live(20, 0.9);
    const { message } = world.plan().conditions.find(({ type }) => type === 'AwaitingApproval') ?? {};
    expect(message).toContain('takes about: 42s, as a drill measured it; it was never walked here');
  });
});

describe('what is rehearsed', () => {
  const ladder = [
    aRung({ do: [setFlagOff()], when: [aCheck('needed')] }),
    aRung({
      name: 'code',
      do: [aRestore(), aRun(['restart'])],
      onFailure: [aRun(['undo'])],
      verify: aVerify({ checks: [aCheck('healthy')] }),
    }),
  ];
  const policies = { guard: aPolicy({ ladder }) };

  function planned(drill: Partial<Drill> = {}, prepare: (world: World) => void = () => {}) {
    const world = calmWorld(drilled(drill, { policies, targets: { code: aTarget() } }));
    world.checkouts = { code: { head: 'v1' } };
    prepare(world);
    neverEnds(world);
    ask(world);
    return world.events('drill.started')[0]?.run.rungs;
  }

  test('are all rungs in their order, with conditions, steps and verification', () => {
    expect(planned()).toMatchObject([
      { rung: 'flags', when: [{ key: 'needed' }], steps: [{ places: [{ entry: 'FAST_PATH' }] }], checks: [] },
      {
        rung: 'code',
        steps: [{ part: 'do' }, { part: 'do', step: { argv: ['restart'] } }, { part: 'onFailure' }],
        checks: [{ key: 'healthy' }],
      },
    ]);
  });

  test('are only the named rungs, in the order of the ladder', () => {
    expect(planned({ rungs: ['code'] })?.map(({ rung }) => rung)).toEqual(['code']);
  });

  test('goes to the last good revision, which may be the one in place', () => {
    const good = planned({}, (world) => world.live(90, 0.1));
    expect(good?.[1]?.steps[0]).toMatchObject({ move: { to: 'v1', target: { name: 'code' } } });
  });

  describe('a restore of what has points', () => {
    const TO_OTHER = aPoint(0, { targets: ['other'] });

    /** The restore's step as a drill would go through it, with the points that there are then, by hours of age. */
    function plannedRestore(to: RestorePoint, points: readonly Point[], database = aDatabase()) {
      const policies = { guard: aPolicy({ ladder: [aRung({ do: [aRestore({ target: 'database', to })] })] }) };
      const world = calmWorld(drilled({}, { policies, targets: { database } }));
      world.memory = { ...world.memory, points: Object.fromEntries(points.map((point) => [point.id, point])) };
      neverEnds(world);
      ask(world);
      return world.events('drill.started')[0]?.run.rungs[0]?.steps[0];
    }

    const HOUR = 3_600_000;
    const start = calmWorld().now;
    const aged = (hours: number, change: Partial<Point> = {}) => aPoint(start - hours * HOUR, change);
    const [young, middle, old] = [aged(0.5), aged(3), aged(48)];

    test('has the point read again that it could not restore', () => {
      const policies = {
        guard: aPolicy({ ladder: [aRung({ do: [aRestore({ target: 'database', to: { kind: 'latestValid' } })] })] }),
      };
      for (const outcome of ['failed', 'successful'] as const) {
        const world = calmWorld(drilled({}, { policies, targets: { database: aDatabase() } }));
        world.memory = { ...world.memory, points: { [young.id]: young } };
        rehearses(world, { outcome });
        ask(world);
        world.settle();
        expect(world.events('points.verifyAsked')).toMatchObject(
          outcome === 'failed' ? [{ points: [young.id], by: 'Drill/monthly', rehearse: false }] : [],
        );
      }
    });

    test.each([
      ['the newest valid point', { kind: 'latestValid' }, [old, young, middle], young],
      [
        'a valid one though a newer one is damaged',
        { kind: 'latestValid' },
        [aged(0.5, { state: 'invalid' }), old],
        old,
      ],
      [
        'a valid one though a newer one was never read again',
        { kind: 'latestValid' },
        [aged(0.5, { state: 'stored' }), old],
        old,
      ],
      ['one that is just read once more', { kind: 'latestValid' }, [aged(1, { state: 'validating' }), old], aged(1)],
      ['one that holds it', { kind: 'latestValid' }, [aged(0.5, { targets: ['other'] }), middle], middle],
      ['none whose time lies in the future', { kind: 'latestValid' }, [aged(-24), middle], middle],
      ['the one that is named', { kind: 'point', point: old.id }, [young, old], old],
      ['the newest by a time', { kind: 'at', at: start - 2 * HOUR }, [young, middle, old], middle],
      ['the newest of so long ago', { kind: 'before', byMs: 24 * HOUR }, [young, middle, old], old],
      ['what has baked', { kind: 'lastGood' }, [young, middle, old], middle],
    ] as const)('goes back to %s', (_what, to, points, meant) => {
      const step = plannedRestore(to, points);
      expect(step).toMatchObject({
        move: { to: meant.id, target: { name: 'database' }, snapshot: meant.snapshots[0] },
      });
      expect(step?.known).toBeUndefined();
    });

    test.each([
      ['there is no point', { kind: 'latestValid' }, [], 'there is no valid point of database yet'],
      [
        'all are damaged',
        { kind: 'latestValid' },
        [aged(1, { state: 'invalid' })],
        'there is no valid point of database',
      ],
      ['points hold other things', { kind: 'latestValid' }, [TO_OTHER], 'there is no valid point of database'],
      ['the named one is gone', { kind: 'point', point: 'x' }, [young], 'there is no point x'],
      ['all are too young', { kind: 'before', byMs: 24 * HOUR }, [young], '1d before the first breach'],
    ] as const)('has an obstacle where %s', (_what, to, points, detail) => {
      const step = plannedRestore(to, points);
      expect(step).toMatchObject({ known: { outcome: 'obstacle', detail: expect.stringContaining(detail) } });
    });

    test('has an obstacle where the target is suspended', () => {
      expect(plannedRestore({ kind: 'latestValid' }, [young], aDatabase({ suspend: true }))).toMatchObject({
        known: { outcome: 'obstacle', detail: 'target database is suspended' },
      });
    });

    test('to what the rung itself keeps needs nothing yet', () => {
      expect(plannedRestore({ kind: 'safetyPoint' }, [])).toMatchObject({ known: { outcome: 'ready' } });
    });
  });

  test.each([
    ['is there', aPointPolicy(), { outcome: 'ready', detail: 'would capture database' }],
    [
      'is suspended',
      aPointPolicy({ suspend: true }),
      { outcome: 'obstacle', detail: 'PointPolicy nightly is suspended' },
    ],
  ])('take no point of a policy that %s, and say what it would hold', (_how, nightly, known) => {
    const { origin, timeoutMs } = aRestore();
    const step = { kind: 'createPoint', policy: 'nightly', until: 'stored', origin, timeoutMs } as const;
    const policies = { guard: aPolicy({ ladder: [aRung({ do: [step] })] }) };
    const world = calmWorld(drilled({}, { policies, pointPolicies: { nightly } }));
    neverEnds(world);
    ask(world);
    expect(world.events('drill.started')[0]?.run.rungs[0]?.steps).toMatchObject([{ known }]);
    expect(world.memory.points).toEqual({});
  });

  test('has an obstacle where no revision has proved good', () => {
    expect(planned()?.[1]?.steps[0]).toMatchObject({
      known: { outcome: 'obstacle', detail: expect.stringContaining('no revision of code has proved good') },
    });
  });
});

describe('a person who asks for a drill', () => {
  test.each([
    ['does not exist', 'monthy', () => {}, 'Did you mean monthly?'],
    ['is suspended', 'monthly', (world: World) => world.accept(drilled({ suspend: true })), 'git suspends monthly'],
    ['cannot run while an incident is open', 'monthly', (world: World) => world.live(20, 0.9), 'INC-1 (guard) is open'],
    ['runs already', 'monthly', (world: World) => ask(world), 'drill monthly is under way'],
  ])('that %s is told so', (_what, name, prepare, message) => {
    const world = calmWorld();
    prepare(world);
    expect(() => ask(world, name)).toThrow(CommandError);
    expect(() => ask(world, name)).toThrow(message);
  });

  test('does not keep the scheduled one from running', () => {
    const world = calmWorld();
    rehearses(world, {});
    ask(world);
    world.live(5, 0.1);
    becomesDue(world);
    world.live(5, 0.1);
    expect(results(world).map(({ cause }) => cause.kind)).toEqual(['person', 'schedule']);
  });
});

describe('a clock that is set', () => {
  function ran(): World {
    const world = calmWorld();
    rehearses(world, {});
    becomesDue(world);
    world.live(5, 0.1);
    expect(world.events('drill.started')).toHaveLength(1);
    return world;
  }

  function setClock(world: World, byMs: Millis): void {
    world.now += byMs;
    world.record({ type: 'clock.jumped', byMs });
    world.live(60, 0.1);
  }

  test('back, and comes by an instant once more, has no drill run again', () => {
    const world = ran();
    setClock(world, -600_000);
    world.live(1_200, 0.1);
    expect(world.events('drill.started')).toHaveLength(1);
  });

  test('far back leaves no drill waiting for a time that is long to come', () => {
    const world = ran();
    setClock(world, -4 * 365 * 86_400_000);
    becomesDue(world);
    world.live(5, 0.1);
    expect(world.events('drill.started')).toHaveLength(2);
  });
});
