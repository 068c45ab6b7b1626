import type { Check } from '../../core/model/check.ts';
import type { Millis } from '../../core/units.ts';
import type { AllowList } from '../allow-list.ts';
import type { ContainerEngine } from '../containers/engine.ts';
import type { Systemctl } from '../systemctl.ts';
import type { CheckAnswer, CheckContext, CheckDriver, HostCheck, HostCheckKind } from './check-driver.ts';
import { containerCheck } from './container/index.ts';
import { fileCheck } from './file/index.ts';
import { httpCheck } from './http/index.ts';
import { runCheck } from './run/index.ts';
import { sqlCheck } from './sql/index.ts';
import { sqliteCheck } from './sqlite/index.ts';
import { type TargetCheckHost, targetCheck } from './target/index.ts';
import { unitCheck } from './unit/index.ts';

/** What drivers of checks need of the host. */
export type CheckHost = {
  readonly allow: AllowList;
  readonly systemctl: Systemctl;
  readonly engine: ContainerEngine;
  /** The wall clock, which ages of files are told by. */
  readonly now: () => Millis;
} & TargetCheckHost;

/** One driver per kind; the keys are the names of the folders beside this file. */
export const CHECK_DRIVERS = {
  http: httpCheck,
  unit: unitCheck,
  container: containerCheck,
  run: runCheck,
  sql: sqlCheck,
  sqlite: sqliteCheck,
  file: fileCheck,
  target: targetCheck,
} satisfies { readonly [K in HostCheckKind]: (host: CheckHost) => CheckDriver<K> };

export type CheckDrivers = { readonly [K in HostCheckKind]: CheckDriver<K> };

export function createCheckDrivers(host: CheckHost): CheckDrivers {
  return {
    http: CHECK_DRIVERS.http(host),
    unit: CHECK_DRIVERS.unit(host),
    container: CHECK_DRIVERS.container(host),
    run: CHECK_DRIVERS.run(host),
    sql: CHECK_DRIVERS.sql(host),
    sqlite: CHECK_DRIVERS.sqlite(host),
    file: CHECK_DRIVERS.file(host),
    target: CHECK_DRIVERS.target(host),
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
    case 'sql':
      return await drivers.sql.check(check, context);
    case 'sqlite':
      return await drivers.sqlite.check(check, context);
    case 'file':
      return await drivers.file.check(check, context);
    case 'target':
      return await drivers.target.check(check, context);
  }
}

export function isHostCheck(check: Check): check is HostCheck {
  return check.kind !== 'query';
}
