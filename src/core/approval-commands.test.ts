import { describe, expect, test } from 'vitest';
import { aCheck, aDesired, aPolicy, aRun, aRung, aVerify, ORIGIN } from '../../test/support/policies.ts';
import { World } from '../../test/support/world.ts';
import { type ApprovalAnswer, approveRung, overrideApproval, rejectRung } from './approval-commands.ts';
import type { EventSpec } from './event.ts';
import { slotsOf } from './incidents/approval-slots.ts';
import type { ApprovalRule, GivenApproval, Person } from './model/approval.ts';
import type { Notifier } from './model/notifier.ts';
import type { Rung } from './model/policy.ts';
import { answerIncident } from './operator-commands.ts';

const MINUTES_15 = 15 * 60_000;
const RULE: ApprovalRule = { roles: { manager: 1, dba: 1 }, withinMs: MINUTES_15, onTimeout: 'escalate' };
const ROWS = { key: 'rows', origin: ORIGIN, kind: 'query', expr: 'rows' } as const;

function person(name: string, ...roles: string[]): Person {
  return { name, isPerson: name !== 'root', roles };
}

const notifier = (name: string): Notifier => ({
  name,
  origin: ORIGIN,
  suspend: false,
  on: ['approval', 'asking', 'exhausted'],
  timeoutMs: 1_000,
  type: { kind: 'command', argv: ['page'] },
});

/** A world that waits for the approval of its only rung, of which 1,234 rows are lost. */
function waiting(rule: Partial<ApprovalRule> = {}, change: Partial<Rung> = {}, rungs: readonly Rung[] = []): World {
  const rung = aRung({
    name: 'drop',
    do: [aRun(['drop'])],
    approval: { ...RULE, ...rule },
    dataLoss: { counts: [{ label: 'rows', measure: ROWS }] },
    ...change,
  });
  const guard = aPolicy({ ladder: [rung, ...rungs], notify: ['oncall'] });
  const notifiers = { oncall: notifier('oncall'), leadership: notifier('leadership') };
  const world = new World(aDesired({ policies: { guard }, notifiers }), { 'envFile:/app.env': { FAST_PATH: 'true' } });
  world.live(60, 0.1);
  count(world, 1234);
  world.live(15, 0.9);
  count(world, 1234);
  world.settle();
  return world;
}

function count(world: World, value: number | null): void {
  world.measures = { rows: { key: 'rows', at: world.now, value, detail: value === null ? 'no data' : 'counted' } };
}

type Command = typeof approveRung;

function command(world: World, run: Command, who: Person, answer: ApprovalAnswer = {}): EventSpec[] {
  const { memory, checks, now } = world;
  const events = run({ memory, checks, now, person: who }, 'INC-1', answer);
  events.forEach((event) => world.record(event));
  world.settle();
  return events;
}

function request(world: World) {
  const phase = world.memory.incidents['INC-1']?.phase;
  if (phase?.kind !== 'awaiting-approval' || phase.request === null) throw new Error(`it is ${phase?.kind}`);
  return phase.request;
}

function phaseOf(world: World): string | undefined {
  return world.memory.incidents['INC-1']?.phase.kind;
}

const ANN = person('ann', 'manager');
const BOB = person('bob', 'dba');

