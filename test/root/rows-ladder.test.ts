/**
 * P1, P3, P5, P7, P13 on a real service under systemd, whose code is a real checkout with a real build: the features go off
 * first; a checklist says whether that was enough; if not, the last good revision is built, put in place and started; and
 * nothing is rolled back twice in a row.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isMap, isSeq } from 'yaml';
import { done, property, refuseOutsideOfTheSandbox, until } from '../support/installed-host.ts';
import { type Inbox, openInbox } from '../support/rows/inbox.ts';
import type { MemoryFaults, MemoryRelease } from '../support/rows/memory-service.ts';
import { installSystems, LADDER_QUICKLY, MemorySystem, SYSTEMS } from '../support/rows/memory-system.ts';
import { type Change, deleted, inverted, mutatePack } from '../support/rows/mutate-pack.ts';

const ON = { USE_ENHANCED_INJECTION: true, USE_CROSS_AGENT_SHARING: true, USE_HIERARCHICAL_TIERS: true };
const OFF = { USE_ENHANCED_INJECTION: false, USE_CROSS_AGENT_SHARING: false, USE_HIERARCHICAL_TIERS: false };

/** Slow with and without its features. */
const SLOW: MemoryRelease = { latencyMs: 900 };
/** Quick, and no session succeeds. */
const USELESS: MemoryRelease = { refusesSamples: true };
const WARNINGS: readonly (readonly [trigger: string, faults: MemoryFaults])[] = [
  ['rag-timeouts', { ragMs: 400 }],
  ['cache-hit-ratio', { missesOfTen: 9 }],
  ['injection-errors', { errorEvery: 3 }],
];

/** A busy machine takes its time. */
const PATIENCE_MS = 120_000;
/** In seconds, longer than any answer above takes. */
const LONG_ENOUGH = 25;

/** Option A does not help, which need not be watched for long. */
const IS_TO_FAIL: Given = { variables: { memoryWithin: '8s' } };

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
  readonly release?: MemoryRelease;
  readonly change?: Change | undefined;
  readonly variables?: Readonly<Record<string, string>>;
};

/** A used service under its daemon, with nothing wrong. */
async function guarded(name: string, { release, change, variables = {} }: Given = {}): Promise<MemorySystem> {
  const policies =
    change === undefined
      ? undefined
      : mutatePack('memory-system', 'ladder.yaml', 'memory-system', join(SYSTEMS, `pack-${name}`), change);
  started += 1;
  const options = { name, index: started, inbox, flags: 'env-file', policies, isUsed: true, release } as const;
  const system = new MemorySystem(options);
  await system.start();
  await system.guard({ ...LADDER_QUICKLY, ...variables });
  return system;
}

/** A good revision is running, and another one is deployed. */
async function deployed(name: string, release: MemoryRelease, given: Given = {}) {
  const system = await guarded(name, { release: {}, ...given });
  const good = system.code.head();
  await untilGood(system);
  const bad = system.code.push(release);
  await untilRuns(system, release);
  expect(system.code.head()).toBe(bad);
  return { system, good, bad };
}

async function untilGood(system: MemorySystem): Promise<void> {
  const look = async () => (system.code.kept().includes(system.code.head()) ? true : undefined);
  await until(`${system.name} has proved good`, look, PATIENCE_MS);
}

async function untilRuns(system: MemorySystem, release: MemoryRelease): Promise<void> {
  const look = async () => {
    const running = (await system.state())?.release;
    return running !== undefined && JSON.stringify(running) === JSON.stringify(release) ? true : undefined;
  };
  await until(`${system.name} runs ${JSON.stringify(release)}`, look, PATIENCE_MS);
}

async function untilTold(system: MemorySystem, topic: string, receiver: 'tickets' | 'oncall' = 'oncall') {
  const look = async () => system.letters(receiver).find(({ words }) => words.includes(topic));
  return (await until(`${system.name} hears "${topic}"`, look, PATIENCE_MS)).words;
}

