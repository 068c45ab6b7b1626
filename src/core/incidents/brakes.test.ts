import { describe, expect, test } from 'vitest';
import {
  aCheck,
  aDesired,
  aFlag,
  aPolicy,
  aRun,
  aRung,
  aTrigger,
  aVerify,
  ORIGIN,
} from '../../../test/support/policies.ts';
import { World } from '../../../test/support/world.ts';
import type { Notifier } from '../model/notifier.ts';
import type { RollbackPolicy } from '../model/policy.ts';
import { CommandError } from '../operator-commands.ts';
import { beginRollback, previewRollback, type RollbackRequest } from '../rollback-command.ts';

const APP = 'envFile:/app.env';
const HALT = { since: 0, by: 'ann', reason: 'looking' };

function worldOf(...policies: readonly RollbackPolicy[]): World {
  const pager: Notifier = {
    name: 'pager',
    origin: ORIGIN,
    suspend: false,
    on: ['braked', 'exhausted'],
    timeoutMs: 1_000,
    type: { kind: 'command', argv: ['page'] },
  };
  const world = new World(
    aDesired({ policies: Object.fromEntries(policies.map((one) => [one.name, one])), notifiers: { pager } }),
    { [APP]: { FAST_PATH: 'true' } },
  );
  live(world, 60, {});
  return world;
}

const KEYS = ['guard/latency', 'guard/errors', 'guard/third', 'ward/errors'];

/** Readings every five seconds; what is not named is clear. */
function live(world: World, seconds: number, values: Readonly<Record<string, number>>): void {
  for (let passed = 0; passed < seconds; passed += 5) {
    world.now += 5_000;
    for (const trigger of KEYS) world.reading(values[trigger] ?? 0.1, { trigger });
    world.settle();
  }
}

function opened(world: World): string[] {
  return world.events('incident.opened').map(({ incident }) => incident.policy.name);
}

function roll(world: World, request: Partial<RollbackRequest> = {}): void {
  const situation = { desired: world.desired, memory: world.memory, now: world.now, actor: 'ann' };
  const events = beginRollback(situation, { policy: 'guard', reason: 'trying', force: false, ...request });
  events.forEach((event) => world.record(event));
  world.settle();
}

const ward = aPolicy({
  name: 'ward',
  triggers: [aTrigger({ name: 'errors', forMs: 0 })],
  cooldownMs: 10_000,
  notify: ['pager'],
});

describe('the cooldown', () => {
  test('is that of the policy which acted, for all that touch the same things', () => {
    const world = worldOf(aPolicy({ cooldownMs: 600_000 }), ward);
    live(world, 15, { 'guard/latency': 0.9 });
    live(world, 10, {});
    expect(world.events('incident.closed')).toHaveLength(1);
    live(world, 300, { 'ward/errors': 0.9 });
    expect(opened(world)).toEqual(['guard']);
    live(world, 310, { 'ward/errors': 0.9 });
    expect(opened(world).slice(0, 2)).toEqual(['guard', 'ward']);
  });

  test('holds for programs that nobody knows the effect of: one command is one thing', () => {
    const ladder = [aRung({ do: [aRun(['/bin/drain', 'shop'])] })];
    const other = [aRung({ do: [aRun(['/bin/drain', 'cart'])] })];
    const run = (name: string, change: Partial<RollbackPolicy>) =>
      aPolicy({ name, triggers: [aTrigger({ name: 'errors', forMs: 0 })], ...change });
    const world = worldOf(run('guard', { ladder }), run('ward', { ladder }));
    live(world, 5, { 'guard/errors': 0.9, 'ward/errors': 0.9 });
    expect(opened(world)).toEqual(['guard']);
    expect(world.events('incident.joined')).toHaveLength(1);
    const apart = worldOf(run('guard', { ladder }), run('ward', { ladder: other }));
    live(apart, 5, { 'guard/errors': 0.9, 'ward/errors': 0.9 });
    expect(opened(apart)).toEqual(['guard', 'ward']);
  });

  test('of a trigger that comes and goes is told once, with the command that overrides it', () => {
    const world = worldOf(aPolicy({ triggers: [aTrigger({ forMs: 0 })], notify: ['pager'] }));
    live(world, 5, { 'guard/latency': 0.9 });
    live(world, 10, {});
    for (let times = 0; times < 5; times += 1) {
      live(world, 10, { 'guard/latency': 0.9 });
      live(world, 10, {});
    }
    expect(world.effects.filter((effect) => effect === 'notify pager braked')).toHaveLength(1);
    expect(world.events('policy.braked')[0]?.brake.reason).toContain('`revertd rollback guard --force`');
    expect(world.plan().conditions.filter(({ type }) => type === 'Braked')).toEqual([]);
    live(world, 700, {});
    expect(world.memory.brakes).toEqual({});
  });
});

