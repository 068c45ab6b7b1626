import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAllowList } from '../../src/drivers/allow-list.ts';
import { findContainer } from '../../src/drivers/containers/find-container.ts';
import { createSecretResolver } from '../../src/drivers/secrets.ts';
import { containerStep } from '../../src/drivers/steps/container/index.ts';
import { containerStepOf, describeContainerPlaces, describeContainerSteps } from '../support/container-suite.ts';
import { describeEngine } from '../support/engine-suite.ts';
import { REAL_ENGINES, type RealEngine } from '../support/real-engines.ts';

// Where a package is not installed these are shown as skipped, each by its name.
describe.each(REAL_ENGINES)('$name', ({ name, start, missing }) => {
  describe.skipIf(missing)('does what the fake does', () => {
    describeEngine(name, start);
    describeContainerSteps(name, start);
    describeContainerPlaces(name, start);
  });
});

const never = new AbortController().signal;

describe.each(REAL_ENGINES)('$name that dies', ({ start, missing }) => {
  describe.skipIf(missing)('in the middle of a step', () => {
    let box: RealEngine;
    beforeAll(async () => {
      box = await start();
    });
    afterAll(() => box[Symbol.asyncDispose]());

    it('leaves a failed step that says so, and nobody guesses what became of it', async () => {
      const called = await box.create('stubborn');
      const ask = () => Promise.resolve({ outcome: 'unknown', detail: '' } as const);
      const driver = containerStep({ allow: createAllowList({}), engine: box.engine, compose: box.compose, ask });
      const asked = Promise.withResolvers<void>();
      const context = {
        signal: never,
        operation: 'op',
        once: 'op',
        secrets: createSecretResolver({}),
        log: () => asked.resolve(),
        remember: () => undefined,
      };
      await driver.perform(containerStepOf([called], { kind: 'start' }), context);
      const stop = containerStepOf([called], { kind: 'stop', graceMs: 25_000 });
      const before = await driver.prepare(stop, never);
      const performing = driver.perform(stop, context);
      await asked.promise;
      await box.kill();
      const outcome = await performing;
      expect(outcome).toMatchObject({ outcome: 'failed', detail: expect.stringContaining(`stop container ${called}`) });
      // Whether the request had reached the engine before it died is a matter of chance.
      expect(['noAnswer', 'noEngine']).toContain(outcome.outcome === 'failed' ? outcome.code : '');
      expect(await driver.observe(stop, before, never)).toBe('unknown');
      await box.revive();
      const { id } = await findContainer(box.engine, called, never);
      const { running } = await box.engine.inspect(id, never);
      expect(await driver.observe(stop, before, never)).toBe(running ? 'notDone' : 'done');
    });
  });
});
