import type { Memory } from './memory.ts';
import { type Desired, followedOn, type PolicySet } from './model/desired.ts';
import type { PointRules } from './model/point-policy.ts';
import type { Trigger } from './model/trigger.ts';
import type { Observed, Reading } from './observed.ts';
import { viewTrigger } from './triggers/trigger-view.ts';
import { formatInstant, type Millis } from './units.ts';
import { wantsOf } from './wants.ts';

/** What a decision rests on beside the policies, at one instant on one host. Plain data, without the value of any secret. */
export type Observation = {
  readonly host: ObservedHost;
  /** Of the revertd that looked; another one may remember in another form. */
  readonly version: string;
  readonly at: Millis;
  readonly documents: Observed['documents'];
  readonly checks: Observed['checks'];
  readonly halt: Observed['halt'];
  readonly targets: Observed['targets'];
  readonly readings: readonly ObservedReading[];
  readonly memory: Memory;
};

/** What the host's configuration says that policies are loaded and followed with. */
export type ObservedHost = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly variables: Readonly<Record<string, string>>;
  readonly adopt: Desired['adopt'];
  readonly points?: PointRules;
  readonly allow: {
    readonly paths?: readonly string[];
    readonly units?: readonly string[];
    readonly commands?: readonly string[];
    readonly hosts?: readonly string[];
  };
};

/** What a query read, so that a trigger with another threshold over the same query can be judged by it. */
export type ObservedReading = AskedQuery & Omit<Reading, 'trigger'>;

/** A query, and the MetricSource whose server was asked; without one it was evaluated over the host's own samples. */
export type AskedQuery = Pick<Trigger, 'query' | 'source'>;

/** The same for the same query of the same server. */
export function queryKey({ query, source }: AskedQuery): string {
  return JSON.stringify([query, source ?? null]);
}

export type Situation = {
  readonly desired: Desired;
  readonly observed: Observed;
  readonly memory: Memory;
  readonly now: Millis;
};

/** What `decide` needs, for any policies on the host that was observed. Triggers that are unknown there get their query's reading. */
export function situationOf(
  observation: Observation,
  policies: PolicySet,
  { windows, schedules }: Pick<Observed, 'windows' | 'schedules'>,
): Situation {
  const { documents, checks, halt, targets, memory, at: now } = observation;
  const desired = followedOn(observation.host, policies);
  const known = new Map(observation.readings.map((reading) => [queryKey(reading), reading]));
  const readings = unread(observation, desired).flatMap(([trigger, asked]) => {
    const found = known.get(queryKey(asked));
    if (found === undefined) return [];
    const { query: _query, source: _source, ...reading } = found;
    return [{ ...reading, trigger, at: now }];
  });
  return {
    desired,
    observed: {
      readings,
      documents,
      checks,
      halt,
      targets,
      ...(windows === undefined ? {} : { windows }),
      ...(schedules === undefined ? {} : { schedules }),
    },
    memory,
    now,
  };
}

/** The triggers of these policies of which memory has no evidence that counts. */
export function unread(
  { memory, at }: Pick<Observation, 'memory' | 'at'>,
  desired: Desired,
): (readonly [key: string, Trigger])[] {
  const { triggers } = wantsOf(desired, memory, at);
  return [...triggers].filter(([key, trigger]) => !viewTrigger(memory, key, trigger, at).fresh);
}

/** When and where it was made, for people. */
export function describeObservation({ host, at }: Pick<Observation, 'host' | 'at'>): string {
  return `observed on ${host.name} at ${formatInstant(at)}`;
}