describe('most triggers breaching at once', () => {
  const three = (change: Partial<Parameters<typeof aTrigger>[0]> = {}) =>
    ['latency', 'errors', 'third'].map((name) => aTrigger({ name, forMs: 0, ...change }));
  const all = { 'guard/latency': 0.9, 'guard/errors': 0.9, 'guard/third': 0.9 };

  function troubled(policy: RollbackPolicy, trouble: 'restart' | 'stall' | 'jump' | 'none'): World {
    const world = worldOf(policy);
    live(world, 120, {});
    if (trouble === 'restart') world.restart();
    if (trouble === 'stall')
      world.record({ type: 'sampling.troubled', sampler: 'own', reason: 'its loop stood still' });
    if (trouble === 'jump') {
      world.now += 7_200_000;
      world.record({ type: 'clock.jumped', byMs: 7_200_000 });
    }
    return world;
  }

  test.each(['restart', 'stall', 'jump'] as const)('after a %s are held for a minute, and then believed', (trouble) => {
    const world = troubled(aPolicy({ triggers: three(), notify: ['pager'] }), trouble);
    live(world, 50, all);
    expect(opened(world)).toEqual([]);
    expect(world.events('policy.braked')).toMatchObject([{ brake: { kind: 'correlated' } }]);
    expect(world.effects).toContain('notify pager braked');
    live(world, 15, all);
    expect(opened(world)).toEqual(['guard']);
  });

  test.each([
    ['without any trouble', 'none', three(), all],
    ['but fewer than most', 'restart', three(), { 'guard/latency': 0.9 }],
    ['of which one says that something is not there', 'restart', three({ watchesAbsence: true }), all],
    ['of two triggers only', 'restart', three().slice(0, 2), all],
  ] as const)('%s are believed at once', (_what, trouble, triggers, values) => {
    const world = troubled(aPolicy({ triggers }), trouble);
    live(world, 5, values);
    expect(opened(world)).toEqual(['guard']);
  });

  test('that breached before the trouble are believed', () => {
    const world = worldOf(aPolicy({ triggers: three({ forMs: 30_000 }) }));
    live(world, 120, {});
    live(world, 25, all);
    world.restart();
    live(world, 10, all);
    expect(opened(world)).toEqual(['guard']);
  });

  test('of another sampler are believed', () => {
    const world = troubled(aPolicy({ triggers: three({ source: 'prod' }) }), 'restart');
    live(world, 5, all);
    expect(opened(world)).toEqual(['guard']);
  });

  test('of a server that could not be reached are held', () => {
    const world = worldOf(aPolicy({ triggers: three({ source: 'prod' }) }));
    live(world, 120, {});
    world.now += 5_000;
    for (const trigger of KEYS) world.reading(undefined, { trigger, result: { kind: 'failed', message: 'refused' } });
    world.settle();
    live(world, 50, all);
    expect(opened(world)).toEqual([]);
    live(world, 15, all);
    expect(opened(world)).toEqual(['guard']);
  });
});

