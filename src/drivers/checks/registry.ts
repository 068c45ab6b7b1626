import type { Check } from '../../core/model/check.ts';
import type { AllowList } from '../allow-list.ts';
import type { ContainerEngine } from '../containers/engine.ts';
import type { Systemctl } from '../systemctl.ts';
import type { CheckAnswer, CheckContext, CheckDriver, HostCheck, HostCheckKind } from './check-driver.ts';
import { containerCheck } from './container/index.ts';
import { httpCheck } from './http/index.ts';
import { runCheck } from './run/index.ts';
import { unitCheck } from './unit/index.ts';

/** What drivers of checks need of the host. */
export type CheckHost = { readonly allow: AllowList; readonly systemctl: Systemctl; readonly engine: ContainerEngine };

/** One driver per kind; the keys are the names of the folders beside this file. */
export const CHECK_DRIVERS = {
  http: httpCheck,
  unit: unitCheck,
  container: containerCheck,
  run: runCheck,
} satisfies { readonly [K in HostCheckKind]: (host: CheckHost) => CheckDriver<K> };

export type CheckDrivers = { readonly [K in HostCheckKind]: CheckDriver<K> };

export function createCheckDrivers(host: CheckHost): CheckDrivers {
  return {
    http: CHECK_DRIVERS.http(host),
    unit: CHECK_DRIVERS.unit(host),
    container: CHECK_DRIVERS.container(host),
    run: CHECK_DRIVERS.run(host),
  };
}

/** Has the driver of its kind make the check. */
export async function makeCheck(drivers: CheckDrivers, check: HostCheck, context: CheckContext): Promise<CheckAnswer> {
  switch (check.kind) {
    case 'http':
      return await drivers.http.check(check, context);
    case 'unit':
      return await drivers.unit.check(check, context);
    case 'container':
      return await drivers.container.check(check, context);
    case 'run':
      return await drivers.run.check(check, context);
  }
}

export function isHostCheck(check: Check): check is HostCheck {
  return check.kind !== 'query';
}
