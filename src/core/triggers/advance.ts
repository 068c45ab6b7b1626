import { isBeyond, resolveThreshold, type Threshold, type Trigger } from '../model/trigger.ts';
import { fromReadingValue, type Reading, type ReadingElement, type ReadingValue } from '../observed.ts';
import { isEmpty, mapValues } from '../record.ts';
import type { Millis } from '../units.ts';
import type { ElementMemory, TriggerMemory, TriggerState, Verdict } from './trigger-memory.ts';

/** An element that is in no result for so long ends, provided its sources are healthy (Prometheus' lookback). */
export const ELEMENT_LOOKBACK_MS: Millis = 300_000;

/** A gap between evaluations counts as at most so many intervals of breached or clear time. */
export const GAP_INTERVALS = 2;

/** More elements than these are not judged one by one; the ones most beyond the threshold are kept. */
export const ELEMENT_LIMIT = 500;

/**
 * One evaluation's effect on a trigger: inactive → pending → firing → inactive, and `unknown` where nothing is known.
 * An evaluation that is not newer than the last one changes nothing, so a clock running backwards is safe.
 */
export function advanceTrigger(trigger: Trigger, before: TriggerMemory | undefined, reading: Reading): TriggerMemory {
  const known = before?.digest === trigger.digest ? before : undefined;
  if (known !== undefined && reading.at <= known.at) return known;
  if (reading.result.kind === 'failed') return withFailure(trigger, known, reading, null, reading.result.message);
  const threshold = resolveThreshold(trigger.threshold, reading.baseline ?? null);
  // The value is kept all the same, for it is what the history of a baseline is made of.
  if (threshold === null) {
    const value = worstValue(orderingOf(trigger.threshold), reading.result.elements);
    return withFailure(trigger, known, reading, value, 'there is too little history for its baseline');
  }
  const judge = hasPlainThreshold(trigger) ? trigger : { ...trigger, threshold };
  return judgeReading(judge, known, reading, reading.result.elements);
}

/** Which of several values is the worst does not depend on the baseline. */
function orderingOf(threshold: Trigger['threshold']): Threshold {
  return threshold.kind === 'baseline' ? { kind: threshold.side, value: 0 } : threshold;
}

/** A trigger whose threshold is a number. */
type Judge = Trigger & { readonly threshold: Threshold };

function hasPlainThreshold(trigger: Trigger): trigger is Judge {
  return trigger.threshold.kind !== 'baseline';
}

function judgeReading(
  trigger: Judge,
  known: TriggerMemory | undefined,
  reading: Reading,
  seen: readonly ReadingElement[],
): TriggerMemory {
  const elements = advanceElements(trigger, knownElements(known, reading), reading, seen);
  const verdict = overallVerdict(trigger, seen);
  const state = overallState(elements, verdict);
  return {
    digest: trigger.digest,
    state,
    since: known?.state === state ? known.since : reading.at,
    at: reading.at,
    verdict,
    value: worstValue(trigger.threshold, seen),
    threshold: trigger.threshold,
    intervalMs: reading.intervalMs,
    covered: reading.covered,
    message: null,
    elements,
  };
}

function withFailure(
  trigger: Trigger,
  known: TriggerMemory | undefined,
  reading: Reading,
  value: ReadingValue | null,
  message: string,
): TriggerMemory {
  const elements = knownElements(known, { ...reading, healthy: false });
  const state = overallState(elements, 'failed');
  return {
    digest: trigger.digest,
    state,
    since: known?.state === state ? known.since : reading.at,
    at: reading.at,
    verdict: 'failed',
    value,
    threshold: known?.threshold ?? null,
    intervalMs: reading.intervalMs,
    covered: reading.covered,
    message,
    elements,
  };
}

/**
 * The lookback counts only time in which an element would have been seen: while its sources were down, or while nobody
 * looked, it was not missing. So `seenAt` moves along with that time.
 */
function knownElements(known: TriggerMemory | undefined, reading: Reading): Readonly<Record<string, ElementMemory>> {
  if (known === undefined) return {};
  const unseenMs = reading.at - known.at - (reading.healthy ? cappedGap(known.at, reading) : 0);
  if (unseenMs <= 0) return known.elements;
  return mapValues(known.elements, (element) => ({ ...element, seenAt: element.seenAt + unseenMs }));
}

/** The element that stands for a result without elements, where absence itself is to fire. */
const ABSENCE: ReadingElement = { labels: {}, value: 'NaN' };
const ABSENCE_KEY = 'absence';

