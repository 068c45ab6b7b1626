import type { Event } from '../core/event.ts';
import type { JsonValue } from '../core/model/step.ts';
import { describeEvent } from '../core/report/describe-event.ts';
import { formatDuration, type Millis } from '../core/units.ts';
import type { Difference } from './judge.ts';
import type { Failure, TestResult } from './run-test.ts';

/** What happened, as an instant from the start of the test and a sentence. */
export type Happening = { readonly at: Millis; readonly text: string };

/** Of a failure's time line no more than its end is shown. */
const MOST_HAPPENINGS = 25;
/** Where nothing happened since the last expectation, what led there is shown. */
const LEAST_HAPPENINGS = 5;

/** What happened since the expectation before, and a little of what led there; the newest last. */
export function timeLine({ log }: TestResult, { since, until }: Failure): readonly Happening[] {
  const all = log.slice(0, until);
  const startAt = log[0]?.at ?? 0;
  const described = all.flatMap((event, index) => describe(event, index, startAt));
  const fresh = described.filter(({ index }) => index >= since).length;
  const shown = Math.min(MOST_HAPPENINGS, Math.max(LEAST_HAPPENINGS, fresh));
  return described.slice(-shown).map(({ at, text }) => ({ at, text }));
}

function describe(event: Event, index: number, startAt: Millis): (Happening & { readonly index: number })[] {
  const text = describeEvent(event);
  return text === null ? [] : [{ at: event.at - startAt, text, index }];
}

/** `triggers.shop/p95: expected "firing", got "pending"`. */
export function formatDifference({ path, expected, got }: Difference): string {
  return `${formatPath(path)}: expected ${formatValue(expected)}, got ${formatValue(got)}`;
}

export function formatPath(path: Difference['path']): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${part}`))
    .join('');
}

function formatValue(value: JsonValue | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

/** A failure in several lines: where, what, and what had happened. */
export function explainFailure(result: TestResult, failure: Failure): readonly string[] {
  const { origin, at, message, differences } = failure;
  const lines = timeLine(result, failure).map((one) => `  ${formatDuration(one.at).padStart(9)}  ${one.text}`);
  return [
    `${origin.file}:${origin.line}:${origin.column} at ${formatDuration(at)}: ${message}`,
    ...differences.map((difference) => `  ${formatDifference(difference)}`),
    ...(lines.length === 0 ? [] : ['  what happened:', ...lines]),
  ];
}
