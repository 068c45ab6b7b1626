/**
 * R1 on real services: what makes the stack worse than it was takes its optimisations back. Every service is a unit that
 * systemd restarts, and has faults that come with caching; each case has its own stack, guarded by the pack as it is.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { done, property, refuseOutsideOfTheSandbox, until } from '../support/installed-host.ts';
import type { Mem0Faults } from '../support/rows/mem0-service.ts';
import type { Mem0Stack } from '../support/rows/mem0-stack.ts';
import { Mem0Suite } from '../support/rows/mem0-suite.ts';
import { readGroup } from '../support/rows/memory-group.ts';
import { deleted, inverted } from '../support/rows/mutate-pack.ts';

const BREACHES: readonly (readonly [trigger: string, faults: Mem0Faults, use: 'used' | 'unused'])[] = [
  ['latency', { latencyMs: 300 }, 'used'],
  ['error-ratio', { errorEvery: 20 }, 'used'],
  ['memory', { memoryRatio: 0.94 }, 'unused'],
  ['down', { crash: true }, 'unused'],
];
const JUST_BELOW: Mem0Faults = { latencyMs: 80, errorEvery: 400, memoryRatio: 0.8 };
const EVERYTHING: Mem0Faults = { latencyMs: 300, errorEvery: 4, memoryRatio: 0.94 };

/** In seconds. Every fault above is answered before, counted from when it began. */
const LONG_ENOUGH = 20;
/** A baseline over a minute is there after a quarter of it and 20 readings. */
const BASELINE_IS_KNOWN = 30;

const ON = { ENABLE_CACHING: 'true', AUTONOMOUS_MODE: 'true' };
const OFF = { ENABLE_CACHING: 'false', AUTONOMOUS_MODE: 'true' };

let suite: Mem0Suite;

beforeAll(async () => {
  refuseOutsideOfTheSandbox();
  suite = await Mem0Suite.open();
});

afterAll(async () => {
  await suite[Symbol.asyncDispose]();
});

/** All that a rollback would change: the files, which lives the units are in, what is running, who was told. */
async function sightOf(stack: Mem0Stack) {
  return {
    files: [stack.env('mem0'), stack.env('mcp')],
    lives: await Promise.all([stack.life('mem0'), stack.life('mcp')]),
    runsWithCaching: (await stack.state('mem0'))?.caching,
    told: stack.letters('oncall').map(({ words }) => words),
  };
}

const UNTOUCHED = { files: [ON, { ...ON, WORKERS: '8' }], runsWithCaching: true, told: [] };

function shareOfMemory(stack: Mem0Stack): number {
  const { workingSet, limit } = readGroup(stack.group);
  return workingSet / limit;
}

/** Breaks what is well, waits for the answer, and says what has become of it. */
async function breakDown(stack: Mem0Stack, faults: Mem0Faults) {
  const before = await sightOf(stack);
  stack.break(faults);
  await stack.untilRolledBack();
  const after = await sightOf(stack);
  const opening = async (receiver: 'oncall' | 'status' | 'agents') =>
    await until(`${receiver} is told`, async () => stack.letters(receiver)[0]);
  const letters = [await opening('oncall'), await opening('status'), await opening('agents')];
  return {
    wasWell: before.told.length === 0 && before.runsWithCaching === true,
    files: after.files,
    sameLives: after.lives.filter((life) => before.lives.includes(life)),
    state: await property(stack.unit('mem0'), 'ActiveState'),
    hasMemory: shareOfMemory(stack) < 0.9,
    reasons: letters.map(({ words }) => words),
  };
}

function rolledBackFor(trigger: string) {
  return {
    wasWell: true,
    files: [OFF, { ...OFF, WORKERS: '4' }],
    sameLives: [],
    state: 'active',
    hasMemory: true,
    reasons: Array.from({ length: 3 }, () => expect.stringContaining(`mem0-service/${trigger} `)),
  };
}

describe('[R1] a stack that its optimisations make worse is rolled back', () => {
  test.concurrent.each(BREACHES)('when %s breaches, and is well then', async (trigger, faults, use) => {
    await using stack = await suite.start(trigger, { isUsed: use === 'used' });
    await stack.guard();
    await stack.untilScraped(5);
    expect(await breakDown(stack, faults)).toEqual(rolledBackFor(trigger));
  });
});

describe('[R1] beside each other', () => {
  test.concurrent('latency that is twice its baseline is no less a reason than a high one', async () => {
    await using stack = await suite.start('latency-baseline');
    await stack.guard({ mem0BaselineOver: '1m' });
    await stack.untilScraped(BASELINE_IS_KNOWN);
    expect(await breakDown(stack, { latencyMs: 100 })).toEqual(rolledBackFor('latency-baseline'));
  });

  test.concurrent('a stack is left alone while every figure is just below its threshold', async () => {
    await using stack = await suite.start('below', { faults: JUST_BELOW, hasInterface: true });
    const { lives } = await sightOf(stack);
    await stack.guard();
    await stack.untilScraped(LONG_ENOUGH);
    // Down, but not for long enough.
    await done(`systemctl stop ${stack.unit('ui')}`);
    await stack.untilScraped(2);
    await done(`systemctl start ${stack.unit('ui')}`);
    await stack.untilScraped(5);
    expect(await sightOf(stack)).toEqual({ ...UNTOUCHED, lives });
    expect(shareOfMemory(stack)).toBeGreaterThan(0.75);
  });

  test.concurrent.each([
    ['the policy is deleted', 'deleted', deleted],
    ['its thresholds are inverted', 'inverted', inverted],
  ])('with everything wrong at once nothing is done once %s', async (_mutation, name, change) => {
    await using stack = await suite.start(name, { faults: EVERYTHING, hasInterface: true, change });
    await until('the memory is held', async () => (shareOfMemory(stack) > 0.9 ? true : undefined));
    await done(`systemctl stop ${stack.unit('ui')}`);
    const { lives } = await sightOf(stack);
    // Of the other service, which is well, an inverted threshold would complain.
    await stack.guard({ mem0Containers: stack.unit('mem0') });
    await stack.untilScraped(LONG_ENOUGH);
    expect(await sightOf(stack)).toEqual({ ...UNTOUCHED, lives });
  });
});
