/**
 * R1 on real services: what makes the stack worse than it was takes its optimisations back. Every service is a unit that
 * systemd restarts, and has faults that come with caching; each case has its own stack, guarded by the pack as it is.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { done, property, refuseOutsideOfTheSandbox, until } from '../support/installed-host.ts';
import type { Mem0Faults } from '../support/rows/mem0-service.ts';
import { type Mem0Stack, STACKS } from '../support/rows/mem0-stack.ts';
import { Mem0Suite } from '../support/rows/mem0-suite.ts';
import { readGroup } from '../support/rows/memory-group.ts';
import { deleted, inverted, mutatePack } from '../support/rows/mutate-pack.ts';

const BREACHES: readonly (readonly [trigger: string, faults: Mem0Faults])[] = [
  ['latency', { latencyMs: 300 }],
  ['latency-baseline', { latencyMs: 100 }],
  ['error-ratio', { errorEvery: 20 }],
  ['memory', { memoryRatio: 0.94 }],
  ['down', { crash: true }],
];
const JUST_BELOW: Mem0Faults = { latencyMs: 80, errorEvery: 400, memoryRatio: 0.8 };
const EVERYTHING: Mem0Faults = { latencyMs: 300, errorEvery: 4, memoryRatio: 0.94 };

/** In seconds. Every fault above is answered before, counted from when it began. */
const LONG_ENOUGH = 20;
/** A baseline over a minute is there after a quarter of it and 20 readings. */
const BASELINE_IS_KNOWN = 30;

const ON = { ENABLE_CACHING: 'true', AUTONOMOUS_MODE: 'true' };
const OFF = { ENABLE_CACHING: 'false', AUTONOMOUS_MODE: 'true' };

const stacks = new Map<string, Mem0Stack>();
let suite: Mem0Suite;

beforeAll(async () => {
  refuseOutsideOfTheSandbox();
  suite = await Mem0Suite.open();
  const mutant = (name: string, change: typeof deleted) =>
    mutatePack('mem0-stack', 'service.yaml', 'mem0-service', join(STACKS, `pack-${name}`), change);
  const policies = new Map([
    ['deleted', mutant('deleted', deleted)],
    ['inverted', mutant('inverted', inverted)],
  ]);
  for (const name of [...BREACHES.map(([trigger]) => trigger), 'below', ...policies.keys()]) {
    const hasInterface = ['below', ...policies.keys()].includes(name);
    stacks.set(name, await suite.stack(name, { hasInterface, policies: policies.get(name) }));
  }
  const faults: Readonly<Record<string, Mem0Faults>> = { below: JUST_BELOW, deleted: EVERYTHING, inverted: EVERYTHING };
  await Promise.all([...stacks].map(([name, stack]) => stack.start(faults[name])));
});

afterAll(async () => {
  await suite[Symbol.asyncDispose]();
});

function stackOf(name: string): Mem0Stack {
  const stack = stacks.get(name);
  if (stack === undefined) throw new Error(`there is no stack ${name}`);
  return stack;
}

/** All that a rollback would change: the files, which lives the units are in, what is running, who was told. */
async function sightOf(stack: Mem0Stack) {
  return {
    files: [stack.env('mem0'), stack.env('mcp')],
    lives: await Promise.all([stack.life('mem0'), stack.life('mcp')]),
    runsWithCaching: (await stack.state('mem0'))?.caching,
    told: stack.topics('oncall'),
  };
}

const UNTOUCHED = { files: [ON, { ...ON, WORKERS: '8' }], runsWithCaching: true, told: [] };

describe.concurrent('[R1] a stack that its optimisations make worse', () => {
  test.each(BREACHES)('is rolled back when %s breaches, and is well then', async (trigger, faults) => {
    const stack = stackOf(trigger);
    const isBaseline = trigger === 'latency-baseline';
    await stack.guard(isBaseline ? { mem0BaselineOver: '1m' } : {});
    const before = await sightOf(stack);
    await stack.untilScraped(isBaseline ? BASELINE_IS_KNOWN : 5);
    expect(await sightOf(stack)).toEqual({ ...UNTOUCHED, lives: before.lives });

    stack.break(faults);
    await stack.untilRolledBack();
    const after = await sightOf(stack);
    expect(after.files).toEqual([OFF, { ...OFF, WORKERS: '4' }]);
    expect(after.lives.filter((life) => before.lives.includes(life))).toEqual([]);
    expect(await property(stack.unit('mem0'), 'ActiveState')).toBe('active');
    const { workingSet, limit } = readGroup(stack.group);
    expect(workingSet / limit).toBeLessThan(0.9);
    await until('the status page and the agents know', async () =>
      [...stack.topics('status'), ...stack.topics('agents')].filter((topic) => topic === 'opened').length === 2
        ? true
        : undefined,
    );
    const opening = stack.letters('oncall').find(({ topic }) => topic === 'opened');
    expect(opening?.text).toContain(`mem0-service/${trigger}`);
  });

  test('is left alone while every figure is just below its threshold', async () => {
    const stack = stackOf('below');
    const { lives } = await sightOf(stack);
    await stack.guard();
    await stack.untilScraped(LONG_ENOUGH);
    // Down, but not for long enough.
    await done(`systemctl stop ${stack.unit('ui')}`);
    await stack.untilScraped(2);
    await done(`systemctl start ${stack.unit('ui')}`);
    await stack.untilScraped(5);
    expect(await sightOf(stack)).toEqual({ ...UNTOUCHED, lives });
    const { workingSet, limit } = readGroup(stack.group);
    expect(workingSet / limit).toBeGreaterThan(0.75);
  });
});

describe.concurrent('[R1] with everything wrong at once nothing is done', () => {
  test.each([
    ['the policy is deleted', 'deleted'],
    ['its thresholds are inverted', 'inverted'],
  ])('once %s', async (_mutation, name) => {
    const stack = stackOf(name);
    await until('the memory is held', async () => {
      const { workingSet, limit } = readGroup(stack.group);
      return workingSet / limit > 0.9 ? true : undefined;
    });
    await done(`systemctl stop ${stack.unit('ui')}`);
    const { lives } = await sightOf(stack);
    // Of the other service, which is well, an inverted threshold would complain.
    await stack.guard({ mem0Containers: stack.unit('mem0') });
    await stack.untilScraped(LONG_ENOUGH);
    expect(await sightOf(stack)).toEqual({ ...UNTOUCHED, lives });
  });
});
