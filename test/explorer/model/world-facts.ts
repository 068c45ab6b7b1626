import type { Desired } from '../../../src/core/model/desired.ts';
import { documentKey } from '../../../src/core/model/flag.ts';
import type { RollbackPolicy } from '../../../src/core/model/policy.ts';
import { bakeOf, type Target } from '../../../src/core/model/target.ts';
import { type Trigger, type TriggerKey, triggerKey } from '../../../src/core/model/trigger.ts';
import type { Millis } from '../../../src/core/units.ts';
import type { SmallWorld } from './small-world.ts';

/** How far back the longest rule of each kind looks; what is older is all the same. */
export type Horizons = {
  readonly cooldownMs: Millis;
  readonly limitMs: Millis;
  /** Until a latch is lifted by time. */
  readonly liftMs: Millis;
  /** Until a revision has proved good. */
  readonly bakeMs: Millis;
  /** How long a success must last. */
  readonly successMs: Millis;
};

/** What follows from a world alone, reckoned once. */
type Facts = {
  readonly horizons: Horizons;
  readonly triggers: readonly { readonly key: TriggerKey; readonly trigger: Trigger }[];
  readonly triggerKeys: readonly TriggerKey[];
  /** By document, the entries that any revision writes. */
  readonly entries: Readonly<Record<string, readonly string[]>>;
};

const known = new WeakMap<SmallWorld, Facts>();

function factsOf(world: SmallWorld): Facts {
  const before = known.get(world);
  if (before !== undefined) return before;
  const facts = reckon(world);
  known.set(world, facts);
  return facts;
}

function reckon({ revisions, files }: SmallWorld): Facts {
  const policies = revisions.flatMap(({ desired }) => Object.values(desired.policies));
  const triggers = new Map(
    policies.flatMap((policy) =>
      policy.triggers.map((trigger) => {
        const key = triggerKey(policy.name, trigger.name);
        return [watchKey(key, trigger), { key, trigger }] as const;
      }),
    ),
  );
  const places = revisions.flatMap(({ desired }) => Object.values(desired.flags).flatMap((flag) => flag.deliver));
  const entriesOf = (document: string): string[] => [
    ...new Set(places.filter((place) => documentKey(place.document) === document).map((place) => place.entry)),
  ];
  return {
    horizons: horizonsOf(
      policies,
      revisions.flatMap(({ desired }) => Object.values(desired.targets)),
    ),
    triggers: [...triggers.values()],
    triggerKeys: [...new Set([...triggers.values()].map(({ key }) => key))],
    entries: Object.fromEntries(Object.keys(files).map((document) => [document, entriesOf(document)])),
  };
}

function horizonsOf(policies: readonly RollbackPolicy[], targets: readonly Target[]): Horizons {
  return {
    cooldownMs: Math.max(0, ...policies.map((policy) => policy.cooldownMs)),
    limitMs: Math.max(0, ...policies.map(({ limit }) => limit?.perMs ?? 0)),
    liftMs: Math.max(0, ...policies.map(({ release }) => (release.kind === 'after' ? release.spanMs : 0))),
    bakeMs: Math.max(0, ...targets.map(bakeOf)),
    successMs: Math.max(0, ...policies.flatMap(({ ladder }) => ladder.map(({ verify }) => verify.forMs))),
  };
}

/** A trigger as long as it means the same. */
export function watchKey(key: TriggerKey, trigger: Trigger): string {
  return `${key}@${trigger.digest}`;
}

export function desiredAt(world: SmallWorld, revision: number): Desired {
  const entry = world.revisions[revision];
  if (entry === undefined) throw new RangeError(`world ${world.name} has no revision ${revision}`);
  return entry.desired;
}

export function horizonsOfWorld(world: SmallWorld): Horizons {
  return factsOf(world).horizons;
}

export function triggersOf(world: SmallWorld): Facts['triggers'] {
  return factsOf(world).triggers;
}

export function triggerKeysOf(world: SmallWorld): Facts['triggerKeys'] {
  return factsOf(world).triggerKeys;
}

export function entriesOf(world: SmallWorld): Facts['entries'] {
  return factsOf(world).entries;
}