/** `curl` decides whether the service is well, as it would by hand. */
async function isWell(system: MemorySystem): Promise<string> {
  const each = (path: string) => `curl --silent --output /dev/null --write-out '%{http_code} ' ${system.url}${path}`;
  const sample = `${each('/sessions/sample')} --data '{"task":"revertd-sample"}' --max-time 0.5`;
  return await done(`${['/health/live', '/health/ready', '/health/deep'].map(each).join('; ')}; ${sample}`);
}

const WELL = '200 200 200 200';

describe('[P3] [P7] a release that is slow whatever its features', () => {
  test.concurrent('loses its features first, and then gives way to the last good revision', async () => {
    const { system: started, good, bad } = await deployed('ladder', SLOW, IS_TO_FAIL);
    await using system = started;
    await until(
      'the features are off',
      async () => (system.written()['USE_ENHANCED_INJECTION'] === false ? true : undefined),
      PATIENCE_MS,
    );
    expect(system.written()).toEqual(OFF);
    // Option A comes before option B.
    expect(system.code.head()).toBe(bad);
    const before = await system.life();

    await untilRuns(system, {});
    expect(system.code.head()).toBe(good);
    expect(system.code.release()).toEqual({});
    expect(await system.life()).not.toBe(before);
    await untilTold(system, 'Memory system: INC-1 is over');
    expect(await property(system.unit, 'ActiveState')).toBe('active');
    expect(await isWell(system)).toBe(WELL);
    expect(await done(`git -C ${system.code.checkout} status --porcelain`)).toBe('');
    expect(system.letters('engineering').length).toBeGreaterThan(0);

    // What was left does not come back by itself, and what mends it is deployed.
    system.code.push({ latencyMs: 5 });
    await untilRuns(system, { latencyMs: 5 });
  });

  test.concurrent.each([
    ['the policy is deleted', 'ladder-deleted', deleted],
    ['its thresholds are inverted', 'ladder-inverted', onlyLatencyInverted],
  ])('stays as it is once %s', async (_mutation, name, change) => {
    await using system = await guarded(name, { release: SLOW, change });
    const head = system.code.head();
    await system.untilScraped(LONG_ENOUGH);
    expect(system.written()).toEqual(ON);
    expect(system.code.head()).toBe(head);
    expect(await system.state()).toMatchObject({ features: ON, release: SLOW });
  });
});

/** Only the trigger that this is about: the others would fire on a service that is well. */
function onlyLatencyInverted(document: Parameters<Change>[0]): ReturnType<Change> {
  const triggers = document.getIn(['spec', 'triggers']);
  if (!isSeq(triggers)) throw new Error('the policy has no triggers');
  triggers.items = triggers.items.filter((trigger) => isMap(trigger) && trigger.get('name') === 'injection-p95');
  return inverted(document);
}

/** Without the sample session in the checklist of option A. */
function withoutSampleSession(document: Parameters<Change>[0]): ReturnType<Change> {
  const checks = document.getIn(['spec', 'ladder', 0, 'verify', 'checks']);
  if (!isSeq(checks)) throw new Error('the first rung has no checks');
  checks.items = checks.items.filter((check) => !String(check).includes('/sessions/sample'));
  return document;
}

describe('[P5] the checklist', () => {
  test.concurrent('is all true after option A, so that the code stays', async () => {
    await using system = await guarded('checklist', { release: {} });
    const head = system.code.head();
    system.break({ latencyMs: 900 });
    await system.untilRolledBack();
    const over = await untilTold(system, 'Memory system: INC-1 is over');
    expect(over).toContain('Ended on rung flags');
    expect(await isWell(system)).toBe(WELL);
    expect(system.code.head()).toBe(head);
    expect(await untilTold(system, 'Post-mortem of INC-1', 'tickets')).toContain('"dueInHours":48');
  });

  test.concurrent('has one item that is not true after option A, so that the code goes back', async () => {
    const { system: started, good } = await deployed('one-item', USELESS, IS_TO_FAIL);
    await using system = started;
    system.break({ latencyMs: 900 });
    await system.untilRolledBack();
    await untilRuns(system, {});
    expect(system.code.head()).toBe(good);
    await untilTold(system, 'Memory system: INC-1 is over');
    expect(await isWell(system)).toBe(WELL);
  });

  test.concurrent('would be content with a service that serves no session, if that item were taken out', async () => {
    const { system: started, bad } = await deployed('no-item', USELESS, { change: withoutSampleSession });
    await using system = started;
    system.break({ latencyMs: 900 });
    await system.untilRolledBack();
    expect(await untilTold(system, 'Memory system: INC-1 is over')).toContain('Ended on rung flags');
    expect(system.code.head()).toBe(bad);
    expect(await isWell(system)).not.toBe(WELL);
  });
});

