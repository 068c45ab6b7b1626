import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  composeStepOf,
  containerStepOf,
  describeContainerPlaces,
  describeContainerSteps,
} from '../../../../test/support/container-suite.ts';
import { startFakeEngine } from '../../../../test/support/fake-engine.ts';
import { NO_ENGINE } from '../../../../test/support/no-engine.ts';
import { createAllowList } from '../../allow-list.ts';
import { EngineError } from '../../containers/engine-error.ts';
import type { ProcessEnd } from '../../process.ts';
import { createSecretResolver } from '../../secrets.ts';
import type { StepOf } from '../step-driver.ts';
import { containerStep } from './index.ts';

const origin = { file: 'test.yaml', line: 1, column: 1 };

describeContainerSteps('a fake', startFakeEngine);
describeContainerPlaces('a fake', startFakeEngine);

const never = new AbortController().signal;

describe('faults of container steps', () => {
  const TOKEN = 'hunter22';
  const secrets = createSecretResolver({ TOKEN });
  const ask = () => Promise.resolve({ outcome: 'unknown', detail: '' } as const);
  type Host = Parameters<typeof containerStep>[0];

  async function open() {
    const box = await startFakeEngine();
    const perform = (step: StepOf<'container'>, changed: Partial<Host> = {}, signal = never) => {
      const host = {
        allow: createAllowList({}),
        engine: box.engine,
        compose: box.compose,
        ask,
        steadyMs: 1,
        ...changed,
      };
      return containerStep(host).perform(step, {
        signal,
        operation: 'op-9',
        once: 'op-9',
        secrets,
        log: () => undefined,
        remember: () => undefined,
      });
    };
    return { ...box, perform };
  }

  it('says so without an engine, and guesses nothing after a crash', async () => {
    await using box = await open();
    const host = { allow: createAllowList({}), engine: NO_ENGINE, compose: box.compose, ask };
    const up = composeStepOf({ kind: 'compose', file: '/srv/compose.yaml', services: [] }, { kind: 'up' });
    for (const step of [containerStepOf(['x'], { kind: 'stop' }), up]) {
      expect(await containerStep(host).prepare(step, never)).toStrictEqual({});
      expect(await box.perform(step, host)).toMatchObject({
        outcome: 'failed',
        code: 'noEngine',
        detail: expect.stringContaining('start the engine'),
      });
      expect(await containerStep(host).observe(step, {}, never)).toBe('unknown');
    }
  });

  it.each([
    [/\/restart$/, 'it may have done what it was asked'],
    [/\/containers\/json$/, 'hung up'],
  ])('tells of an engine that dies at %s', async (path, words) => {
    await using box = await open();
    const called = await box.create('good');
    box.breakOn(path);
    const outcome = await box.perform(containerStepOf([called], { kind: 'restart' }));
    expect(outcome).toMatchObject({ code: 'noAnswer', detail: expect.stringContaining(words) });
    expect(outcome.detail).toContain(`restart container ${called}`);
  });

  it('fails all the same if the log of what failed cannot be read', async () => {
    await using box = await open();
    const called = await box.create('failing');
    box.breakOn(/\/logs$/);
    expect(await box.perform(containerStepOf([called], { kind: 'start' }))).toMatchObject({
      code: 'containerFailed',
      detail: expect.stringMatching(/is exited with 3\nthe log of failing-1 cannot be read: /),
    });
  });

  it('keeps secrets out of logs and of what programs say', async () => {
    await using box = await open();
    await secrets.resolve({ env: 'TOKEN' });
    const engine = {
      ...box.engine,
      logs: () => Promise.resolve(`login with ${TOKEN}`),
      exec: () => Promise.resolve({ exitCode: 1, output: `token ${TOKEN}` }),
    };
    const failing = await box.create('failing');
    const good = await box.create('good');
    const details = [
      (await box.perform(containerStepOf([failing], { kind: 'start' }), { engine })).detail,
      (await box.perform(containerStepOf([good], { kind: 'exec', argv: ['x'], exit: [0] }), { engine })).detail,
    ];
    expect(details[0]).toContain('login with [redacted]');
    expect(details[1]).toContain('token [redacted]');
  });

  it('touches nothing that this host does not allow', async () => {
    await using box = await open();
    const called = await box.create('good');
    const allow = createAllowList({ containers: ['other-*', '/srv/app/*'] });
    const compose = () => Promise.reject(new Error('compose was run'));
    for (const step of [
      containerStepOf(['other-1', called], { kind: 'start' }),
      composeStepOf({ kind: 'compose', file: '/srv/b/compose.yaml', services: [] }, { kind: 'up' }),
    ]) {
      expect(await box.perform(step, { allow, compose })).toMatchObject({
        code: 'notAllowed',
        detail: expect.stringContaining('(other-*, /srv/app/*)'),
      });
    }
    expect((await box.engine.list(never)).map(({ name }) => name)).toStrictEqual([called]);
  });

  it('takes no word of compose for it: what ended well may have done nothing', async () => {
    await using box = await open();
    const on = { kind: 'compose', file: '/srv/app/compose.yaml', services: ['web'] } as const;
    const compose = () => Promise.resolve({ kind: 'exited', code: 0, output: 'exit code: 125\n' } as const);
    expect(await box.perform(composeStepOf(on, { kind: 'up' }), { compose })).toMatchObject({
      code: 'containerFailed',
      detail: 'compose has ended well, but there is no container of web\nexit code: 125',
    });
    const all = composeStepOf({ ...on, services: [] }, { kind: 'restart' });
    expect(await box.perform(all, { compose })).toMatchObject({
      detail: expect.stringContaining('there is no container'),
    });
  });

  it.each<[ProcessEnd, string, string]>([
    [{ kind: 'killed', by: 'SIGKILL', output: 'half' }, 'killed', 'compose was killed by SIGKILL\nhalf'],
    [{ kind: 'exited', code: 1, output: '' }, 'exitCode', 'compose ended with exit code 1'],
  ])('tells how compose ended: %j', async (end, code, detail) => {
    await using box = await open();
    const on = { kind: 'compose', file: '/srv/app/compose.yaml', services: [] } as const;
    const step = composeStepOf(on, { kind: 'down' });
    expect(await box.perform(step, { compose: () => Promise.resolve(end) })).toStrictEqual({
      outcome: 'failed',
      code,
      detail,
    });
  });

  it('ends compose at the deadline, and when it is told to', async () => {
    await using box = await open();
    const on = { kind: 'compose', file: '/srv/app/compose.yaml', services: [] } as const;
    const compose: Host['compose'] = async (_, { signal }) => {
      if (!signal.aborted) await once(signal, 'abort');
      return { kind: 'stopped', output: 'pulling' };
    };
    expect(await box.perform(composeStepOf(on, { kind: 'up' }, 50), { compose })).toMatchObject({
      code: 'timedOut',
      detail: 'compose had not ended after 50ms and was stopped\npulling',
    });
    const abort = new AbortController();
    const going = box.perform(composeStepOf(on, { kind: 'up' }), { compose }, abort.signal);
    abort.abort();
    expect(await going).toMatchObject({ code: 'aborted' });
  });

  it('is done already, or is not begun, as `unless` says', async () => {
    await using box = await open();
    const called = await box.create('good');
    const unless = [{ key: 'k', origin, kind: 'query', expr: 'up', threshold: { kind: 'above', value: 0 } } as const];
    const step = { ...containerStepOf([called], { kind: 'exec', argv: ['x'], exit: [0] }), unless };
    const answer = (outcome: 'true' | 'unknown') => ({ ask: () => Promise.resolve({ outcome, detail: 'seen' }) });
    expect(await box.perform(step, answer('true'))).toStrictEqual({ outcome: 'done', detail: 'already so: seen' });
    expect(await box.perform(step, answer('unknown'))).toMatchObject({ code: 'checkUnknown' });
    const driver = containerStep({
      allow: createAllowList({}),
      engine: box.engine,
      compose: box.compose,
      ...answer('true'),
    });
    expect(await driver.observe(step, {}, never)).toBe('done');
    expect(await driver.observe({ ...step, unless: [] }, {}, never)).toBe('unknown');
    expect(await driver.observe({ ...step, unless: [], repeatable: true }, {}, never)).toBe('notDone');
  });

  it('keeps what it saw if its time ends while the engine answers', async () => {
    await using box = await open();
    const called = await box.create('sick');
    let looks = 0;
    const inspect: Host['engine']['inspect'] = async (id, signal) => {
      looks += 1;
      if (looks < 3) return await box.engine.inspect(id, signal);
      if (!signal.aborted) await once(signal, 'abort');
      throw new EngineError('stopped', 'the engine had not answered');
    };
    const step = containerStepOf([called], { kind: 'start' }, 2000);
    expect(await box.perform(step, { engine: { ...box.engine, inspect } })).toMatchObject({
      code: 'timedOut',
      detail: expect.stringMatching(/is still running \(unhealthy\): no pulse[^]*hello/),
    });
  });
});
