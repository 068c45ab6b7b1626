import type { Desired } from '../../../src/core/model/desired.ts';
import type { Flag } from '../../../src/core/model/flag.ts';
import type { Notifier } from '../../../src/core/model/notifier.ts';
import type { RollbackPolicy, Rung, Verify } from '../../../src/core/model/policy.ts';
import type { Step } from '../../../src/core/model/step.ts';
import type { Trigger } from '../../../src/core/model/trigger.ts';
import { aDesired, aFlag, aPolicy, aRun, aRung, aTrigger, aVerify, ORIGIN } from '../../support/policies.ts';
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
  notifiers: readonly Notifier[] = [],
): Desired {
  const byName = <T extends { readonly name: string }>(list: readonly T[]): Record<string, T> =>
    Object.fromEntries(list.map((one) => [one.name, one]));
  return aDesired({ revision, flags: byName(flags), policies: byName(policies), notifiers: byName(notifiers) });
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
  coverMs: 0,
  moves: new Set(['answer']),
  outcomes: [],
  overrides: [],
  edits: [],
  prompt: new Set(['notify', 'report']),
  afterKill: 'log',
  incidents: 2,
  disturbances: 2,
};