function advanceElements(
  trigger: Judge,
  before: Readonly<Record<string, ElementMemory>>,
  reading: Reading,
  seen: readonly ReadingElement[],
): Readonly<Record<string, ElementMemory>> {
  const judged = seen.length > ELEMENT_LIMIT ? mostBeyond(trigger.threshold, seen) : seen;
  // Nearly always: nothing was wrong, and nothing is.
  if (isEmpty(before) && !judged.some((element) => judgeElement(trigger, element, reading) === 'breached')) {
    return absent(trigger, before, reading, seen);
  }
  const after: Record<string, ElementMemory> = {};
  const judgedKeys = new Set<string>();
  for (const element of judged) {
    const key = elementKey(element.labels);
    judgedKeys.add(key);
    const next = advanceElement(trigger, before[key], reading, element);
    if (next !== undefined) after[key] = next;
  }
  for (const [key, element] of Object.entries(before)) {
    if (key === ABSENCE_KEY || judgedKeys.has(key)) continue;
    const next = missingElement(trigger, element, reading, seen.length > 0);
    if (next !== undefined) after[key] = next;
  }
  if (!isEmpty(after)) return after;
  return absent(trigger, before, reading, seen);
}

/** Where nothing is remembered of any element: what the absence of all is, if that is to fire. */
function absent(
  trigger: Judge,
  before: Readonly<Record<string, ElementMemory>>,
  reading: Reading,
  seen: readonly ReadingElement[],
): Readonly<Record<string, ElementMemory>> {
  if (trigger.noData !== 'fire' || seen.length > 0) return NO_ELEMENTS;
  const next = advanceElement(trigger, before[ABSENCE_KEY], reading, ABSENCE);
  return next === undefined ? NO_ELEMENTS : { [ABSENCE_KEY]: next };
}

const NO_ELEMENTS: Readonly<Record<string, ElementMemory>> = {};

/** Undefined: nothing needs to be remembered of an element that is inactive. */
function advanceElement(
  trigger: Judge,
  before: ElementMemory | undefined,
  reading: Reading,
  element: ReadingElement,
): ElementMemory | undefined {
  const judgement = judgeElement(trigger, element, reading);
  const memory: ElementMemory = {
    ...(before ?? newElement(element, reading.at)),
    value: element.value,
    seenAt: reading.at,
  };
  return step(trigger, memory, judgement, reading);
}

function missingElement(
  trigger: Judge,
  element: ElementMemory,
  reading: Reading,
  othersSeen: boolean,
): ElementMemory | undefined {
  const gone = reading.healthy && reading.at - element.seenAt > ELEMENT_LOOKBACK_MS;
  if (gone && (othersSeen || trigger.noData !== 'fire')) return undefined;
  return step(trigger, element, applyNoData(trigger, 'noData', reading), reading);
}

type Judgement = 'breached' | 'between' | 'clear' | 'nothing';

function judgeElement(trigger: Judge, element: ReadingElement, reading: Reading): Judgement {
  return applyNoData(trigger, judge(trigger, fromReadingValue(element.value)), reading);
}

function judge(trigger: Judge, value: number): Exclude<Verdict, 'failed'> {
  if (Number.isNaN(value)) return 'nan';
  if (isBeyond(trigger.threshold, value)) return 'breached';
  if (trigger.clear === undefined) return 'clear';
  return isBeyond(trigger.clear.threshold, value) ? 'clear' : 'between';
}

function applyNoData(
  trigger: Judge,
  verdict: Exclude<Verdict, 'failed'>,
  reading: Pick<Reading, 'covered'>,
): Judgement {
  if (verdict !== 'noData' && verdict !== 'nan') return verdict;
  switch (trigger.noData) {
    case 'hold':
      return 'nothing';
    // Before the window is covered data may only not be there yet: no action on that absence.
    case 'fire':
      return reading.covered ? 'breached' : 'nothing';
    case 'clear':
      return 'clear';
  }
}

function step(
  trigger: Judge,
  element: ElementMemory,
  judgement: Judgement,
  reading: Reading,
): ElementMemory | undefined {
  // Before the query's window is covered a good value may only mean that the bad samples are not there yet.
  const effective = judgement === 'clear' && !reading.covered ? 'nothing' : judgement;
  switch (element.state) {
    case 'inactive':
      return effective === 'breached' ? pendingOrFiring(trigger, element, reading) : undefined;
    case 'pending':
      if (effective === 'breached') return pendingOrFiring(trigger, element, reading);
      return effective === 'nothing' ? element : undefined;
    case 'firing':
      return firingElement(trigger, element, effective, reading);
  }
}

