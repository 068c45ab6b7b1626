/**
 * P12 on a real service under systemd: each threshold of the matrix is crossed by what the service really does (it is slow,
 * loses its database, fills its heap, is ended by V8, …), and the pack, loaded as it is, answers as the matrix says.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { done, property, refuseOutsideOfTheSandbox, until } from '../support/installed-host.ts';
import { type Inbox, openInbox } from '../support/rows/inbox.ts';
import type { MemoryFaults } from '../support/rows/memory-service.ts';
import { installSystems, MemorySystem, SYSTEMS } from '../support/rows/memory-system.ts';
import { type Change, deleted, invertedAmong, mutatePack } from '../support/rows/mutate-pack.ts';

const WITH_ENV_FILE: readonly (readonly [trigger: string, faults: MemoryFaults, use: 'used' | 'unused'])[] = [
  ['injection-p95', { latencyMs: 900 }, 'used'],
  ['database-connections', { lostDatabase: true }, 'used'],
  ['heap-exhausted', { heapRatio: 0.96 }, 'unused'],
  ['crash-loop', { leaks: true }, 'unused'],
  ['service-down', { unhealthy: true }, 'unused'],
];
const WITH_CONFIG_FILE = 'sharing-errors';
/** Left to people for half an hour (P1). */
const LEFT_TO_PEOPLE: readonly (readonly [trigger: string, faults: MemoryFaults])[] = [
  ['rag-timeouts', { ragMs: 400 }],
  ['cache-hit-ratio', { missesOfTen: 9 }],
  ['injection-errors', { errorEvery: 3 }],
];

const JUST_BELOW: MemoryFaults = { latencyMs: 150, unshared: 8, missesOfTen: 4 };
const WARNED_OF: MemoryFaults = { ragMs: 400, missesOfTen: 9, errorEvery: 3 };
const EVERYTHING: MemoryFaults = {
  ...WARNED_OF,
  latencyMs: 900,
  lostDatabase: true,
  unhealthy: true,
  unshared: Number.MAX_SAFE_INTEGER,
  heapRatio: 0.96,
};

/** In seconds. Every fault above is answered before, counted from when it began. */
const LONG_ENOUGH = 22;

const ON = { USE_ENHANCED_INJECTION: true, USE_CROSS_AGENT_SHARING: true, USE_HIERARCHICAL_TIERS: true };
const OFF = { USE_ENHANCED_INJECTION: false, USE_CROSS_AGENT_SHARING: false, USE_HIERARCHICAL_TIERS: false };

let inbox: Inbox;
let started = 0;

beforeAll(async () => {
  refuseOutsideOfTheSandbox();
  await installSystems();
  inbox = await openInbox();
});

afterAll(async () => {
  await inbox[Symbol.asyncDispose]();
});

type Given = {
  readonly faults?: MemoryFaults;
  readonly flags?: 'env-file' | 'config-file';
  readonly isUsed?: boolean;
  readonly change?: Change;
};

/** A service with its load, and no daemon yet. */
async function start(
  name: string,
  { faults = {}, flags = 'env-file', isUsed = true, change }: Given = {},
): Promise<MemorySystem> {
  const policies =
    change === undefined
      ? undefined
      : mutatePack('memory-system', 'ladder.yaml', 'memory-system', join(SYSTEMS, `pack-${name}`), change);
  started += 1;
  const system = new MemorySystem({ name, index: started, inbox, flags, policies, isUsed });
  await system.start(faults);
  return system;
}

/** The same under its daemon, which has seen that all is well. */
async function guarded(
  name: string,
  given: Given = {},
  variables: Readonly<Record<string, string>> = {},
): Promise<MemorySystem> {
  const system = await start(name, given);
  await system.guard(variables);
  await system.untilScraped(5);
  expect(await sightOf(system)).toMatchObject(UNTOUCHED);
  return system;
}

/** All that a rollback or a warning would change. */
async function sightOf(system: MemorySystem) {
  return {
    written: system.written(),
    features: (await system.state())?.features,
    life: await system.life(),
    told: system.letters('oncall').map(({ words }) => words),
  };
}

const UNTOUCHED = { written: ON, features: ON, told: [] };

async function openingOf(system: MemorySystem): Promise<string> {
  return (await until(`${system.name} is told`, async () => system.letters('monitoring')[0])).words;
}

