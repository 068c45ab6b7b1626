import { beforeEach, describe, expect, it } from 'vitest';
import type { ServiceStep, ServiceVerb } from '../../src/core/model/step.ts';
import { createAllowList } from '../../src/drivers/allow-list.ts';
import { createSecretResolver } from '../../src/drivers/secrets.ts';
import { serviceStep } from '../../src/drivers/steps/service/index.ts';
import type { StepOf } from '../../src/drivers/steps/step-driver.ts';
import type { Systemctl } from '../../src/drivers/systemctl.ts';

/** The units that the suite expects, each in the state that its name says; `good` and `oneshot` are not running. */
export const SUITE_UNITS = {
  good: 'revertd-test-good.service',
  plain: 'revertd-test-plain.service',
  failing: 'revertd-test-failing.service',
  hanging: 'revertd-test-hanging.service',
  oneshot: 'revertd-test-oneshot.service',
  masked: 'revertd-test-masked.service',
  absent: 'revertd-test-absent.service',
} as const;

const origin = { file: 'test.yaml', line: 1, column: 1 };
const never = new AbortController().signal;

export function serviceSteps(unit: string, verb: ServiceVerb, timeoutMs = 15_000): StepOf<'service'> {
  const spec: ServiceStep = { kind: 'service', service: { kind: 'unit', unit }, do: verb };
  return { origin, timeoutMs, ...spec };
}

/** What a service step does with units, on any service manager. */
export function describeServiceSteps(name: string, make: () => Promise<Systemctl>): void {
  describe(`service steps on ${name}`, () => {
    let systemctl: Systemctl;
    beforeEach(async () => {
      systemctl = await make();
    });
    const driver = () => serviceStep({ allow: createAllowList({}), systemctl });
    const context = (signal = never) => ({
      signal,
      operation: 'op-1',
      once: 'op-1',
      secrets: createSecretResolver({}),
      log: () => undefined,
      remember: () => undefined,
    });
    const perform = (unit: string, kind: 'start' | 'stop' | 'restart' | 'reload', timeoutMs = 15_000) =>
      driver().perform(serviceSteps(unit, { kind }, timeoutMs), context());
    const state = async (unit: string) => (await systemctl.show(unit, never)).activeState;

    it('starts and stops', async () => {
      expect(await perform(SUITE_UNITS.good, 'start')).toMatchObject({ outcome: 'done' });
      expect(await state(SUITE_UNITS.good)).toBe('active');
      expect(await perform(SUITE_UNITS.good, 'start')).toMatchObject({ outcome: 'done' });
      expect(await perform(SUITE_UNITS.good, 'stop')).toMatchObject({ outcome: 'done' });
      expect(await state(SUITE_UNITS.good)).toBe('inactive');
    });

    it('sees after a crash whether it was started or stopped', async () => {
      const start = serviceSteps(SUITE_UNITS.good, { kind: 'start' });
      const stop = serviceSteps(SUITE_UNITS.good, { kind: 'stop' });
      const before = await driver().prepare(start, never);
      expect(await driver().observe(start, before, never)).toBe('notDone');
      expect(await driver().observe(stop, before, never)).toBe('done');
      await perform(SUITE_UNITS.good, 'start');
      expect(await driver().observe(start, before, never)).toBe('done');
      expect(await driver().observe(stop, before, never)).toBe('notDone');
    });

    it('sees after a crash whether it was restarted', async () => {
      await perform(SUITE_UNITS.good, 'start');
      const restart = serviceSteps(SUITE_UNITS.good, { kind: 'restart' });
      const before = await driver().prepare(restart, never);
      expect(await driver().observe(restart, before, never)).toBe('notDone');
      await perform(SUITE_UNITS.good, 'restart');
      expect(await driver().observe(restart, before, never)).toBe('done');
      await perform(SUITE_UNITS.good, 'stop');
      expect(await driver().observe(restart, before, never)).toBe('notDone');
    });

    it('runs a oneshot to its end, and cannot tell after a crash whether it ran', async () => {
      const start = serviceSteps(SUITE_UNITS.oneshot, { kind: 'start' });
      const before = await driver().prepare(start, never);
      expect(await perform(SUITE_UNITS.oneshot, 'start')).toMatchObject({ outcome: 'done' });
      expect(await state(SUITE_UNITS.oneshot)).toBe('inactive');
      expect(await driver().observe(start, before, never)).toBe('unknown');
    });

    it('reloads what can be reloaded, and refuses the rest', async () => {
      await perform(SUITE_UNITS.good, 'start');
      expect(await perform(SUITE_UNITS.good, 'reload')).toMatchObject({ outcome: 'done' });
      await perform(SUITE_UNITS.plain, 'start');
      expect(await perform(SUITE_UNITS.plain, 'reload')).toMatchObject({ outcome: 'failed', code: 'notSupported' });
    });

    it('signals the main process', async () => {
      const step = serviceSteps(SUITE_UNITS.good, { kind: 'signal', signal: 'SIGHUP' });
      expect(await driver().perform(step, context())).toMatchObject({ outcome: 'failed', code: 'unitFailed' });
      await perform(SUITE_UNITS.good, 'start');
      expect(await driver().perform(step, context())).toMatchObject({ outcome: 'done' });
      expect(await driver().observe(step, {}, never)).toBe('notDone');
      const kill = serviceSteps(SUITE_UNITS.good, { kind: 'signal', signal: 'SIGUSR1' });
      expect(await driver().observe(kill, {}, never)).toBe('unknown');
    });

    it('tells why a start failed, from the journal', async () => {
      expect(await perform(SUITE_UNITS.failing, 'start')).toMatchObject({
        outcome: 'failed',
        code: 'unitFailed',
        detail: expect.stringContaining('this is why'),
      });
    });

    it('gives up at the deadline', async () => {
      expect(await perform(SUITE_UNITS.hanging, 'start', 300)).toMatchObject({ outcome: 'failed', code: 'timedOut' });
      const start = serviceSteps(SUITE_UNITS.hanging, { kind: 'start' });
      expect(await driver().perform(start, context(AbortSignal.abort()))).toMatchObject({ code: 'aborted' });
      await perform(SUITE_UNITS.hanging, 'stop');
    });

    it('refuses units that are absent or masked', async () => {
      expect(await perform(SUITE_UNITS.absent, 'start')).toMatchObject({ outcome: 'failed', code: 'noSuchUnit' });
      expect(await perform(SUITE_UNITS.masked, 'restart')).toMatchObject({ outcome: 'failed', code: 'badUnit' });
    });
  });
}