describe('a rung that needs approval', () => {
  test('is not entered before everybody has agreed, and is then', () => {
    const world = waiting();
    expect(world.effects).toEqual(['notify oncall approval']);
    expect(request(world)).toMatchObject({
      steps: ['run drop'],
      loss: 'rows: 1234 (agreed up to 1300)',
      estimateMs: null,
    });
    command(world, approveRung, ANN);
    expect(world.effects).not.toContain('drop');
    command(world, approveRung, BOB, { reason: 'backup is there' });
    expect(world.effects).toContain('drop');
  });

  test.each([
    ['the same person twice', person('ann', 'manager', 'dba'), 'has approved already'],
    ['somebody without a role', person('eve'), 'has no role on this host'],
    ['somebody with another role', person('eve', 'oncall'), 'missing is 1 dba'],
    ['a role that is filled', person('eve', 'manager'), 'missing is 1 dba'],
    ['root', person('root', 'dba'), 'root is no person'],
  ])('refuses %s', (_who, who, message) => {
    const world = waiting();
    command(world, approveRung, ANN);
    const before = world.log.length;
    expect(() => command(world, approveRung, who)).toThrow(message);
    expect(world.log.length).toBe(before);
    expect(phaseOf(world)).toBe('awaiting-approval');
  });

  test('gives people with several roles the slots that the others leave', () => {
    const world = waiting();
    command(world, approveRung, person('ann', 'manager', 'dba'));
    command(world, approveRung, person('mia', 'manager'));
    expect(world.effects).toContain('drop');
  });

  test.each([
    [{ rung: 'other' }, 'waits for the approval of rung "drop"'],
    [{ digest: '0000' }, 'has changed since'],
  ])('refuses an answer to something else: %j', (answer, message) => {
    const world = waiting();
    expect(() => command(world, approveRung, ANN, answer)).toThrow(message);
  });

  test('refuses what comes after the deadline, tells everybody, and can ask once more', () => {
    const world = waiting();
    command(world, approveRung, ANN);
    world.live(15 * 60, 0.9);
    expect(phaseOf(world)).toBe('asking');
    expect(world.effects.filter((effect) => effect.endsWith('asking'))).toEqual([
      'notify oncall asking',
      'notify leadership asking',
    ]);
    expect(() => command(world, approveRung, BOB)).toThrow(/too late: rung "drop" was not approved within 15m/);
    const situation = { desired: world.desired, memory: world.memory, now: world.now, actor: 'ann' };
    answerIncident(situation, 'INC-1', 'retry').forEach((event) => world.record(event));
    count(world, 1234);
    world.settle();
    count(world, 1234);
    world.settle();
    expect(phaseOf(world)).toBe('awaiting-approval');
    command(world, approveRung, ANN);
    command(world, approveRung, BOB);
    expect(world.effects).toContain('drop');
  });

  test('refuses what comes at the deadline itself, before anything was decided', () => {
    const world = waiting();
    world.now += MINUTES_15;
    expect(() => command(world, approveRung, ANN)).toThrow('too late');
  });

  test('ends the incident after its deadline where the policy says so', () => {
    const world = waiting({ onTimeout: 'abort' });
    world.live(15 * 60, 0.9);
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'aborted' }]);
    expect(world.effects).not.toContain('drop');
  });

  test('does not let its deadline pass while halted, and takes approvals meanwhile', () => {
    const world = waiting();
    world.halt = { since: 0, by: 'ann', reason: 'looking' };
    world.live(30 * 60, 0.9);
    expect(phaseOf(world)).toBe('awaiting-approval');
    command(world, approveRung, ANN);
    command(world, approveRung, BOB);
    expect(world.effects).not.toContain('drop');
    world.halt = null;
    world.live(5, 0.9);
    expect(world.effects).toContain('drop');
  });

  test('is not entered when it is over meanwhile', () => {
    const world = waiting();
    command(world, approveRung, ANN);
    world.live(5, 0.1);
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'resolved' }]);
    expect(world.effects).not.toContain('drop');
  });

  test('keeps what was given over a restart', () => {
    const world = waiting();
    command(world, approveRung, ANN);
    world.restart();
    world.live(5, 0.9);
    command(world, approveRung, BOB);
    expect(world.effects).toContain('drop');
  });

  test('that is rejected is skipped, and the next one entered', () => {
    const world = waiting({}, {}, [aRung({ name: 'second', do: [aRun(['second'])] })]);
    expect(() => command(world, rejectRung, person('eve', 'oncall'))).toThrow('needs one of manager, dba');
    command(world, rejectRung, BOB, { reason: 'no backup' });
    expect(world.effects).not.toContain('drop');
    expect(world.effects).toContain('second');
  });

  test('says how long it took before', () => {
    const world = waiting();
    command(world, approveRung, ANN);
    command(world, approveRung, BOB);
    expect(world.memory.durations).toEqual({ 'guard/drop': [0] });
  });
});

