import { triggersInForce } from '../effective-policies.ts';
import type { Memory } from '../memory.ts';
import type { TriggerKey } from '../model/trigger.ts';
import type { Reading } from '../observed.ts';
import { isEmpty } from '../record.ts';
import type { TriggerChange, Turn } from '../turn.ts';
import type { Millis } from '../units.ts';
import { advanceTrigger } from './advance.ts';
import type { TriggerMemory } from './trigger-memory.ts';

/** Accumulated times are written down so often while they move, and only then; a crash loses no more of them than this. */
export const RECORD_EVERY_MS: Millis = 10_000;

/** Feeds the readings to their triggers; each change of state is an event. */
export function advanceTriggers(turn: Turn): void {
  const triggers = triggersInForce(turn.desired, turn.memory);
  const moved = new Map<TriggerKey, TriggerMemory>();
  const changes: TriggerChange[] = [];
  const recovered = new Set<string>();
  for (const reading of [...turn.observed.readings].sort((a, b) => a.at - b.at)) {
    const key = reading.trigger;
    const trigger = triggers.get(key);
    // A reading that was under way while the clock was set back would make every later one look old.
    if (trigger === undefined || reading.at > turn.now) continue;
    const before = moved.get(key) ?? turn.memory.triggers[key];
    const after = advanceTrigger(trigger, before, reading);
    if (trigger.source !== undefined && isRecovery(before, reading)) recovered.add(trigger.source);
    if (after === before) continue;
    moved.set(key, after);
    const change = changeOf(key, before, after);
    if (change !== null) changes.push(change);
  }
  if (moved.size > 0) {
    turn.replaceTriggers(replaced(turn.memory.triggers, moved), changes);
  }
  for (const sampler of recovered) {
    turn.emit({ type: 'sampling.troubled', sampler, reason: 'its server could not answer, and now does' });
  }
  recordMoving(turn);
}

/**
 * Entry by entry, into what is a dictionary from the start: a spread, or an object that grows by so many keys, takes twenty times
 * as long, and a MiB.
 */
function replaced(before: Memory['triggers'], moved: ReadonlyMap<TriggerKey, TriggerMemory>): Memory['triggers'] {
  const after: Record<TriggerKey, TriggerMemory> = Object.create(null);
  for (const key of Object.keys(before)) {
    const memory = moved.get(key) ?? before[key];
    if (memory !== undefined) after[key] = memory;
  }
  for (const [key, memory] of moved) after[key] = memory;
  return after;
}

/** A query that failed is answered again: what a server shows just after may be the trace of its own trouble. */
function isRecovery(before: TriggerMemory | undefined, { result }: Reading): boolean {
  return before?.verdict === 'failed' && before.value === null && result.kind !== 'failed';
}

/** A change of state is an event; null for what merely moved. */
function changeOf(key: TriggerKey, before: TriggerMemory | undefined, after: TriggerMemory): TriggerChange | null {
  const from = before?.digest === after.digest ? before.state : 'unknown';
  if (from === after.state && before?.digest === after.digest) return null;
  return { type: 'trigger.changed', trigger: key, from, to: after.state, memory: after };
}

function recordMoving(turn: Turn): void {
  if (turn.now - turn.memory.triggersRecordedAt < RECORD_EVERY_MS) return;
  const { triggers, triggersRecordedAt } = turn.memory;
  const moving: [TriggerKey, TriggerMemory][] = [];
  for (const key of Object.keys(triggers)) {
    const trigger = triggers[key];
    if (trigger !== undefined && hasMoved(trigger, triggersRecordedAt)) moving.push([key, trigger]);
  }
  if (moving.length > 0) turn.emit({ type: 'triggers.recorded', triggers: Object.fromEntries(moving) });
}

function hasMoved({ elements }: TriggerMemory, since: Millis): boolean {
  if (isEmpty(elements)) return false;
  return Object.values(elements).some(({ accumulatedAt }) => accumulatedAt !== null && accumulatedAt > since);
}

/** What git no longer has, and no open incident keeps, leaves memory. */
export function forgetTriggers(turn: Turn): void {
  const triggers = triggersInForce(turn.desired, turn.memory);
  const gone: TriggerKey[] = [];
  for (const key of Object.keys(turn.memory.triggers)) if (!triggers.has(key)) gone.push(key);
  if (gone.length > 0) turn.emit({ type: 'triggers.forgotten', triggers: gone });
}
