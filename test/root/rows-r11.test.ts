/**
 * R11 on real services: a rollback counts as a success only if the services answer, both databases answer and hold
 * memories, and real operations are quick. In each case the same fault leads to the same rollback, which heals it; and
 * something else is wrong that only the validation can see. PostgreSQL and systemd are real; Neo4j is an HTTP server.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { done, refuseOutsideOfTheSandbox, until } from '../support/installed-host.ts';
import type { Letter } from '../support/rows/inbox.ts';
import { type Mem0Stack, STACKS } from '../support/rows/mem0-stack.ts';
import { Mem0Suite } from '../support/rows/mem0-suite.ts';
import { checksDeleted, checksInverted, deleted, mutatePack } from '../support/rows/mutate-pack.ts';

/** With caching off it is over. */
const CURABLE = { errorEvery: 10 };
/** In seconds. The fault above is answered before. */
const LONG_ENOUGH = 20;

/** New ones are accepted and lost, and those that there were are gone. */
const LOSE_MEMORIES = 'CREATE RULE lose AS ON INSERT TO memories DO INSTEAD NOTHING; DELETE FROM memories';

async function loseMemories(stack: Mem0Stack): Promise<void> {
  await stack.psql(LOSE_MEMORIES);
}

async function refuseConnections(stack: Mem0Stack): Promise<void> {
  await stack.psqlElsewhere(`ALTER DATABASE \\"${stack.name}\\" ALLOW_CONNECTIONS false`);
  await stack.psqlElsewhere(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${stack.name}'`);
}

/** What the validation looks at, and how it is damaged. */
const DAMAGES: readonly (readonly [name: string, damage: (stack: Mem0Stack) => unknown])[] = [
  ['health', (stack) => done(`systemctl stop ${stack.unit('ui')}`)],
  ['postgresql', refuseConnections],
  ['graph', (stack) => stack.graph(0)],
  ['counts', loseMemories],
  ['operations', (stack) => stack.break({ ...CURABLE, addMs: 400 })],
];

const stacks = new Map<string, Mem0Stack>();
let suite: Mem0Suite;

beforeAll(async () => {
  refuseOutsideOfTheSandbox();
  suite = await Mem0Suite.open();
  const mutant = (name: string, change: typeof deleted) =>
    mutatePack('mem0-stack', 'service.yaml', 'mem0-service', join(STACKS, `pack-${name}`), change);
  const policies = new Map([
    ['deleted', mutant('deleted', deleted)],
    ['unchecked', mutant('unchecked', checksDeleted)],
    ['inverted', mutant('inverted', checksInverted)],
  ]);
  for (const name of ['well', 'mute', ...DAMAGES.map(([damaged]) => damaged), ...policies.keys()]) {
    stacks.set(name, await suite.stack(name, { hasInterface: name === 'health', policies: policies.get(name) }));
  }
  await Promise.all([...stacks.values()].map((stack) => stack.start()));
});

afterAll(async () => {
  await suite[Symbol.asyncDispose]();
});

/** The stack under its daemon, which has seen that all is well. */
async function guarded(name: string): Promise<Mem0Stack> {
  const stack = stacks.get(name);
  if (stack === undefined) throw new Error(`there is no stack ${name}`);
  await stack.guard();
  await stack.untilScraped(5);
  expect(stack.topics('oncall')).toEqual([]);
  return stack;
}

/** Resolves with the first message of one of these topics. */
async function told(stack: Mem0Stack, ...topics: readonly string[]): Promise<Letter> {
  return await until(`${stack.name} is told ${topics.join(' or ')}`, async () =>
    stack.letters('oncall').find(({ topic }) => topics.includes(topic)),
  );
}

const ENDS = ['resolved', 'exhausted', 'asking'];

describe.concurrent('[R11] a rollback', () => {
  test('is resolved when everything is well, which it has tried out', async () => {
    const stack = await guarded('well');
    stack.break(CURABLE);
    await stack.untilRolledBack();
    expect(await told(stack, ...ENDS)).toMatchObject({ topic: 'resolved' });
    // Nobody else adds any.
    expect(Number(await stack.psql('SELECT count(*) FROM memories'))).toBeGreaterThan(5);
    await until('the status page knows', async () => (stack.topics('status').includes('resolved') ? true : undefined));
  });

  test.each(DAMAGES)('is not resolved while the validation by %s fails', async (name, damage) => {
    const stack = await guarded(name);
    stack.break(CURABLE);
    await damage(stack);
    await stack.untilRolledBack();
    expect(await told(stack, ...ENDS)).toMatchObject({ topic: 'exhausted' });
  });

  test('asks a person while nobody can tell how the stack fares', async () => {
    const stack = await guarded('mute');
    stack.break(CURABLE);
    await stack.untilRolledBack();
    stack.break({ mute: true });
    expect(await told(stack, ...ENDS)).toMatchObject({ topic: 'asking' });
  });
});

describe.concurrent('[R11] it is the checks of the policy that tell', () => {
  test('without them, a stack without memories counts as healed', async () => {
    const stack = await guarded('unchecked');
    stack.break(CURABLE);
    await loseMemories(stack);
    await stack.untilRolledBack();
    expect(await told(stack, ...ENDS)).toMatchObject({ topic: 'resolved' });
    expect(await stack.psql('SELECT count(*) FROM memories')).toBe('0');
  });

  test('inverted, they find fault with a stack that is well', async () => {
    const stack = await guarded('inverted');
    stack.break(CURABLE);
    await stack.untilRolledBack();
    expect(await told(stack, ...ENDS)).toMatchObject({ topic: 'exhausted' });
  });

  test('without the policy nothing is rolled back at all', async () => {
    const stack = await guarded('deleted');
    stack.break(CURABLE);
    await stack.untilScraped(LONG_ENOUGH);
    expect(stack.env('mem0')).toMatchObject({ ENABLE_CACHING: 'true' });
    expect(await stack.state('mem0')).toMatchObject({ caching: true });
    expect(stack.topics('oncall')).toEqual([]);
  });
});