describe('what an approval covers', () => {
  test.each([
    ['a count that grows within what was told', 1_300, true],
    ['one that shrinks', 7, true],
    ['one that cannot be made any more', null, true],
    ['one that grows beyond it', 1_301, false],
  ])('%s', (_what, value, holds) => {
    const world = waiting();
    const before = request(world).digest;
    command(world, approveRung, ANN);
    count(world, value);
    world.settle();
    expect(request(world).digest === before).toBe(holds);
    expect(world.effects.filter((effect) => effect.endsWith('approval'))).toHaveLength(holds ? 1 : 2);
    command(world, approveRung, BOB);
    expect(world.effects.includes('drop')).toBe(holds);
  });

  test('is nothing where nothing was to be lost', () => {
    const world = waiting({}, { dataLoss: { counts: [{ label: 'rows', measure: { ...ROWS, key: 'none' } }] } });
    const found = (value: number) => ({ none: { key: 'none', at: world.now, value, detail: 'counted' } });
    world.measures = found(0);
    world.settle();
    expect(request(world)).toMatchObject({ loss: 'rows: 0', covers: { rows: 0 } });
    command(world, approveRung, ANN);
    world.measures = found(1);
    world.settle();
    expect(request(world).covers).toEqual({ rows: 1 });
    command(world, approveRung, BOB);
    expect(world.effects).not.toContain('drop');
  });

  test('is asked for although the loss cannot be counted', () => {
    const guard = aPolicy({
      ladder: [
        aRung({
          name: 'drop',
          do: [aRun(['drop'])],
          approval: RULE,
          dataLoss: { counts: [{ label: 'rows', measure: ROWS }] },
        }),
      ],
    });
    const world = new World(aDesired({ policies: { guard } }), { 'envFile:/app.env': { FAST_PATH: 'true' } });
    world.live(60, 0.1);
    world.live(25, 0.9);
    expect(() => request(world)).toThrow('awaiting-approval');
    world.live(10, 0.9);
    expect(request(world)).toMatchObject({ loss: 'rows: not known (not counted in time)', covers: { rows: null } });
  });
});

test('who has read what was asked before agrees to nothing', () => {
  const world = waiting();
  const { digest } = request(world);
  count(world, 1_301);
  world.settle();
  expect(() => command(world, approveRung, BOB, { digest })).toThrow('has changed since');
});

describe('one who decides alone', () => {
  const override = { role: 'oncall', when: [aCheck('dead')], notify: ['leadership'] };
  const CAT = person('cat', 'oncall');

  test('may, while the checks are true, and it is told to everybody named', () => {
    const world = waiting({ override });
    world.check('dead', 'true', 'nothing answers');
    command(world, overrideApproval, CAT, { reason: 'all is down' });
    expect(world.effects).toContain('drop');
    expect(world.events('approval.overridden')).toMatchObject([
      { because: ['run dead: nothing answers'], notify: ['leadership'] },
    ]);
  });

  test.each([
    ['while a check is false', CAT, 'false', 'down', 'this is not so'],
    ['while a check is unknown', CAT, 'unknown', 'down', 'this is not so'],
    ['without the role', BOB, 'true', 'down', 'only a person with the role oncall'],
    ['without a reason', CAT, 'true', undefined, 'says why'],
    ['as root', person('root', 'oncall'), 'true', 'down', 'no person'],
  ] as const)('may not %s', (_when, who, outcome, reason, message) => {
    const world = waiting({ override });
    world.check('dead', outcome);
    expect(() => command(world, overrideApproval, who, reason === undefined ? {} : { reason })).toThrow(message);
    expect(world.effects).not.toContain('drop');
  });

  test('may not where the policy lets nobody', () => {
    expect(() => command(waiting(), overrideApproval, CAT, { reason: 'down' })).toThrow('lets nobody decide alone');
  });
});

describe('a rung that loses data', () => {
  test('is not entered for want of data, even if the policy goes on', () => {
    const first = aRung({ do: [aRun(['first'])], verify: aVerify({ onInconclusive: 'next' }) });
    const drop = aRung({ name: 'drop', do: [aRun(['drop'])], approval: RULE, dataLoss: { text: 'rows', counts: [] } });
    const guard = aPolicy({ ladder: [first, drop] });
    const world = new World(aDesired({ policies: { guard } }), { 'envFile:/app.env': { FAST_PATH: 'true' } });
    world.live(60, 0.1);
    world.live(15, 0.9);
    world.live(120, undefined);
    expect(phaseOf(world)).toBe('asking');
    expect(world.events('approval.awaited')).toEqual([]);
  });
});

describe('slots', () => {
  const given = (subject: string, ...roles: string[]): GivenApproval => ({ subject, roles, at: 0, reason: null });
  test.each([
    ['nobody', [], { a: 2, b: 1 }],
    ['one of each', [given('x', 'a'), given('y', 'b')], { a: 1 }],
    ['the same person twice', [given('x', 'a'), given('x', 'b')], { a: 2 }],
    ['an order that a first come would get wrong', [given('x', 'a', 'b'), given('y', 'a'), given('z', 'a')], {}],
    ['more people than slots', [given('x', 'b'), given('y', 'b')], { a: 2 }],
  ])('%s', (_what, people, missing) => {
    expect(slotsOf({ roles: { a: 2, b: 1 } }, people).missing).toEqual(missing);
  });
});