function pendingOrFiring(trigger: Judge, element: ElementMemory, reading: Reading): ElementMemory {
  const fresh = element.state === 'inactive';
  const accumulatedMs = fresh ? 0 : element.accumulatedMs + cappedGap(element.accumulatedAt, reading);
  const fires = accumulatedMs >= trigger.forMs;
  return {
    ...element,
    state: fires ? 'firing' : 'pending',
    since: fires || fresh ? reading.at : element.since,
    breachedSince: fresh ? reading.at : element.breachedSince,
    accumulatedMs: fires ? 0 : accumulatedMs,
    accumulatedAt: fires ? null : reading.at,
  };
}

function firingElement(
  trigger: Judge,
  element: ElementMemory,
  judgement: Judgement,
  reading: Reading,
): ElementMemory | undefined {
  switch (judgement) {
    case 'nothing':
      return element;
    case 'breached':
    case 'between':
      return { ...element, accumulatedMs: 0, accumulatedAt: null };
    case 'clear': {
      const accumulatedMs = element.accumulatedMs + cappedGap(element.accumulatedAt, reading);
      if (accumulatedMs >= (trigger.clear?.forMs ?? 0)) return undefined;
      return { ...element, accumulatedMs, accumulatedAt: reading.at };
    }
  }
}

/** The time between two evaluations that count, of which at most two intervals do. */
function cappedGap(previousAt: Millis | null, reading: Reading): Millis {
  if (previousAt === null) return 0;
  return Math.max(0, Math.min(reading.at - previousAt, GAP_INTERVALS * reading.intervalMs));
}

function newElement(element: ReadingElement, at: Millis): ElementMemory {
  return {
    labels: element.labels,
    state: 'inactive',
    since: at,
    accumulatedMs: 0,
    accumulatedAt: null,
    breachedSince: at,
    value: element.value,
    seenAt: at,
  };
}

/** The gravest of what the elements say. */
function overallVerdict(trigger: Judge, elements: readonly ReadingElement[]): Verdict {
  let gravest: Verdict = 'noData';
  for (const element of elements) {
    const verdict = judge(trigger, fromReadingValue(element.value));
    if (GRAVITY[verdict] > GRAVITY[gravest]) gravest = verdict;
  }
  // Where absence means that all is well, it is as good as a clear value, also for a verification.
  return trigger.noData === 'clear' && GRAVITY[gravest] < GRAVITY.clear ? 'clear' : gravest;
}

const GRAVITY = { failed: 0, noData: 0, nan: 1, clear: 2, between: 3, breached: 4 } as const satisfies Record<
  Verdict,
  number
>;

function overallState(elements: Readonly<Record<string, ElementMemory>>, verdict: Verdict): TriggerState {
  const graver = isEmpty(elements) ? undefined : gravestState(elements);
  if (graver !== undefined) return graver;
  return verdict === 'noData' || verdict === 'nan' || verdict === 'failed' ? 'unknown' : 'inactive';
}

function gravestState(elements: Readonly<Record<string, ElementMemory>>): 'firing' | 'pending' | undefined {
  let pending = false;
  for (const { state } of Object.values(elements)) {
    if (state === 'firing') return 'firing';
    pending ||= state === 'pending';
  }
  return pending ? 'pending' : undefined;
}

function mostBeyond(threshold: Threshold, elements: readonly ReadingElement[]): readonly ReadingElement[] {
  return [...elements].sort((a, b) => excess(threshold, b.value) - excess(threshold, a.value)).slice(0, ELEMENT_LIMIT);
}

function worstValue(threshold: Threshold, elements: readonly ReadingElement[]): ReadingValue | null {
  let worst: ReadingElement | undefined;
  for (const element of elements) {
    if (worst === undefined || excess(threshold, element.value) > excess(threshold, worst.value)) worst = element;
  }
  return worst?.value ?? null;
}

/** How far beyond the threshold, negative on the good side; NaN is least. */
function excess(threshold: Threshold, reading: ReadingValue): number {
  const value = fromReadingValue(reading);
  if (Number.isNaN(value)) return Number.NEGATIVE_INFINITY;
  switch (threshold.kind) {
    case 'above':
      return value - threshold.value;
    case 'below':
      return threshold.value - value;
    case 'outside':
      return Math.max(threshold.low - value, value - threshold.high);
  }
}

/** Queries hand out the same label objects at every evaluation. */
const knownKeys = new WeakMap<object, string>();

/** Labels in a canonical order, as text. */
export function elementKey(labels: Readonly<Record<string, string>>): string {
  const known = knownKeys.get(labels);
  if (known !== undefined) return known;
  const key = JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
  knownKeys.set(labels, key);
  return key;
}
