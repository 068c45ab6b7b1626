/** P4 on a real service: each of the three ways by which it may take its features turns them off, and on again. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { done, refuseOutsideOfTheSandbox, until } from '../support/installed-host.ts';
import { type Inbox, openInbox } from '../support/rows/inbox.ts';
import { installSystems, LADDER_QUICKLY, MemorySystem, SYSTEMS } from '../support/rows/memory-system.ts';
import { deleted, invertedAmong, mutatePack, PACKS } from '../support/rows/mutate-pack.ts';

const OFF = { USE_ENHANCED_INJECTION: false, USE_CROSS_AGENT_SHARING: false, USE_HIERARCHICAL_TIERS: false };
const ON = { USE_ENHANCED_INJECTION: true, USE_CROSS_AGENT_SHARING: true, USE_HIERARCHICAL_TIERS: true };
/** Until it is rolled back, every session fails to be shared. */
const UNSHARED = { unshared: Number.MAX_SAFE_INTEGER };
const LONG_ENOUGH = 20;

const WAYS = ['env-file', 'config-file', 'admin-api'] as const;
type Way = (typeof WAYS)[number];

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

async function guarded(name: string, flags: Way, policies: string): Promise<MemorySystem> {
  started += 1;
  const system = new MemorySystem({ name, index: started, inbox, flags, policies, isUsed: true });
  await system.start();
  await system.guard(LADDER_QUICKLY);
  await system.untilScraped(3);
  return system;
}

/** What curl and cat show: the service's own word, and the file from which it has it. */
async function seen(system: MemorySystem, file: string) {
  const state = JSON.parse(await done(`curl --silent ${system.url}/state`)) as {
    readonly features: Readonly<Record<string, boolean>>;
    readonly reloads: number;
  };
  return { ...state, file: await done(`cat ${join(system.folder, file)}`), life: await system.life() };
}

const FILES = { 'env-file': 'memory.env', 'config-file': 'config.json', 'admin-api': 'flags.json' } as const;

describe('[P4] the features go off', () => {
  test.concurrent.each(WAYS)('by %s, and on again when git says so', async (way) => {
    const policies = join(SYSTEMS, `policies-${way}`);
    cpSync(join(PACKS, 'memory-system'), policies, { recursive: true });
    await using system = await guarded(way, way, policies);
    const before = await seen(system, FILES[way]);
    expect(before.features).toEqual(ON);

    system.break(UNSHARED);
    await system.untilRolledBack();
    const after = await seen(system, FILES[way]);
    expect(after.features).toEqual(OFF);
    expect(after.file).toMatch(/USE_ENHANCED_INJECTION"?\s*[:=]\s*false/);
    // systemd reads an environment file at a start only; the other ways interrupt nothing, and are one change, not three.
    expect(after.life === before.life).toBe(way !== 'env-file');
    expect(after.reloads).toBe(way === 'env-file' ? 0 : 1);
    expect(after.file.includes('"port":"kept"')).toBe(way === 'config-file');

    system.break({});
    await until(`${way} is over`, async () =>
      system.letters('oncall').some(({ words }) => words.includes('INC-1 is over')) ? true : undefined,
    );
    tryAgain(policies);
    await until('sharing is tried again', async () =>
      (await system.state())?.features['USE_CROSS_AGENT_SHARING'] === true ? true : undefined,
    );
    expect((await seen(system, FILES[way])).features).toEqual({ ...OFF, USE_CROSS_AGENT_SHARING: true });
  });

  test.concurrent.each([
    ['the policy is deleted', 'way-deleted', deleted],
    ['its threshold is inverted', 'way-inverted', invertedAmong((trigger) => trigger === 'sharing-errors')],
  ])('and stay on once %s', async (_mutation, name, change) => {
    const policies = mutatePack('memory-system', 'ladder.yaml', 'memory-system', join(SYSTEMS, `pack-${name}`), change);
    await using system = await guarded(name, 'admin-api', policies);
    system.break(UNSHARED);
    await system.untilScraped(LONG_ENOUGH);
    expect(await seen(system, 'flags.json')).toMatchObject({ features: ON, reloads: 0 });
  });
});

/** A commit that changes a flag lifts its latch: here its safe variant gets another name. */
function tryAgain(policies: string): void {
  const file = join(policies, 'flags.yaml');
  const [first = '', sharing = '', ...rest] = readFileSync(file, 'utf8').split('---\n');
  const changed = sharing.replace('"off": false }', '"off": false, spare: false }');
  if (changed === sharing) throw new Error('the flag was not changed');
  writeFileSync(file, [first, changed, ...rest].join('---\n'));
}
