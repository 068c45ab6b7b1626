import type { Desired } from '../../../src/core/model/desired.ts';
import type { Flag } from '../../../src/core/model/flag.ts';
import type { Notifier } from '../../../src/core/model/notifier.ts';
import type { PointPolicy } from '../../../src/core/model/point-policy.ts';
import type { RollbackPolicy, Rung, Verify } from '../../../src/core/model/policy.ts';
import type { Step } from '../../../src/core/model/step.ts';
import type { GitTarget, Target } from '../../../src/core/model/target.ts';
import type { Trigger } from '../../../src/core/model/trigger.ts';
import {
  aDesired,
  aFlag,
  aPolicy,
  aRestore,
  aRun,
  aRung,
  aTarget,
  aTrigger,
  aVerify,
  ORIGIN,
} from '../../support/policies.ts';
import { type ReadingKind, type SmallWorld, TICK_MS, type Weather } from '../model/small-world.ts';

/** Building blocks of small worlds: as in tests elsewhere, with all times in ticks. */
export const DOCUMENT = 'envFile:/app.env';

export function place(entry: string, takeUp: readonly Step[] = []): Flag['deliver'][number] {
  return { origin: ORIGIN, document: { kind: 'envFile', path: '/app.env' }, entry, takeUp };
}

export function trigger(change: Partial<Trigger> = {}): Trigger {
  return aTrigger({ forMs: TICK_MS, digest: 't', ...change });
}

export function verify(change: Partial<Verify> = {}): Verify {
  return aVerify({ settleMs: TICK_MS, withinMs: 2 * TICK_MS, ...change });
}

export function rung(name: string, steps: readonly Step[], change: Partial<Rung> = {}): Rung {
  return aRung({ name, do: steps, verify: verify(), ...change });
}

export function policy(name: string, change: Partial<RollbackPolicy> = {}): RollbackPolicy {
  return aPolicy({ name, triggers: [trigger()], cooldownMs: 2 * TICK_MS, ...change });
}

export function flag(change: Partial<Flag> = {}): Flag {
  return aFlag({ deliver: [place('FAST_PATH')], ...change });
}

export function desired(
  revision: string,
  flags: readonly Flag[],
  policies: readonly RollbackPolicy[],
  rest: {
    readonly notifiers?: readonly Notifier[];
    readonly targets?: readonly Target[];
    readonly pointPolicies?: readonly PointPolicy[];
  } = {},
): Desired {
  const byName = <T extends { readonly name: string }>(list: readonly T[]): Record<string, T> =>
    Object.fromEntries(list.map((one) => [one.name, one]));
  const { notifiers = [], targets = [], pointPolicies = [] } = rest;
  const named = { notifiers: byName(notifiers), targets: byName(targets), pointPolicies: byName(pointPolicies) };
  return aDesired({ revision, flags: byName(flags), policies: byName(policies), ...named });
}

export function restart(unit = 'app.service'): Step {
  return {
    kind: 'service',
    origin: ORIGIN,
    timeoutMs: TICK_MS,
    service: { kind: 'unit', unit },
    do: { kind: 'restart' },
  };
}

/** A checkout that becomes good in two ticks. */
export function target(type: Partial<GitTarget> = {}): Target {
  return aTarget({ type: { bakeMs: 2 * TICK_MS, ...type } });
}

export function restore(): Step {
  return aRestore({ timeoutMs: TICK_MS });
}

export function once(name = 'once'): Step {
  return aRun([name], { repeatable: false });
}

export function weather(words: string, readings: Readonly<Record<string, ReadingKind>>): Weather {
  return { words, readings, isFault: false };
}

/** Every trigger has the same kind of absence. */
export function absence(words: string, kind: ReadingKind, triggers: readonly string[]): Weather {
  return { words, readings: Object.fromEntries(triggers.map((key) => [key, kind])), isFault: true };
}

/** A world in which nothing but time passes; each world adds what may befall it. */
export const QUIET: Omit<SmallWorld, 'name' | 'about' | 'revisions' | 'weathers'> = {
  files: { [DOCUMENT]: { FAST_PATH: 'true' } },
  checkouts: {},
  coverMs: 0,
  moves: new Set(),
  outcomes: [],
  overrides: [],
  edits: [],
  pushes: [],
  losses: [],
  points: () => [],
  schedules: [],
  dues: 0,
  people: [],
  checkoutsByHand: [],
  prompt: new Set(['notify', 'report', 'keep']),
  afterKill: 'log',
  incidents: 2,
  disturbances: 2,
};
