/**
 * R11 on real services: a rollback counts as a success only if the services answer, both databases answer and hold
 * memories, and real operations are quick. In each case the same fault leads to the same rollback, which heals it; and
 * something else is wrong that only the validation can see. PostgreSQL and systemd are real; Neo4j is an HTTP server.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { done, refuseOutsideOfTheSandbox, until } from '../support/installed-host.ts';
import type { Letter } from '../support/rows/inbox.ts';
import type { Mem0Stack } from '../support/rows/mem0-stack.ts';
import { type Given, Mem0Suite } from '../support/rows/mem0-suite.ts';
import { checksDeleted, checksInverted, deleted } from '../support/rows/mutate-pack.ts';

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

let suite: Mem0Suite;

beforeAll(async () => {
  refuseOutsideOfTheSandbox();
  suite = await Mem0Suite.open();
});

afterAll(async () => {
  await suite[Symbol.asyncDispose]();
});

/** A stack under its daemon, which has seen that all is well. */
async function guarded(name: string, given: Given = {}): Promise<Mem0Stack> {
  const stack = await suite.start(name, given);
  await stack.guard();
  await stack.untilScraped(5);
  expect(stack.letters('oncall')).toEqual([]);
  return stack;
}

/** Resolves with the first message of one of these topics. */
async function told(stack: Mem0Stack, ...topics: readonly string[]): Promise<Letter> {
  return await until(`${stack.name} is told ${topics.join(' or ')}`, async () =>
    stack.letters('oncall').find(({ topic = '' }) => topics.includes(topic)),
  );
}

const ENDS = ['resolved', 'exhausted', 'asking'];

describe('[R11] a rollback', () => {
  test.concurrent('is resolved when everything is well, which it has tried out', async () => {
    await using stack = await guarded('well');
    stack.break(CURABLE);
    await stack.untilRolledBack();
    expect(await told(stack, ...ENDS)).toMatchObject({ topic: 'resolved' });
    // Nobody else adds any.
    expect(Number(await stack.psql('SELECT count(*) FROM memories'))).toBeGreaterThan(5);
    await until('the status page knows', async () =>
      stack.letters('status').find(({ words }) => words.includes('resolved')),
    );
  });

  test.concurrent.each(DAMAGES)('is not resolved while the validation by %s fails', async (name, damage) => {
    await using stack = await guarded(name, { hasInterface: name === 'health' });
    stack.break(CURABLE);
    await damage(stack);
    await stack.untilRolledBack();
    expect(await told(stack, ...ENDS)).toMatchObject({ topic: 'exhausted' });
  });

  test.concurrent('asks a person while nobody can tell how the stack fares', async () => {
    await using stack = await guarded('mute');
    stack.break(CURABLE);
    await stack.untilRolledBack();
    stack.break({ mute: true });
    expect(await told(stack, ...ENDS)).toMatchObject({ topic: 'asking' });
  });

  test.concurrent('is resolved without memories once the checks are deleted', async () => {
    await using stack = await guarded('unchecked', { change: checksDeleted });
    stack.break(CURABLE);
    await loseMemories(stack);
    await stack.untilRolledBack();
    expect(await told(stack, ...ENDS)).toMatchObject({ topic: 'resolved' });
    expect(await stack.psql('SELECT count(*) FROM memories')).toBe('0');
  });

  test.concurrent('is not resolved, though all is well, once the checks are inverted', async () => {
    await using stack = await guarded('inverted', { change: checksInverted });
    stack.break(CURABLE);
    await stack.untilRolledBack();
    expect(await told(stack, ...ENDS)).toMatchObject({ topic: 'exhausted' });
  });

  test.concurrent('does not begin once the policy is deleted', async () => {
    await using stack = await guarded('deleted', { change: deleted });
    stack.break(CURABLE);
    await stack.untilScraped(LONG_ENOUGH);
    expect(stack.env('mem0')).toMatchObject({ ENABLE_CACHING: 'true' });
    expect(await stack.state('mem0')).toMatchObject({ caching: true });
    expect(stack.letters('oncall')).toEqual([]);
  });
});
