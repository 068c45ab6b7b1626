import { hostname } from 'node:os';
import type { HostRules } from '../../core/model/desired.ts';
import type { Trigger, TriggerKey } from '../../core/model/trigger.ts';
import { type ObservedHost, type ObservedReading, queryKey } from '../../core/observation.ts';
import type { Reading } from '../../core/observed.ts';
import type { Millis } from '../../core/units.ts';
import type { Evaluator } from '../../metrics/evaluator.ts';
import type { RemoteSampling } from '../../metrics/remote/remote-sampling.ts';
import type { HostConfig } from '../../policy/host-config.ts';

/** What of the configuration decides how policies are loaded and followed; the rest of it is nobody else's business. */
export function observedHost(config: HostConfig, name = config.host.name ?? hostname()): ObservedHost {
  const { host, allow } = config;
  return { name, labels: host.labels, variables: host.variables, ...hostRules(config), allow };
}

export function hostRules({ adopt, points }: Pick<HostConfig, 'adopt' | 'points'>): Required<HostRules> {
  const { ttlMs, maxPoints, compression, prunesItself, pruneEveryMs } = points;
  return { adopt, points: { ttlMs, maxPoints, compression, prunesItself, pruneEveryMs } };
}

/** What the triggers' queries read at `at` over the host's own samples, and what servers answered last. */
export function observedReadings(
  { evaluator, remote }: { readonly evaluator: Evaluator; readonly remote: RemoteSampling },
  triggers: ReadonlyMap<TriggerKey, Trigger>,
  at: Millis,
): ObservedReading[] {
  return byQuery([...evaluator.readNow(triggers, at), ...remote.latest()], triggers);
}

/** Readings without their triggers. A baseline belongs to its trigger, so it goes with it. */
export function byQuery(readings: readonly Reading[], triggers: ReadonlyMap<TriggerKey, Trigger>): ObservedReading[] {
  const found = new Map<string, ObservedReading>();
  for (const { trigger, baseline: _baseline, ...reading } of readings) {
    const asked = triggers.get(trigger);
    if (asked === undefined) continue;
    const { query, source } = asked;
    found.set(queryKey(asked), { query, ...(source === undefined ? {} : { source }), ...reading });
  }
  return [...found.values()];
}
