import { describe, expect, test } from 'vitest';
import { aCheck, aDesired, aPolicy, aRun, aRung, aTrigger, aVerify } from '../../test/support/policies.ts';
import { World } from '../../test/support/world.ts';
import { approveRung } from './approval-commands.ts';
import type { Incident } from './model/incident.ts';

const APP = 'envFile:/app.env';
/** As many rounds as an undisturbed run has, and some more. */
const ROUNDS = 60;

/** Time to mend, a condition on a rung and on a step, an approval, a failing rung: every transition that there is. */
const guard = aPolicy({
  triggers: [aTrigger({ forMs: 0, severity: 'warning', decision: { fixForwardMs: 20_000 } })],
  ladder: [
    aRung({ name: 'first', do: [aRun(['first'])], verify: aVerify({ settleMs: 5_000, withinMs: 10_000 }) }),
    aRung({
      name: 'second',
      when: [aCheck('ready')],
      approval: { roles: { dba: 1 }, withinMs: 600_000, onTimeout: 'escalate' },
      do: [aRun(['second']), { ...aRun(['skipped']), when: [aCheck('never')] }],
      verify: aVerify({ settleMs: 5_000, withinMs: 60_000, forMs: 10_000 }),
    }),
  ],
});

/** Bad until the second rung has done its work. `kill`: the daemon dies in the round of that number, `begun` steps under way. */
function run(kill: { readonly round: number; readonly begun: number; readonly awayMs: number } | null): World {
  const world = new World(aDesired({ policies: { guard } }), { [APP]: { FAST_PATH: 'true' } });
  world.live(60, 0.1);
  let rounds = 0;
  for (let passed = 0; passed < 300 && closed(world) === undefined; passed += 5) {
    world.now += 5_000;
    world.reading(world.effects.includes('second') ? 0.1 : 0.9);
    for (let steps = 0; steps < 30; steps += 1) {
      world.check('ready', 'true');
      world.check('never', 'false');
      approve(world);
      if (kill !== null && rounds === kill.round) {
        rounds += 1;
        world.kill(kill.begun, kill.awayMs);
        world.reading(world.effects.includes('second') ? 0.1 : 0.9, { at: world.now });
        continue;
      }
      rounds += 1;
      const plan = world.round();
      if (plan.actions.length === 0 && plan.events.length === 0) break;
    }
  }
  return world;
}

function closed(world: World): string | undefined {
  return world.events('incident.closed')[0]?.outcome;
}

function approve(world: World): void {
  const incident: Incident | undefined = world.memory.incidents['INC-1'];
  if (incident?.phase.kind !== 'awaiting-approval' || incident.phase.request === null) return;
  if (incident.phase.given.length > 0) return;
  const person = { name: 'bob', isPerson: true, roles: ['dba'] };
  const { memory, checks, now } = world;
  approveRung({ memory, checks, now, person }, 'INC-1', {}).forEach((event) => world.record(event));
}

function story(world: World): string[] {
  return world.log.flatMap((event) => {
    if (event.type === 'rung.entered') return [`enter ${event.name}`];
    return event.type === 'incident.closed' ? [event.outcome] : [];
  });
}

describe('a ladder whose daemon is killed', () => {
  const undisturbed = story(run(null));

  test('is walked to its end without that', () => {
    expect(undisturbed).toEqual(['enter first', 'enter second', 'resolved']);
  });

  const kills = Array.from({ length: ROUNDS }, (_, round) => round).flatMap((round) =>
    [0, 1].flatMap((begun) => [0, 30_000].map((awayMs) => ({ round, begun, awayMs }))),
  );

  test.each(kills)('in round $round with $begun begun, for $awayMs ms, ends the same way', (kill) => {
    const world = run(kill);
    expect(story(world)).toEqual(undisturbed);
    expect(world.effects).not.toContain('skipped');
    expect(world.events('approval.given')).toHaveLength(1);
  });
});

describe('a verification that flaps', () => {
  const verify = aVerify({ settleMs: 0, withinMs: 60_000, forMs: 20_000 });

  test.each([
    ['between good and bad has failed when its time is up', 0.9, 'failed'],
    ['between good and unknown is inconclusive', undefined, 'inconclusive'],
  ] as const)('%s', (_what, other, outcome) => {
    const policy = aPolicy({ triggers: [aTrigger({ forMs: 0 })], ladder: [aRung({ verify })] });
    const world = new World(aDesired({ policies: { guard: policy } }), { [APP]: { FAST_PATH: 'true' } });
    world.live(60, 0.1);
    world.live(5, 0.9);
    for (let times = 0; times < 8; times += 1) {
      world.live(10, 0.1);
      world.live(5, other);
    }
    expect(world.events('verification.ended').map((event) => event.outcome)).toEqual([outcome]);
  });
});

test.each([-7_200_000, 7_200_000])('an approval keeps its deadline when the clock is set by %d ms', (byMs) => {
  const rung = aRung({ approval: { roles: { dba: 1 }, withinMs: 60_000, onTimeout: 'abort' } });
  const policy = aPolicy({ triggers: [aTrigger({ forMs: 0 })], ladder: [rung] });
  const world = new World(aDesired({ policies: { guard: policy } }), { [APP]: { FAST_PATH: 'true' } });
  world.live(60, 0.1);
  world.live(5, 0.9);
  world.now += byMs;
  world.record({ type: 'clock.jumped', byMs });
  world.live(55, 0.9);
  expect(world.memory.incidents['INC-1']?.phase.kind).toBe('awaiting-approval');
  world.live(5, 0.9);
  expect(closed(world)).toBe('aborted');
});