describe('a ladder by hand', () => {
  const ladder = [aRung(), aRung({ name: 'second', do: [aRun(['second'])] })];

  test('is walked without triggers, from the rung that is named, and verified by its checks', () => {
    const check = aCheck('well');
    const second = aRung({ name: 'second', do: [aRun(['second'])], verify: aVerify({ checks: [check] }) });
    const world = worldOf(aPolicy({ triggers: [], ladder: [aRung(), second] }));
    roll(world, { rung: 'second' });
    live(world, 10, {});
    world.check('well', 'true');
    world.settle();
    expect(world.effects.slice(0, 1)).toEqual(['second']);
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'resolved' }]);
  });

  test('is held up by its cooldown, and by force it is not, which is reported', () => {
    const world = worldOf(aPolicy({ ladder }));
    live(world, 15, { 'guard/latency': 0.9 });
    live(world, 10, {});
    expect(() => roll(world, { rung: 'second' })).toThrow(/cooldown of 10m after INC-1.*--force/);
    roll(world, { rung: 'second', force: true });
    expect(world.effects).toContain('second');
    expect(world.events('brake.overridden')).toMatchObject([{ policy: 'guard', actor: 'ann', reason: 'trying' }]);
  });

  test.each<[string, (world: World) => void, Partial<RollbackRequest>, string]>([
    ['a policy that is not there', () => {}, { policy: 'gard' }, 'Did you mean guard?'],
    ['a rung that is not there', () => {}, { rung: 'secnd' }, 'Did you mean second?'],
    [
      'a halt',
      (world) => {
        world.halt = HALT;
        world.settle();
      },
      { force: true },
      'revertd resume',
    ],
    ['an incident of its own', (world) => live(world, 15, { 'guard/latency': 0.9 }), { force: true }, 'INC-1'],
    [
      'another policy’s incident on the same things',
      (world) => live(world, 5, { 'ward/errors': 0.9 }),
      { force: true },
      'INC-1 (ward) works on the same things',
    ],
  ])('is refused for %s', (_why, prepare, request, message) => {
    const world = worldOf(aPolicy({ ladder }), ward);
    prepare(world);
    expect(() => roll(world, request)).toThrow(CommandError);
    expect(() => roll(world, request)).toThrow(message);
  });

  test('is verified where its effect is there already, and goes no further', () => {
    const world = worldOf(aPolicy({ ladder }));
    world.documents[APP] = { FAST_PATH: 'false' };
    world.accept({ ...world.desired, flags: { 'fast-path': aFlag({ defaultVariant: 'off' }) } });
    live(world, 5, {});
    roll(world);
    live(world, 10, {});
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'resolved' }]);
    expect(world.effects).not.toContain('second');
  });

  test('says beforehand what it would do', () => {
    const world = worldOf(aPolicy({ ladder }));
    const before = world.log.length;
    const { memory, desired, now } = world;
    expect(previewRollback({ memory, desired, now }, { policy: 'guard', rung: 'second', force: false })).toEqual({
      policy: 'guard',
      refused: null,
      brake: null,
      rungs: [
        { rung: 'second', steps: ['run second'], conditional: false, approval: null, loses: false, estimateMs: null },
      ],
    });
    expect(world.log.length).toBe(before);
  });
});

describe('policies that joined', () => {
  const both = (change: Partial<RollbackPolicy>) =>
    worldOf(aPolicy({ triggers: [aTrigger({ forMs: 0 })] }), { ...ward, ...change });

  test('must find their own checks true as well', () => {
    const world = both({ ladder: [aRung({ verify: aVerify({ checks: [aCheck('well')] }) })] });
    live(world, 5, { 'guard/latency': 0.9, 'ward/errors': 0.9 });
    live(world, 30, {});
    expect(world.events('incident.closed')).toEqual([]);
    world.check('well', 'true');
    live(world, 5, {});
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'resolved' }]);
  });

  test('keep the latch for as long as their triggers breach', () => {
    const world = both({});
    live(world, 5, { 'guard/latency': 0.9, 'ward/errors': 0.9 });
    live(world, 10, {});
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'resolved' }]);
    live(world, 5, { 'ward/errors': 0.9 });
    world.accept({ ...world.desired, revision: 'rev-2', flags: { 'fast-path': aFlag({ digest: 'flag-2' }) } });
    live(world, 5, { 'ward/errors': 0.9 });
    expect(Object.keys(world.memory.holds)).toHaveLength(1);
    live(world, 5, {});
    expect(world.memory.holds).toEqual({});
  });
});

test('an exhausted ladder is told to every notifier, whomever the policy names', () => {
  const world = worldOf(aPolicy({ triggers: [aTrigger({ forMs: 0 })], notify: [] }));
  live(world, 75, { 'guard/latency': 0.9 });
  expect(world.effects).toContain('notify pager exhausted');
});
