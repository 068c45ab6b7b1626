import type { PolicySet } from '../core/model/desired.ts';
import type { Observation } from '../core/observation.ts';
import type { HostConfig } from '../policy/host-config.ts';
import { connect } from './client.ts';
import { CliError } from './exit-code.ts';
import { lookFurther, offlineView } from './offline-host.ts';
import { socketOf } from './setup.ts';

/** What the daemon knows, and what the caller can see beyond it. */
export async function observationFor(config: HostConfig, policies: PolicySet, version: string): Promise<Observation> {
  const client = await connect(socketOf(config));
  if (client === undefined) return (await offlineView(config, policies, version)).observe();
  const observation = await client.get<Observation>('observation');
  if (observation.version !== version) {
    const message = `the daemon is revertd ${observation.version}, and this is ${version}; use the same for both`;
    throw new CliError(message);
  }
  return await lookFurther(observation, policies, config, process.env);
}
