import { afterAll, expect, it } from 'vitest';
import { startServer } from '../../../../test/support/recording-server.ts';
import { createAllowList } from '../../allow-list.ts';
import { createSecretResolver } from '../../secrets.ts';
import type { StepOf } from '../step-driver.ts';
import { httpStep } from './index.ts';

/**
 * As Neo4j's HTTP API answers (its manual, "Error handling"): the result is streamed, so that the status is 200 before
 * the first statement has run, and what went wrong stands at the end of the body.
 */
const neo4j = await startServer(({ headers, method, url }, response) => {
  response.setHeader('content-type', 'application/json;charset=utf-8');
  if (method !== 'POST' || url !== '/db/neo4j/tx/commit') {
    response.writeHead(404).end();
    return;
  }
  if (headers.authorization !== `Basic ${Buffer.from('neo4j:hunter22').toString('base64')}`) {
    const code = 'Neo.ClientError.Security.Unauthorized';
    response.writeHead(401).end(JSON.stringify({ errors: [{ code, message: 'Invalid credential.' }] }));
    return;
  }
  const { statements } = JSON.parse(neo4j.received.at(-1)?.body ?? '') as {
    statements: readonly { statement: string }[];
  };
  const bad = statements.find(({ statement }) => !/^(?:CREATE|DROP|MATCH|RETURN)\b/.test(statement));
  const results = bad === undefined ? statements.map(() => ({ columns: [], data: [] })) : [];
  const code = 'Neo.ClientError.Statement.SyntaxError';
  const errors = bad === undefined ? [] : [{ code, message: `Invalid input (line 1): ${bad.statement}` }];
  response.writeHead(200);
  response.write(`{"results":${JSON.stringify(results)},`);
  response.end(`"errors":${JSON.stringify(errors)},"lastBookmarks":["FB:kcwQ"]}`);
});
afterAll(() => neo4j[Symbol.asyncDispose]());

const secrets = createSecretResolver({ PASSWORD: 'hunter22', WRONG: 'wrong-pass' });
const driver = httpStep({
  secrets,
  allow: createAllowList({}),
  ask: () => Promise.resolve({ outcome: 'unknown', detail: '' }),
});

function step(statement: string, rest: Partial<StepOf<'http'>> = {}): StepOf<'http'> {
  return {
    origin: { file: 'test.yaml', line: 1, column: 1 },
    timeoutMs: 5000,
    kind: 'http',
    method: 'POST',
    url: `${neo4j.url}/db/neo4j/tx/commit`,
    headers: {},
    auth: { kind: 'basic', username: 'neo4j', password: { env: 'PASSWORD' } },
    body: { statements: [{ statement }] },
    status: [200],
    repeatable: true,
    unless: [],
    ...rest,
  };
}

const perform = (task: StepOf<'http'>) =>
  driver.perform(task, {
    signal: new AbortController().signal,
    operation: 'op-1',
    once: 'op-1',
    secrets,
    log: () => undefined,
    remember: () => undefined,
  });

const EXPECTATIONS = [
  { bodyContains: '"errors":[]' },
  { bodyLacks: 'Neo.ClientError' },
  { bodyMatches: '"errors":\\s*\\[\\s*\\]' },
  { json: [{ pointer: '/errors', equals: [] }] },
] as const;

it.each(EXPECTATIONS)('[R3] statements are done if %j', async (expected) => {
  const good = step('CREATE INDEX i IF NOT EXISTS FOR (m:Memory) ON (m.id)', expected);
  expect(await perform(good)).toMatchObject({ outcome: 'done' });
  const bad = await perform(step('MAKE INDEX i', expected));
  expect(bad).toMatchObject({
    outcome: 'failed',
    code: 'status',
    detail: expect.stringContaining('answered 200 with'),
  });
});

it('says what an answer had instead', async () => {
  const { detail } = await perform(step('MAKE INDEX i', { json: [{ pointer: '/errors/0/code', equals: 'none' }] }));
  expect(detail).toContain(
    'answered 200 with "Neo.ClientError.Statement.SyntaxError" at /errors/0/code, expected "none"',
  );
});

it('says that the password is wrong, and shows none', async () => {
  const wrong = step('RETURN 1', { auth: { kind: 'basic', username: 'neo4j', password: { env: 'WRONG' } } });
  const outcome = await perform(wrong);
  expect(outcome).toMatchObject({ code: 'status', detail: expect.stringContaining('answered 401, expected 200') });
  expect(outcome.detail).not.toMatch(/wrong-pass|bmVvNGo/);
});
