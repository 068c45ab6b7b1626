import type { CapturedType, TargetType } from '../../core/model/target.ts';
import type { AllowList } from '../allow-list.ts';
import { createSecretResolver, type SecretResolver } from '../secrets.ts';
import type { CapturedTargetDriver } from './captured-target-driver.ts';
import { filesTarget } from './files/index.ts';
import { gitTarget } from './git/index.ts';
import { postgresTarget } from './postgres/index.ts';
import { sqliteTarget } from './sqlite/index.ts';
import type { TargetDriver } from './target-driver.ts';

/** One driver per type; the keys are the names of the folders beside this file. */
export const TARGET_DRIVERS = {
  git: gitTarget,
  files: filesTarget,
  sqlite: sqliteTarget,
  postgres: postgresTarget,
} satisfies { readonly [K in TargetType['kind']]: (host: TargetHost) => TargetDriver };

export type TargetDrivers = { readonly [K in Exclude<TargetType, CapturedType>['kind']]: TargetDriver } & {
  readonly [K in CapturedType['kind']]: CapturedTargetDriver;
};

/** `secrets` gives the connections of databases on servers. */
type TargetHost = { readonly allow: AllowList; readonly secrets: SecretResolver };

export function createTargetDrivers(
  allow: AllowList,
  secrets: SecretResolver = createSecretResolver({}),
): TargetDrivers {
  return {
    git: TARGET_DRIVERS.git({ allow }),
    files: TARGET_DRIVERS.files({ allow }),
    sqlite: TARGET_DRIVERS.sqlite({ allow }),
    postgres: TARGET_DRIVERS.postgres({ allow, secrets }),
  };
}
