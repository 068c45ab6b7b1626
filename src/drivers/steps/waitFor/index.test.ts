import { expect, it } from 'vitest';
import type { Check } from '../../../core/model/check.ts';
import { createSecretResolver } from '../../secrets.ts';
import type { StepOf } from '../step-driver.ts';
import { waitForStep } from './index.ts';

const origin = { file: 'test.yaml', line: 1, column: 1 };
const check = (key: string): Check => ({
  key,
  origin,
  kind: 'unit',
  unit: `${key}.service`,
  is: 'active',
  timeoutMs: 1,
});

/** Each check answers what is said of it, one after the other; the last answer stays. */
function wait(
  answers: Readonly<Record<string, readonly ('true' | 'false' | 'unknown')[]>>,
  rest: Partial<StepOf<'waitFor'>> = {},
) {
  const asked: string[] = [];
  const rounds = new Map<string, number>();
  const driver = waitForStep({
    elapsed: () => performance.now(),
    ask: ({ key }) => {
      const round = rounds.get(key) ?? 0;
      rounds.set(key, round + 1);
      asked.push(key);
      const all = answers[key] ?? [];
      const outcome = all[Math.min(round, all.length - 1)] ?? 'unknown';
      return Promise.resolve({ outcome, detail: `it is ${outcome}` });
    },
  });
  const step: StepOf<'waitFor'> = {
    origin,
    timeoutMs: 10_000,
    kind: 'waitFor',
    checks: Object.keys(answers).map(check),
    forMs: 0,
    ...rest,
  };
  const lines: string[] = [];
  const performed = driver.perform(step, {
    signal: new AbortController().signal,
    operation: 'op-1',
    once: 'op-1',
    secrets: createSecretResolver({}),
    log: (line) => lines.push(line),
    remember: () => undefined,
  });
  return { performed, asked, lines, driver, step };
}

it('asks all of them until all are true', async () => {
  const { performed, asked, lines } = wait({ a: ['false', 'true'], b: ['unknown', 'true'] });
  expect(await performed).toStrictEqual({
    outcome: 'done',
    detail: 'a.service is active: it is true; b.service is active: it is true',
  });
  expect(asked).toStrictEqual(['a', 'b', 'a', 'b']);
  expect(lines[0]).toBe('a.service is active: it is false; b.service is active: it is unknown');
});

it('begins anew when one turns, if they have to stay true', async () => {
  const { performed, asked } = wait({ a: ['true', 'false', 'true'] }, { forMs: 1200 });
  expect(await performed).toMatchObject({ outcome: 'done' });
  expect(asked.length).toBeGreaterThanOrEqual(5);
});

it('says what was wrong last', async () => {
  const { performed } = wait({ a: ['true'], b: ['unknown'] }, { timeoutMs: 50 });
  expect(await performed).toMatchObject({
    code: 'timedOut',
    detail: 'not so after 50ms; last: b.service is active: it is unknown',
  });
});

it('is safe to repeat', async () => {
  const { driver, step, performed } = wait({ a: ['true'] });
  await performed;
  expect(await driver.observe(step, {}, new AbortController().signal)).toBe('notDone');
});
