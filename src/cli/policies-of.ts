import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { PolicySnapshot } from '../core/model/revision.ts';
import { allowFor } from '../daemon/allow-for-policies.ts';
import { createAllowList } from '../drivers/allow-list.ts';
import type { HostConfig } from '../policy/host-config.ts';
import { type LoadResult, loadPolicies } from '../policy/load.ts';
import type { LoadOptions } from '../policy/load-options.ts';
import { openSource } from '../source/open-source.ts';
import { CliError } from './exit-code.ts';

/** Reads a folder of policies as it lies on disk. */
export async function readFolder(folder: string): Promise<PolicySnapshot> {
  if (!existsSync(folder)) throw new CliError(`there is no folder ${folder}`);
  const source = openSource({ url: `folder:${resolve(folder)}`, watch: 'folder' }, resolve(folder));
  const reading = await source.read({ accepted: undefined, consented: new Set() }, AbortSignal.timeout(60_000));
  switch (reading.state) {
    case 'changed':
      return reading.snapshot;
    case 'refused':
    case 'unreachable':
      throw new CliError(`${folder}: ${reading.message}`);
    case 'unchanged':
      throw new CliError(`${folder} has no policies`);
  }
}

/** Loads policies as this host would. */
export function loadForHost(snapshot: PolicySnapshot, config: HostConfig): LoadResult {
  return loadPolicies(snapshot.files, loadOptionsFor(snapshot, config));
}

/** What this host knows beside the policies themselves. */
export function loadOptionsFor({ revision }: PolicySnapshot, config: HostConfig): LoadOptions {
  return {
    revision,
    host: config.host.variables,
    hostLabels: config.host.labels,
    allow: allowFor(createAllowList({ ...config.allow, ownFolders: [resolve(config.dataDir)] })),
    roles: Object.keys(config.roles),
  };
}

/** The text of a policy file, for showing a line of it. */
export function textIn(folder: string): (file: string) => string | undefined {
  return (file) => {
    const path = join(folder, file);
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  };
}
