/**
 * A4 and A10 on real units: a vector search that fails goes back to exact match, the services that only it needs stand
 * still, a checklist decides whether that was a success, and the report becomes the ticket of the post-mortem.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Document, isSeq } from 'yaml';
import { property, refuseOutsideOfTheSandbox } from '../support/installed-host.ts';
import type { AbathurFaults } from '../support/rows/abathur-api.ts';
import { AbathurStack, installAbathur } from '../support/rows/abathur-stack.ts';
import { type Inbox, openInbox } from '../support/rows/inbox.ts';
import { deleted, inverted } from '../support/rows/mutate-pack.ts';

const ON = { semantic_search_enabled: true, background_document_sync: true, embedding_generation: true };
const OFF = { semantic_search_enabled: false, background_document_sync: false, embedding_generation: false };
const ALL_ACTIVE = { api: 'active', workers: 'active', sync: 'active', embedding: 'active' };
const BOTH: AbathurFaults = { extensionFails: true, seconds: 0.8 };
/** The ladders begin within ten. */
const LONG_ENOUGH = 30;
const ENDS = ['resolved', 'exhausted', 'asking'];

let inbox: Inbox;
let started = 0;

beforeAll(async () => {
  refuseOutsideOfTheSandbox();
  await installAbathur();
  inbox = await openInbox();
});

afterAll(async () => {
  await inbox[Symbol.asyncDispose]();
});

async function stackOf(name: string): Promise<AbathurStack> {
  started += 1;
  const stack = new AbathurStack(name, started, inbox);
  await stack.start();
  return stack;
}

async function life(stack: AbathurStack): Promise<string> {
  return await property(stack.unit('api'), 'InvocationID');
}

describe('[A4] a vector search', () => {
  test.concurrent.each([
    ['extension-errors', { extensionFails: true }],
    ['search-p95', { seconds: 0.8 }],
  ] as const)('gives way to exact match when %s breaches', async (trigger, faults) => {
    await using stack = await stackOf(trigger);
    await stack.guard();
    await stack.untilScraped(5);
    expect([stack.featureFlags, stack.letters('oncall')]).toEqual([ON, []]);
    const before = await life(stack);
    stack.break(faults);
    expect((await stack.told('opened')).words).toContain(`abathur-vector-search/${trigger} `);
    expect(await stack.told(...ENDS)).toMatchObject({ topic: 'resolved' });
    expect(stack.featureFlags).toEqual(OFF);
    expect(await stack.activity()).toEqual({ ...ALL_ACTIVE, sync: 'inactive', embedding: 'inactive' });
    expect(await life(stack)).not.toBe(before);
    expect(await stack.state()).toMatchObject({ featureFlags: OFF });
    expect(await stack.exactSearch()).toBe(200);
  });

  test.concurrent.each([
    ['the policy is deleted', 'deleted', deleted],
    ['its thresholds are inverted', 'inverted', inverted],
  ])('that fails and is slow is left alone once %s', async (_mutation, name, change) => {
    await using stack = await stackOf(name);
    stack.break(BOTH);
    const before = await life(stack);
    await stack.guard(change);
    await stack.untilScraped(LONG_ENOUGH);
    expect(stack.featureFlags).toEqual(ON);
    expect(await stack.activity()).toEqual(ALL_ACTIVE);
    expect(await life(stack)).toBe(before);
    expect(stack.letters('oncall')).toEqual([]);
  });
});

/** What the checklist looks at, and how it is damaged. */
const DAMAGES: readonly (readonly [name: string, damage: (stack: AbathurStack) => void])[] = [
  ['foreign-keys', (stack) => stack.sql('INSERT INTO agents (task) VALUES (4711)')],
  ['indexes', (stack) => stack.sql('DROP INDEX idx_0')],
  ['tables', (stack) => stack.sql('DROP TABLE audit')],
  ['smoke-tests', (stack) => stack.smokeTests('fail')],
  ['health', (stack) => stack.break({ ...BOTH, isSick: true })],
];

function unchecked(document: Document.Parsed): Document.Parsed {
  const checks = document.getIn(['spec', 'ladder', 0, 'verify', 'checks']);
  if (!isSeq(checks)) throw new Error('the rung has no checks');
  // One stays, since a list is not empty.
  checks.items = checks.items.slice(0, 1);
  return document;
}

describe('[A10] after a rollback', () => {
  test.concurrent('the post-mortem is a ticket due within a week, with the report in it', async () => {
    await using stack = await stackOf('ticket');
    await stack.guard();
    stack.break(BOTH);
    expect(await stack.told(...ENDS)).toMatchObject({ topic: 'resolved' });
    const { title, text, dueInDays } = await stack.ticket();
    expect([title, dueInDays]).toEqual([expect.stringMatching(/^Post-mortem of INC-/), 7]);
    const headings = String(text)
      .split('\n')
      .filter((line) => line.startsWith('#'));
    expect(headings).toEqual(expect.arrayContaining(['## Times', '## What was done', '## Timeline', '### Impact']));
    expect(headings).toEqual(expect.arrayContaining(['### Root cause', '### Lessons', '### Action items']));
    expect(text).toContain('stop abathur-sync@ticket.service');
  });

  test.concurrent.each(DAMAGES)('it is not over while the checklist finds fault with the %s', async (name, damage) => {
    await using stack = await stackOf(name);
    await stack.guard();
    stack.break(BOTH);
    damage(stack);
    expect(await stack.told(...ENDS)).toMatchObject({ topic: 'exhausted' });
    expect(stack.featureFlags).toEqual(OFF);
    expect(await stack.ticket()).toMatchObject({ dueInDays: 7 });
  });

  test.concurrent('it is over in spite of all that once the checklist is gone', async () => {
    await using stack = await stackOf('unchecked');
    await stack.guard(unchecked);
    stack.break(BOTH);
    for (const [, damage] of DAMAGES) damage(stack);
    expect(await stack.told(...ENDS)).toMatchObject({ topic: 'resolved' });
  });
});
