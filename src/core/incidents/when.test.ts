import { describe, expect, test } from 'vitest';
import { aCheck, aDesired, aFlag, aPolicy, aRun, aRung, ORIGIN, setFlagOff } from '../../../test/support/policies.ts';
import { World } from '../../../test/support/world.ts';
import type { Rung } from '../model/policy.ts';
import type { Step } from '../model/step.ts';

const APP = 'envFile:/app.env';
const ready = [aCheck('ready')];
const second = aRung({ name: 'second', do: [aRun(['second'])] });

function worldOf(ladder: readonly Rung[]): World {
  const place = {
    origin: ORIGIN,
    document: { kind: 'envFile', path: '/app.env' },
    entry: 'OTHER',
    takeUp: [],
  } as const;
  const flags = { 'fast-path': aFlag(), other: aFlag({ name: 'other', deliver: [place] }) };
  const world = new World(aDesired({ flags, policies: { guard: aPolicy({ ladder }) } }), {
    [APP]: { FAST_PATH: 'true', OTHER: 'true' },
  });
  world.live(60, 0.1);
  return world;
}

function conditional(step: Step): Step {
  return { ...step, when: ready };
}

describe('a rung with `when`', () => {
  const ladder = [aRung({ name: 'first', do: [aRun(['first'])], when: ready }), second];

  test.each([
    ['true', ['first'], null],
    ['false', ['second'], 'it is not for now: run ready: false'],
  ] as const)('whose check is %s', (outcome, effects, reason) => {
    const world = worldOf(ladder);
    world.live(15, 0.9);
    expect(world.effects).toEqual([]);
    world.check('ready', outcome);
    world.settle();
    expect(world.effects).toEqual(effects);
    expect(world.events('rung.skipped').map((event) => event.reason)).toEqual(reason === null ? [] : [reason]);
  });

  test('is skipped when nobody knows, after a time, and says so', () => {
    const world = worldOf(ladder);
    world.live(15, 0.9);
    world.check('ready', 'unknown', 'no answer');
    world.live(30, 0.9);
    expect(world.effects).toEqual([]);
    world.live(10, 0.9);
    expect(world.effects).toEqual(['second']);
    expect(world.events('rung.skipped')).toMatchObject([
      { reason: expect.stringContaining('unknown is not true'), unsure: true },
    ]);
  });

  test('does not rest on what was seen before its turn', () => {
    const world = worldOf(ladder);
    world.check('ready', 'true');
    world.live(15, 0.9);
    expect(world.effects).toEqual([]);
  });

  test('asks a person when the next one loses data and this one was skipped unknowingly', () => {
    const loses = {
      ...second,
      dataLoss: { text: 'rows', counts: [] },
      approval: { roles: { dba: 1 }, withinMs: 60_000, onTimeout: 'abort' },
    } as const;
    const world = worldOf([aRung({ name: 'first', do: [aRun(['first'])], when: ready }), loses]);
    world.live(60, 0.9);
    expect(world.memory.incidents['INC-1']?.phase).toMatchObject({
      kind: 'asking',
      about: { kind: 'entering', rung: 1 },
    });
    world.record({ type: 'incident.answered', incident: 'INC-1', answer: 'retry', actor: 'ann' });
    world.settle();
    expect(world.memory.incidents['INC-1']?.phase).toMatchObject({ kind: 'awaiting-approval' });
  });

  test('ends exhausted when no rung is for now', () => {
    const world = worldOf([aRung({ when: ready })]);
    world.live(15, 0.9);
    world.check('ready', 'false');
    world.settle();
    expect(world.events('incident.closed')).toMatchObject([{ outcome: 'exhausted' }]);
  });
});

describe('a step with `when`', () => {
  test.each([
    ['true', ['one', 'two', 'three']],
    ['false', ['one', 'three']],
  ] as const)('whose check is %s', (outcome, effects) => {
    const world = worldOf([aRung({ do: [aRun(['one']), conditional(aRun(['two'])), aRun(['three'])] })]);
    world.live(15, 0.9);
    expect(world.effects).toEqual(['one']);
    world.check('ready', outcome);
    world.settle();
    expect(world.effects).toEqual(effects);
    expect(world.events('step.skipped')).toHaveLength(outcome === 'true' ? 0 : 1);
  });

  test('that sets a flag waits for its turn, although its neighbours are one decision', () => {
    const world = worldOf([aRung({ do: [setFlagOff(), conditional(setFlagOff('other'))] })]);
    world.live(15, 0.9);
    expect(world.effects).toEqual(['write FAST_PATH=false']);
    world.check('ready', 'true');
    world.settle();
    expect(world.effects).toEqual(['write FAST_PATH=false', 'write OTHER=false']);
  });

  test('survives a restart while it waits', () => {
    const world = worldOf([aRung({ do: [aRun(['one']), conditional(aRun(['two']))] })]);
    world.live(15, 0.9);
    world.check('ready', 'true');
    world.now += 1_000;
    world.restart();
    world.settle();
    expect(world.effects).toEqual(['one']);
    world.check('ready', 'true');
    world.settle();
    expect(world.effects).toEqual(['one', 'two']);
  });
});
