import { type Memory, OWN_SAMPLER } from '../../../src/core/memory.ts';
import { ELEMENT_LOOKBACK_MS, GAP_INTERVALS } from '../../../src/core/triggers/advance.ts';
import { RECORD_EVERY_MS } from '../../../src/core/triggers/advance-triggers.ts';
import type { ElementMemory, TriggerMemory } from '../../../src/core/triggers/trigger-memory.ts';
import { STALE_INTERVALS } from '../../../src/core/triggers/trigger-view.ts';
import { TICK_MS } from '../model/small-world.ts';
import type { TriggerWitness } from '../model/trigger-witness.ts';
import { triggerKeysOf, triggersOf } from '../model/world-facts.ts';
import { age, elapsed, type Scope } from './scope.ts';

/** An evaluation older than this is stale, and its gap counts in full. */
const STALE_MS = (STALE_INTERVALS + 1) * TICK_MS;
const GAP_MS = GAP_INTERVALS * TICK_MS;

export function triggersForm(scope: Scope, triggers: Memory['triggers']): string {
  let form = '';
  for (const key of triggerKeysOf(scope.world)) form += triggerForm(scope, triggers[key], true);
  return form;
}

/** As a new life would find them: from before its start, so that only what adds up counts. */
export function loggedForm(scope: Scope, logged: Memory['triggers']): string {
  if (scope.world.afterKill === 'copy') return '';
  let form = '';
  for (const key of triggerKeysOf(scope.world)) form += triggerForm(scope, logged[key], false);
  return form;
}

/** Notes for people are left out: when a state began, what the value was, since when it was breached. */
function triggerForm(scope: Scope, trigger: TriggerMemory | undefined, mayBeFresh: boolean): string {
  if (trigger === undefined) return '-';
  const { digest, state, at, verdict, covered, elements } = trigger;
  const isFresh = mayBeFresh && at >= (scope.state.memory.startedAt ?? 0) && scope.now - at < STALE_MS;
  const seen = isFresh ? `${verdict}${covered ? 'c' : ''}${scope.now - at}` : '';
  let form = `[${digest}${state[0]}${seen}`;
  for (const key in elements) {
    const element = elements[key];
    if (element !== undefined) form += elementForm(scope, element, key, at);
  }
  return `${form}${at > scope.now ? at - scope.now : ''}]`;
}

function elementForm(scope: Scope, element: ElementMemory, key: string, at: number): string {
  const { state, accumulatedMs, accumulatedAt, seenAt } = element;
  const unseen = Math.min(ELEMENT_LOOKBACK_MS + 1, at - seenAt);
  const gap = `${age(scope, at, GAP_MS)}${isSuspect(scope, element) ? 's' : ''}`;
  if (accumulatedAt === null) return `(${key}${state[0]}${unseen},${gap})`;
  const isUnrecorded = accumulatedAt > scope.state.memory.triggersRecordedAt ? 'u' : '';
  return `(${key}${state[0]}${unseen},${gap},${accumulatedMs},${age(scope, accumulatedAt, GAP_MS)}${isUnrecorded})`;
}

/** Whether a record is due; and, as a clock that is set back brings the last record to the present, whether it was that. */
export function recordedForm({ world, state, now }: Scope, triggersRecordedAt: number): string {
  const isLast = world.moves.has('killAndSetBack') && triggersRecordedAt === state.recordedAt;
  return `${now - triggersRecordedAt < RECORD_EVERY_MS ? 'r' : ''}${isLast ? 'l' : ''}`;
}

/** How long a sampler is under suspicion after its own trouble. */
const SUSPICION_MS = 4 * TICK_MS;
/** Of fewer triggers nobody can say that most of them breach. */
const LEAST_TRIGGERS = 3;

export function troublesForm(scope: Scope, troubles: Memory['troubles']): string {
  if (triggersOf(scope.world).length < LEAST_TRIGGERS) return '';
  return Object.entries(troubles)
    .map(([sampler, at]) => `${sampler}${age(scope, at, SUSPICION_MS)}`)
    .join();
}

/** Whether an element began to breach since its sampler was in trouble. */
function isSuspect({ state, world }: Scope, { breachedSince }: ElementMemory): boolean {
  const troubledAt = state.memory.troubles[OWN_SAMPLER];
  return troubledAt !== undefined && triggersOf(world).length >= LEAST_TRIGGERS && breachedSince >= troubledAt;
}

export function witnessedForm(scope: Scope, triggers: Readonly<Record<string, TriggerWitness>>): string {
  const { state } = scope;
  let form = '';
  for (const key in triggers) {
    const seen = triggers[key];
    if (seen === undefined) continue;
    const { last, atMs, covered, breachedMs, clearMs, addedMs, fires } = seen;
    const isFresh = atMs >= state.host.startedMs ? '+' : '';
    const added = addedMs === null ? '' : elapsed(scope, addedMs, GAP_MS);
    form += `[${last}${elapsed(scope, atMs, STALE_MS)}${isFresh}${covered ? 'c' : ''}${breachedMs},${clearMs},${added}${fires ? '!' : ''}]`;
  }
  return form;
}
