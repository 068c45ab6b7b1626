/**
 * R5, R9 on real containers and a real PostgreSQL: the databases are captured and put back while the services stand still, in
 * their order; the previous algorithm comes back; what it stored within the hour is counted, agreed to and removed. Neo4j
 * cannot be had here: a container and a folder of files stand for it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refuseOutsideOfTheSandbox, until } from '../support/installed-host.ts';
import type { ContainerStack } from '../support/rows/container-stack.ts';
import { ContainerStage } from '../support/rows/container-stage.ts';
import { deleted, inverted } from '../support/rows/mutate-pack.ts';

const DATABASES = ['postgres', 'neo4j'] as const;
const LONG_ENOUGH = 40;
const FAULTY = 'FAULTS = 1\n';
const SOUND = 'FAULTS = 0\n';

let stage: ContainerStage;

beforeAll(async () => {
  refuseOutsideOfTheSandbox();
  stage = await ContainerStage.open();
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

/** A stack with memories of three days ago; no daemon guards it yet. */
async function remembering(name: string): Promise<ContainerStack> {
  const stack = await stage.start(name, DATABASES);
  await stage.psqlOf(stack, "ALTER TABLE memories ADD created_at timestamptz DEFAULT now() - interval '3 days'");
  await stage.psqlOf(stack, 'ALTER TABLE memories ALTER created_at SET DEFAULT now(), ADD PRIMARY KEY (content)');
  return stack;
}

async function guarded(name: string): Promise<ContainerStack> {
  const stack = await remembering(name);
  await stack.guard();
  return stack;
}

