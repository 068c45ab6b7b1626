import { expect, test } from 'vitest';
import { aDesired, aPolicy, aRestore, aRung, aTarget, ORIGIN } from '../../../test/support/policies.ts';
import { World } from '../../../test/support/world.ts';
import { approveRung } from '../approval-commands.ts';
import type { Action } from '../model/action.ts';
import type { Measure } from '../model/measure.ts';
import type { SqlStatement } from '../model/sql-step.ts';
import type { Step } from '../model/step.ts';
import { wantsOf } from '../wants.ts';
import { describeRequest } from './await-approval.ts';

const MEMORIES: Measure = {
  key: 'memories',
  origin: ORIGIN,
  kind: 'sql',
  on: { kind: 'database', database: { kind: 'sqlite', path: '/app.db' } },
  query: 'SELECT count(*) FROM memories',
  timeoutMs: 10_000,
};

function deleting(...statements: readonly SqlStatement[]): Step {
  return {
    kind: 'sql',
    origin: ORIGIN,
    timeoutMs: 30_000,
    database: { kind: 'sqlite', path: '/app.db' },
    script: { kind: 'statements', statements },
    params: {},
    transaction: true,
    require: [],
    repeatable: false,
    unless: [],
  };
}

/** A world whose only rung waits for a person, after ten quiet minutes at `v1`. */
function waiting(steps: readonly Step[], value: number | null) {
  const rung = aRung({
    name: 'drop',
    do: steps,
    dataLoss: { target: 'code', counts: [{ label: 'memories', measure: MEMORIES }] },
    approval: { roles: { dba: 1 }, withinMs: 900_000, onTimeout: 'escalate' },
  });
  const world = new World(
    aDesired({ policies: { guard: aPolicy({ ladder: [rung] }) }, targets: { code: aTarget() } }),
    {
      'envFile:/app.env': { FAST_PATH: 'true' },
    },
  );
  const done: Action[] = [];
  world.perform = (action) => {
    done.push(action);
    return { outcome: 'done', detail: '' };
  };
  world.checkouts = { code: { head: 'v1' } };
  world.live(600, 0.1);
  world.checkouts = { code: { head: 'v2' } };
  world.live(10, 0.9);
  for (let passed = 0; passed < 20; passed += 5) {
    world.now += 5_000;
    world.measures = { memories: { key: 'memories', at: world.now, value, detail: 'locked' } };
    world.reading(0.9);
    world.settle();
  }
  return { world, done };
}

function approve(world: World): void {
  const person = { name: 'ann', isPerson: true, roles: ['dba'] };
  const { memory, checks, now } = world;
  for (const spec of approveRung({ memory, checks, now, person }, 'INC-1', {})) world.record(spec);
  world.settle();
}

const statementsOf = (done: readonly Action[]) =>
  done.flatMap((action) =>
    action.kind === 'step' && action.step.kind === 'sql' && action.step.script.kind === 'statements'
      ? action.step.script.statements
      : [],
  );

test('what people agreed to, rounded up, bounds the statements that name it', () => {
  const step = deleting(
    { text: 'DELETE FROM memories', rows: { atLeast: 1 }, atMostCounted: true },
    { text: 'DELETE FROM a', atMostCounted: 'memories' },
    { text: 'DELETE FROM b', rows: { atMost: 3 } },
  );
  const { world, done } = waiting([step], 1234);
  const [wanted] = wantsOf(world.desired, world.memory, world.now).measures;
  expect(wanted).toMatchObject({ measure: { key: 'memories' }, pointAt: null });
  approve(world);
  expect(statementsOf(done)).toEqual([
    { text: 'DELETE FROM memories', rows: { atLeast: 1, atMost: 1300 } },
    { text: 'DELETE FROM a', rows: { atMost: 1300 } },
    { text: 'DELETE FROM b', rows: { atMost: 3 } },
  ]);
});

test('nothing is deleted where nobody could count', () => {
  const { world, done } = waiting([deleting({ text: 'DELETE FROM memories', atMostCounted: true })], null);
  approve(world);
  expect(statementsOf(done)).toEqual([]);
  expect(world.events('step.finished')).toMatchObject([
    { result: { outcome: 'failed', detail: expect.stringContaining('what would be lost was not counted') } },
  ]);
});

test('people are told since when the state was good that is gone back to, and what would be counted', () => {
  const { world } = waiting([aRestore()], 7);
  const incident = world.memory.incidents['INC-1'];
  if (incident?.phase.kind !== 'awaiting-approval') throw new Error(`it is ${incident?.phase.kind}`);
  const lines = describeRequest(incident, incident.phase);
  expect(lines).toContainEqual(
    expect.stringMatching(/^goes back to code at v1; code was good from \S+Z on, 9m10s before this was asked$/),
  );
  const { digest } = incident.phase.request ?? {};
  world.now += 3_600_000;
  world.record({ type: 'clock.jumped', byMs: 3_600_000 });
  const moved = world.memory.incidents['INC-1'];
  if (moved?.phase.kind !== 'awaiting-approval') throw new Error('it waits no more');
  expect(moved.phase.request?.digest).toBe(digest);
  expect(describeRequest(moved, moved.phase)).toContainEqual(
    expect.stringContaining('on, 9m10s before this was asked'),
  );
});

test('a plan tells beforehand what a rung would lose', () => {
  const { world } = waiting([aRestore()], 7);
  const outlook = world.plan().outlook.flatMap(({ next }) => next);
  expect(outlook.join('\n')).toContain('would be lost: memories: 7');
  const calm = new World(world.desired, {});
  calm.live(10, 0.9);
  const before = calm.plan().outlook.flatMap(({ next }) => next);
  expect(before).toContainEqual(
    expect.stringContaining('(would lose: memories (counted by SELECT count(*) FROM memories on /app.db), of code)'),
  );
});