describe('[P1] the matrix', () => {
  test.concurrent('rolls a critical fault back at once, whatever time people have for others', async () => {
    await using system = await guarded('critical', { variables: { memoryRepair: '1h' } });
    system.break({ unshared: Number.MAX_SAFE_INTEGER });
    await system.untilRolledBack();
    expect(system.written()).toEqual(OFF);
  });

  test.concurrent.each(WARNINGS)(
    'leaves a warning to people, and rolls it back if they do not mend it: %s',
    async (trigger, faults) => {
      await using system = await guarded(trigger, { variables: { memoryRepair: '10s', memoryPatience: '2s' } });
      system.break(faults);
      expect(await untilTold(system, 'INC-1')).toContain(`memory-system/${trigger}`);
      const toldAt = performance.now();
      expect(system.written()).toEqual(ON);
      await system.untilRolledBack();
      // The letter itself takes its time.
      expect(performance.now() - toldAt).toBeGreaterThan(5_000);
    },
  );

  test.concurrent('leaves alone what people have mended in time', async () => {
    await using system = await guarded('mended', { variables: { memoryRepair: '20s', memoryPatience: '2s' } });
    const before = await system.life();
    system.break({ ragMs: 400 });
    await untilTold(system, 'INC-1');
    system.break({});
    expect(await untilTold(system, 'Memory system: INC-1 is over')).not.toContain('flags: successful');
    await system.untilScraped(LONG_ENOUGH);
    expect(system.written()).toEqual(ON);
    expect(await system.life()).toBe(before);
  });

  test.concurrent('does not touch anything once the policy is deleted', async () => {
    await using system = await guarded('matrix-deleted', { change: deleted, variables: { memoryRepair: '10s' } });
    system.break({ ragMs: 400, missesOfTen: 9, errorEvery: 3, unshared: Number.MAX_SAFE_INTEGER });
    await system.untilScraped(LONG_ENOUGH);
    expect(system.written()).toEqual(ON);
    expect(system.letters('oncall')).toEqual([]);
  });
});

describe('[P13] a second fault right after a rollback', () => {
  /** The features are off and all is well; then a slow release is deployed, and only the code can be put back. */
  async function secondFault(name: string, memoryCooldown: string) {
    const system = await guarded(name, { release: {}, variables: { memoryCooldown } });
    const good = system.code.head();
    await untilGood(system);
    system.break({ latencyMs: 900 });
    await system.untilRolledBack();
    await untilTold(system, 'Memory system: INC-1 is over');
    const bad = system.code.push(SLOW);
    await untilRuns(system, SLOW);
    return { system, good, bad };
  }

  test.concurrent('is told and answered by nothing while the cooldown lasts', async () => {
    const { system: started, bad } = await secondFault('cooldown', '1h');
    await using system = started;
    await untilTold(system, 'may not act');
    const life = await system.life();
    await system.untilScraped(LONG_ENOUGH);
    expect(system.code.head()).toBe(bad);
    expect(await system.life()).toBe(life);
  });

  test.concurrent('is answered once the cooldown is over, by the next option', async () => {
    const { system: started, good } = await secondFault('cooldown-over', '10s');
    await using system = started;
    await untilRuns(system, {});
    expect(system.code.head()).toBe(good);
  });
});