async function said(stack: ContainerStack, words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await stack.command(words);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

async function memories(stack: ContainerStack): Promise<string> {
  return await stage.psqlOf(stack, "SELECT string_agg(content, ' ' ORDER BY content) FROM memories");
}

function graph(stack: ContainerStack): string {
  return readFileSync(join(stack.graphFolder, 'store'), 'utf8');
}

/** When it was started last, by the engine's own clock. */
async function startedAt(stack: ContainerStack, service: 'mem0' | 'mcp' | 'neo4j'): Promise<string> {
  return (await stack.life(service)).split(' ').slice(1).join(' ');
}

/** In the order in which they are to start. */
async function startsOf(stack: ContainerStack): Promise<readonly string[]> {
  return await Promise.all((['neo4j', 'mem0', 'mcp'] as const).map((service) => startedAt(stack, service)));
}

/** Takes a point, and answers when each was started again. */
async function captured(stack: ContainerStack): Promise<readonly string[]> {
  const before = await startsOf(stack);
  await said(stack, ['points', 'take', 'mem0-databases']);
  return await until('all are started again', async () => {
    const starts = await startsOf(stack);
    return starts.some((start) => before.includes(start)) ? undefined : starts;
  });
}

async function approved(stack: ContainerStack): Promise<string> {
  const asked = (await stack.told('approval')).words;
  await decided(stack, 'approve');
  return asked;
}

/** A word for a question that was put anew meanwhile is refused, and said again. */
async function decided(stack: ContainerStack, word: 'approve' | 'reject'): Promise<void> {
  await until(`${stack.name} takes the word`, async () => {
    const { code } = await stack.commandAs('daemon', ['incidents', word, 'INC-1', '--reason', 'judged']);
    return code === 0 ? true : undefined;
  });
}

describe('[R9] both databases', () => {
  test.concurrent('are dumped while nothing is written, and put back with the services in their order', async () => {
    await using stack = await guarded('dumped');
    const capturedStarts = await captured(stack);
    expect(capturedStarts).toEqual(capturedStarts.toSorted());

    await stage.psqlOf(stack, "INSERT INTO memories VALUES ('the second'), ('the third')");
    await stage.psqlOf(stack, "DELETE FROM memories WHERE content = 'the first'");
    writeFileSync(join(stack.graphFolder, 'store'), 'another graph\n');
    const server = await stack.life('postgres');
    expect(await said(stack, ['drill', 'mem0-monthly-databases'])).toContain('(scratch): successful');
    expect(graph(stack)).toBe('another graph\n');

    await said(stack, ['rollback', 'mem0-databases', '--reason', 'lost']);
    expect(await approved(stack)).toContain('memories: 2');
    await stack.told('resolved');
    expect(await memories(stack)).toBe('the first');
    expect(graph(stack)).toBe('the first graph\n');
    const starts = await startsOf(stack);
    expect(starts).toEqual(starts.toSorted());
    expect(starts.filter((start) => capturedStarts.includes(start))).toEqual([]);
    // Its server is never stopped: the dump needs it.
    expect(await stack.life('postgres')).toBe(server);
  });

  test.concurrent('stay as they are when nobody agrees, and once the policy is deleted', async () => {
    await using stack = await guarded('unagreed');
    const starts = await captured(stack);
    await stage.psqlOf(stack, "INSERT INTO memories VALUES ('the second')");
    await said(stack, ['rollback', 'mem0-databases', '--reason', 'lost']);
    await stack.told('approval');
    await decided(stack, 'reject');
    await stack.told('exhausted');
    stage.mutate('databases-deleted', { 'mem0-databases': 'databases.yaml' }, deleted);
    await stack.stopGuards();
    await stack.guard('databases-deleted');
    expect(await stack.command(['rollback', 'mem0-databases', '--reason', 'lost'], 'databases-deleted')).toMatchObject({
      code: 1,
    });
    expect(await memories(stack)).toBe('the first the second');
    expect(await startsOf(stack)).toEqual(starts);
  });
});

describe('[R5] an algorithm that stores what it should not', () => {
  test.concurrent('gives way to the file from before, and nothing else does', async () => {
    await using stack = await guarded('algorithm');
    await said(stack, ['points', 'take', 'mem0-algorithms']);
    // The point is to be a while older than the first error.
    await stack.untilScraped(4);
    writeFileSync(join(stack.algorithms, 'memory.py'), FAULTY);
    writeFileSync(join(stack.algorithms, 'search.py'), '# newer\nFAULTS = 0\n');
    await stack.docker(`restart ${stack.container('mem0')}`);
    await stage.psqlOf(stack, "INSERT INTO memories VALUES ('a duplicate'), ('another')");
    expect((await stack.told('opened')).words).toContain('mem0-algorithm/deduplication-errors ');
    await stack.told('resolved');
    expect(readFileSync(join(stack.algorithms, 'memory.py'), 'utf8')).toBe(SOUND);
    expect(readFileSync(join(stack.algorithms, 'search.py'), 'utf8')).toBe('# newer\nFAULTS = 0\n');
    await stack.untilState('mem0', { DEDUPLICATION_FAULTS: '0' });
    expect(stack.rungs).toEqual(['storage']);
    expect(await memories(stack)).toBe('a duplicate another the first');
  });

  test.concurrent('whose rows are told and agreed to, loses those of the last hour and no others', async () => {
    await using stack = await guarded('rows');
    await stage.psqlOf(stack, "INSERT INTO memories VALUES ('a duplicate'), ('another')");
    await stage.psqlOf(stack, "INSERT INTO memories VALUES ('earlier', now() - interval '2 hours')");
    await said(stack, ['rollback', 'mem0-rows-of-the-last-hour', '--reason', 'duplicates']);
    expect((await stack.told('approval')).words).toContain('memories: 2');
    expect(await memories(stack)).toBe('a duplicate another earlier the first');
    await approved(stack);
    await stack.told('resolved');
    expect(await memories(stack)).toBe('earlier the first');

    // A person may find that one of them was right.
    const { points } = JSON.parse(await said(stack, ['points', 'list', '--json'])) as {
      readonly points: readonly { readonly point: string; readonly policy: string | null; readonly state: string }[];
    };
    const kept = points.find(({ policy, state }) => policy === 'mem0-before-removal' && state === 'valid');
    const key = ['--target', 'mem0-postgres', '--table', 'memories', '--key', 'another', '--reason', 'right'];
    await said(stack, ['points', 'restore', kept?.point ?? '', ...key]);
    expect(await memories(stack)).toBe('another earlier the first');
  });

  test.concurrent('goes on once the policies are deleted, or the thresholds inverted', async () => {
    const policies = { 'mem0-algorithm': 'algorithm.yaml' };
    stage.mutate('algorithm-deleted', policies, deleted);
    stage.mutate('algorithm-inverted', policies, inverted);
    await using stack = await remembering('goes-on');
    for (const name of ['memory.py', 'search.py']) writeFileSync(join(stack.algorithms, name), FAULTY);
    await stack.docker(`restart ${stack.container('mem0')}`);
    await stack.untilState('mem0', { DEDUPLICATION_FAULTS: '1', SEARCH_FAULTS: '1' });
    await stack.guard('algorithm-deleted');
    await stack.guard('algorithm-inverted');
    const life = await stack.life('mem0');
    await stack.untilScraped(LONG_ENOUGH);
    expect(await stack.life('mem0')).toBe(life);
    expect(readFileSync(join(stack.algorithms, 'memory.py'), 'utf8')).toBe(FAULTY);
    expect([...stack.letters('oncall', 'algorithm-deleted'), ...stack.letters('oncall', 'algorithm-inverted')]).toEqual(
      [],
    );
  });
});
