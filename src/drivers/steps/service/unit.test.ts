import { expect, it } from 'vitest';
import { createFakeSystemctl, type FakeUnit } from '../../../../test/support/fake-systemctl.ts';
import { describeServiceSteps, SUITE_UNITS, serviceSteps } from '../../../../test/support/service-suite.ts';
import { createAllowList } from '../../allow-list.ts';
import { createSecretResolver } from '../../secrets.ts';
import { SystemdError } from '../../systemctl.ts';
import { serviceStep } from './index.ts';

const unit: FakeUnit = { type: 'simple', start: 'works', canReload: false, loadState: 'loaded' };
const never = new AbortController().signal;

describeServiceSteps('a fake', () =>
  Promise.resolve(
    createFakeSystemctl({
      [SUITE_UNITS.good]: { ...unit, canReload: true },
      [SUITE_UNITS.plain]: unit,
      [SUITE_UNITS.failing]: { ...unit, start: 'fails' },
      [SUITE_UNITS.hanging]: { ...unit, start: 'hangs' },
      [SUITE_UNITS.oneshot]: { ...unit, type: 'oneshot' },
      [SUITE_UNITS.masked]: { ...unit, loadState: 'masked' },
    }),
  ),
);

it('says so where there is no systemd, and guesses nothing after a crash', async () => {
  const gone = () => Promise.reject(new SystemdError('noSystemd', 'this host was not booted with systemd'));
  const driver = serviceStep({ allow: createAllowList({}), systemctl: { show: gone, act: gone, journal: gone } });
  const step = serviceSteps('x.service', { kind: 'restart' });
  const context = {
    signal: never,
    operation: '1',
    once: '1',
    secrets: createSecretResolver({}),
    log: () => undefined,
    remember: () => undefined,
  };
  expect(await driver.prepare(step, never)).toStrictEqual({});
  expect(await driver.perform(step, context)).toMatchObject({
    code: 'noSystemd',
    detail: expect.stringContaining('systemd'),
  });
  expect(await driver.observe(step, {}, never)).toBe('unknown');
});

it('waits for a unit that is on its way, but not for ever', async () => {
  const fake = createFakeSystemctl({ 'x.service': unit });
  const restart = serviceSteps('x.service', { kind: 'restart' });
  const states = ['deactivating', 'activating', 'active'];
  const show = async (name: string) => ({
    ...(await fake.show(name, never)),
    activeState: states.shift() ?? 'activating',
    invocationId: 'new',
  });
  const driver = serviceStep({ allow: createAllowList({}), systemctl: { ...fake, show } });
  expect(await driver.observe(restart, { invocationId: 'old' }, never)).toBe('done');
  expect(await driver.observe(restart, { invocationId: 'old' }, AbortSignal.timeout(20))).toBe('unknown');
});

it('keeps secrets out of the journal lines that it reports', async () => {
  const secrets = createSecretResolver({ TOKEN: 'hunter22' });
  await secrets.resolve({ env: 'TOKEN' });
  const failing = createFakeSystemctl({ 'x.service': { ...unit, start: 'fails' } });
  const systemctl = { ...failing, journal: () => Promise.resolve('login with hunter22 failed') };
  const driver = serviceStep({ allow: createAllowList({}), systemctl });
  const context = {
    signal: never,
    operation: '1',
    once: '1',
    secrets,
    log: () => undefined,
    remember: () => undefined,
  };
  const outcome = await driver.perform(serviceSteps('x.service', { kind: 'start' }), context);
  expect(outcome.detail).toContain('login with [redacted] failed');
});