describe('[P12] a threshold that is crossed', () => {
  test.concurrent.each(WITH_ENV_FILE)(
    'turns the features off by the environment file and a restart: %s',
    async (trigger, faults, use) => {
      // Between two crashes it is down, which must not last.
      const patience = trigger === 'crash-loop' ? { memoryPatience: '1m' } : {};
      await using system = await guarded(trigger, { isUsed: use === 'used' }, patience);
      const before = await system.life();
      system.break(faults);
      await system.untilRolledBack();
      expect(system.written()).toEqual(OFF);
      expect(await system.life()).not.toBe(before);
      expect(await openingOf(system)).toContain(`memory-system/${trigger}`);
      // And with them goes what was wrong.
      await system.untilScraped(5);
      expect(await property(system.unit, 'ActiveState')).toBe('active');
      expect(await property(system.unit, 'NRestarts')).toBe('0');
    },
  );

  test.concurrent(`turns the features off by the configuration file and SIGHUP: ${WITH_CONFIG_FILE}`, async () => {
    await using system = await guarded(WITH_CONFIG_FILE, { flags: 'config-file' });
    const before = await system.life();
    system.break({ unshared: 12 });
    await system.untilRolledBack();
    expect(system.written()).toEqual(OFF);
    expect(await system.state()).toMatchObject({ features: OFF, reloads: 1 });
    expect(await system.life()).toBe(before);
    expect(await openingOf(system)).toContain(`memory-system/${WITH_CONFIG_FILE}`);
  });

  test.concurrent.each(LEFT_TO_PEOPLE)(
    'is told, if it is no more than a warning, and left to people, so that nothing is touched: %s',
    async (trigger, faults) => {
      await using system = await guarded(trigger);
      const before = await sightOf(system);
      system.break(faults);
      expect(await openingOf(system)).toContain(`memory-system/${trigger}`);
      await system.untilScraped(5);
      expect(system.letters('oncall')).toHaveLength(1);
      expect({ ...(await sightOf(system)), told: [] }).toEqual(before);
    },
  );

  test.concurrent('is told, if it is corruption, for which option A is no remedy, and waits for people', async () => {
    await using system = await guarded('corruption', {}, { memoryIntegrityInterval: '2s' });
    const before = await sightOf(system);
    system.corrupt();
    expect(await openingOf(system)).toContain('memory-system/corruption');
    await system.untilScraped(5);

    expect({ ...(await sightOf(system)), told: [] }).toEqual(before);
  });
});

describe('[P12] nothing is done or told', () => {
  test.concurrent('while latency, sharing and the cache are just below their thresholds', async () => {
    await using system = await start('below', { faults: JUST_BELOW });
    const { life } = await sightOf(system);
    await system.guard();
    await system.untilScraped(LONG_ENOUGH);
    expect(await sightOf(system)).toEqual({ ...UNTOUCHED, life });
  });

  test.concurrent('while the heap is just below its threshold, and it crashes once and is back at once', async () => {
    await using system = await start('one-crash', { faults: { heapRatio: 0.9 }, isUsed: false });
    await system.guard();
    await system.untilScraped(LONG_ENOUGH / 2);
    await done(`systemctl kill --kill-whom=main --signal=KILL ${system.unit}`);
    const isBack = async () => ((await property(system.unit, 'NRestarts')) === '1' ? await system.state() : undefined);
    await until('it runs again', isBack);
    await system.untilScraped(LONG_ENOUGH / 2);
    expect(await sightOf(system)).toMatchObject(UNTOUCHED);
    expect(await property(system.unit, 'NRestarts')).toBe('1');
  });

  test.concurrent.each([
    ['the policy is deleted', 'deleted', deleted],
    ['its thresholds are inverted', 'inverted', invertedAmong((trigger) => trigger !== 'crash-loop')],
  ])('with everything wrong at once, once %s', async (_mutation, name, change) => {
    await using system = await start(name, { faults: EVERYTHING, change });
    system.corrupt();
    const { life } = await sightOf(system);
    await system.guard();
    await system.untilScraped(LONG_ENOUGH);
    expect(await sightOf(system)).toEqual({ ...UNTOUCHED, life });
  });

  test.concurrent('about a service that crashes again and again, once the threshold of that is inverted', async () => {
    const change = invertedAmong((trigger) => trigger === 'crash-loop');
    await using system = await start('inverted-crash-loop', { faults: { leaks: true }, isUsed: false, change });
    const crashes = async () => Number(await property(system.unit, 'NRestarts'));
    await until('it crashes', async () => ((await crashes()) > 0 ? true : undefined));
    await system.guard();
    const from = await crashes();
    await until('it has crashed often', async () => ((await crashes()) - from > 5 ? true : undefined), 120_000);
    expect(system.written()).toEqual(ON);
    expect(system.letters('oncall')).toEqual([]);
  });
});
