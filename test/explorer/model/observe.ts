import type { DocumentSight, Observed, Reading, ReadingValue, TargetSight } from '../../../src/core/observed.ts';
import { LOSS_KEY, type ReadingKind, type SmallWorld, TICK_MS, type Weather } from './small-world.ts';
import type { Host } from './state.ts';
import { watchTrigger } from './trigger-witness.ts';
import type { Witness } from './witness.ts';
import { entriesOf, triggerKeysOf, triggersOf, watchKey } from './world-facts.ts';

const VALUES: Readonly<Record<Exclude<ReadingKind, 'empty' | 'down' | 'failed' | 'silent'>, ReadingValue>> = {
  breached: 0.9,
  between: 0.3,
  clear: 0.1,
  nan: 'NaN',
};

/** Queries hand out the same labels at every evaluation. */
const NO_LABELS = {};

/** One evaluation of every trigger, as the weather has it. */
export function readingsOf(world: SmallWorld, host: Host): Reading[] {
  return triggerKeysOf(world).flatMap((trigger) => {
    const kind = kindOf(world, host, trigger);
    if (kind === 'silent') return [];
    const reading = { trigger, at: host.now, intervalMs: TICK_MS, covered: isCovered(world, host) };
    return [{ ...reading, healthy: kind !== 'down', result: resultOf(kind) }];
  });
}

function resultOf(kind: Exclude<ReadingKind, 'silent'>): Reading['result'] {
  switch (kind) {
    case 'failed':
      return { kind: 'failed', message: 'no such thing' };
    case 'empty':
    case 'down':
      return { kind: 'elements', elements: [] };
    default:
      return { kind: 'elements', elements: [{ labels: NO_LABELS, value: VALUES[kind] }] };
  }
}

/** The same, for the witness. */
export function watchReadings(world: SmallWorld, host: Host, witness: Witness): Witness {
  const triggers = { ...witness.triggers };
  for (const { key, trigger } of triggersOf(world)) {
    const kind = kindOf(world, host, key);
    if (kind === 'silent') continue;
    const seen = { kind, covered: isCovered(world, host), elapsedMs: host.elapsedMs };
    triggers[watchKey(key, trigger)] = watchTrigger(trigger, triggers[watchKey(key, trigger)], seen);
  }
  return { ...witness, triggers };
}

function kindOf(world: SmallWorld, host: Host, trigger: string): ReadingKind {
  return weatherOf(world, host.weather).readings[trigger] ?? 'clear';
}

export function weatherOf(world: SmallWorld, index: number): Weather {
  const weather = world.weathers[index];
  if (weather === undefined) throw new RangeError(`world ${world.name} has no weather ${index}`);
  return weather;
}

function isCovered(world: SmallWorld, host: Host): boolean {
  return host.elapsedMs - host.startedMs > world.coverMs;
}

export function sightsOf(world: SmallWorld, host: Host): Observed['documents'] {
  const sights: Record<string, DocumentSight> = {};
  for (const [document, entries] of Object.entries(entriesOf(world))) {
    sights[document] = host.hidden
      ? { kind: 'unreadable', at: host.now, code: 'io', message: 'cannot be read' }
      : { kind: 'read', at: host.now, exists: true, digest: '', entries, values: host.files[document] ?? {} };
  }
  return sights;
}

export function targetSightsOf({ checkouts, hidden, now }: Host): Observed['targets'] {
  const sights: Record<string, TargetSight> = {};
  for (const [target, { head, tip }] of Object.entries(checkouts)) {
    const newest = tip === null ? null : { commit: tip, tree: tip, subject: `make ${tip}` };
    sights[target] = hidden
      ? { kind: 'unreadable', at: now, code: 'io', message: 'cannot be read' }
      : { kind: 'git', at: now, head: { commit: head, tree: head }, isDirty: false, tip: newest, tipFault: null };
  }
  return sights;
}

/** Nobody knows when a schedule comes next. */
export function dueTimesOf({ schedules }: SmallWorld, { due }: Host): NonNullable<Observed['schedules']> {
  return Object.fromEntries(schedules.map((key) => [key, { last: due[key] ?? null, next: null }]));
}

/** Whatever is measured, it is so much. */
export function measuresOf({ losses }: SmallWorld, { loss, now }: Host): NonNullable<Observed['measures']> {
  const value = losses[loss];
  return value === undefined ? {} : { [LOSS_KEY]: { key: LOSS_KEY, at: now, value, detail: 'counted' } };
}
