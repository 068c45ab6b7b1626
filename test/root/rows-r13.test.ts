/**
 * R13 on real containers, a real compose file and a git checkout: drills go through the ways back beside what is live. The
 * engine, git and the files say that nothing of it was touched.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { done, refuseOutsideOfTheSandbox } from '../support/installed-host.ts';
import { CONTAINER_STACKS, type ContainerStack } from '../support/rows/container-stack.ts';
import { ContainerStage } from '../support/rows/container-stage.ts';
import { PACKS } from '../support/rows/mutate-pack.ts';

const SERVICES = ['mem0', 'mcp', 'postgres', 'neo4j'] as const;

let stage: ContainerStage;
let stack: ContainerStack;

/** In calm; its second release runs, and the first is what an emergency goes back to. */
beforeAll(async () => {
  refuseOutsideOfTheSandbox();
  stage = await ContainerStage.open();
  stack = await stage.start('drilled', ['postgres', 'neo4j']);
  await stack.guard();
  await stack.untilGood();
  await stack.deploy(2, {});
  await stack.untilState('mem0', { RELEASE: '2' });
}, 180_000);

afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});

/** Containers with their starts and their flags, the checkout with the times and sums of all its files. */
async function live(): Promise<unknown> {
  const files = `find ${stack.checkout} -name .git -prune -o -type f -printf '%p %i %m %T@\\n' -exec sha256sum {} +`;
  return {
    lives: await Promise.all(SERVICES.map(async (service) => await stack.life(service))),
    flags: [await stack.env('mem0'), await stack.env('mcp')],
    head: stack.repository.git('rev-parse', 'HEAD'),
    status: stack.repository.git('status', '--porcelain'),
    worktrees: stack.repository.git('worktree', 'list'),
    files: await done(`${files} | sort`),
  };
}

test('[R13] the quickest way back is examined each week, and measured', async () => {
  const before = await live();
  const { code, stdout, stderr } = await stack.command(['drill', 'mem0-weekly']);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/: successful\n +took +[\d.]+m?s, objective 5m\n/)]);
  expect(stderr).toContain('ENABLE_CACHING in ');
  expect(await live()).toEqual(before);
});

test('[R13] the longest way back is rehearsed each month beside the live stack, and measured', async () => {
  const before = await live();
  const { code, stdout, stderr } = await stack.command(['drill', 'mem0-monthly']);
  const measured = /\(scratch\): successful\n +took +[\d.]+m?s, objective 30m\n/;
  expect([code, stdout]).toEqual([0, expect.stringMatching(measured)]);
  const previous = stack.repository.git('rev-parse', 'HEAD~1').slice(0, 12);
  expect(stderr).toContain(`${previous} was checked out`);
  expect(await live()).toEqual(before);
});

test('[R13] a revision that git has lost a file of is found by the drill, not in the emergency', async () => {
  const blob = stack.repository.git('rev-parse', 'HEAD~1:openmemory/VERSION');
  rmSync(join(stack.checkout, '.git/objects', blob.slice(0, 2), blob.slice(2)));
  const before = await live();
  const { code, stdout } = await stack.command(['drill', 'mem0-monthly']);
  expect([code, stdout]).toEqual([1, expect.stringMatching(/\(scratch\): failed: rung "configuration", restore /)]);
  expect(await live()).toEqual(before);
});

test('[R13] without the drill nothing finds it', async () => {
  const undrilled = join(CONTAINER_STACKS, 'pack-undrilled');
  cpSync(join(PACKS, 'mem0-stack'), undrilled, { recursive: true });
  rmSync(join(undrilled, 'drills.yaml'));
  await stack.stopGuards();
  await stack.guard('undrilled');
  const { code, stdout } = await stack.command(['drill', 'mem0-monthly'], 'undrilled');
  expect(code).not.toBe(0);
  expect(stdout).toBe('');
  expect(stack.letters('oncall', 'undrilled')).toEqual([]);
});
