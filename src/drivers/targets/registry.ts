import type { TargetType } from '../../core/model/target.ts';
import type { AllowList } from '../allow-list.ts';
import { createSecretResolver, type SecretResolver } from '../secrets.ts';
import type { CapturedHost } from './captured-target.ts';
import { commandTarget } from './command/index.ts';
import { filesTarget } from './files/index.ts';
import { flagsTarget } from './flags/index.ts';
import { gitTarget } from './git/index.ts';
import { httpTarget } from './http/index.ts';
import { postgresTarget } from './postgres/index.ts';
import { rowsTarget } from './rows/index.ts';
import { sqliteTarget } from './sqlite/index.ts';
import type { TargetDriver } from './target-driver.ts';

/** One driver per type; the keys are the names of the folders beside this file. */
export const TARGET_DRIVERS = {
  git: gitTarget,
  files: filesTarget,
  sqlite: sqliteTarget,
  postgres: postgresTarget,
  http: httpTarget,
  command: commandTarget,
  flags: flagsTarget,
  rows: rowsTarget,
} satisfies { readonly [K in TargetType['kind']]: (host: CapturedHost) => TargetDriver };

export type TargetDrivers = { readonly [K in TargetType['kind']]: TargetDriver };

/** Without `secrets` only those can be resolved that are files. */
export function createTargetDrivers(
  allow: AllowList,
  secrets: SecretResolver = createSecretResolver({}),
): TargetDrivers {
  const host = { allow, secrets };
  return {
    git: TARGET_DRIVERS.git(host),
    files: TARGET_DRIVERS.files(host),
    sqlite: TARGET_DRIVERS.sqlite(host),
    postgres: TARGET_DRIVERS.postgres(host),
    http: TARGET_DRIVERS.http(host),
    command: TARGET_DRIVERS.command(host),
    flags: TARGET_DRIVERS.flags(host),
    rows: TARGET_DRIVERS.rows(host),
  };
}
