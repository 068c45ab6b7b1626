import type { CapturedType, TargetType } from '../../core/model/target.ts';
import type { AllowList } from '../allow-list.ts';
import type { CapturedTargetDriver } from './captured-target-driver.ts';
import { filesTarget } from './files/index.ts';
import { gitTarget } from './git/index.ts';
import { sqliteTarget } from './sqlite/index.ts';
import type { TargetDriver } from './target-driver.ts';

/** One driver per type; the keys are the names of the folders beside this file. */
export const TARGET_DRIVERS = {
  git: gitTarget,
  files: filesTarget,
  sqlite: sqliteTarget,
} satisfies { readonly [K in TargetType['kind']]: (host: { readonly allow: AllowList }) => TargetDriver };

export type TargetDrivers = { readonly [K in Exclude<TargetType, CapturedType>['kind']]: TargetDriver } & {
  readonly [K in CapturedType['kind']]: CapturedTargetDriver;
};

export function createTargetDrivers(allow: AllowList): TargetDrivers {
  return {
    git: TARGET_DRIVERS.git({ allow }),
    files: TARGET_DRIVERS.files({ allow }),
    sqlite: TARGET_DRIVERS.sqlite({ allow }),
  };
}
