import { describe, expect, test } from 'vitest';
import { aTrigger } from '../../../test/support/policies.ts';
import type { Trigger } from '../model/trigger.ts';
import type { Reading, ReadingElement, ReadingValue } from '../observed.ts';
import { advanceTrigger, ELEMENT_LOOKBACK_MS } from './advance.ts';
import type { TriggerMemory } from './trigger-memory.ts';

const INTERVAL = 5_000;

function reading(seconds: number, value: ReadingValue | '_' | '!', change: Partial<Reading> = {}): Reading {
  return {
    trigger: 'guard/latency',
    at: seconds * 1000,
    intervalMs: INTERVAL,
    covered: true,
    healthy: true,
    result:
      value === '!'
        ? { kind: 'failed', message: 'no' }
        : { kind: 'elements', elements: value === '_' ? [] : [{ labels: {}, value }] },
    ...change,
  };
}

/**
 * Walks a trigger along `VALUE>STATE …`, five seconds apart or at `@SECONDS:`, and answers the same text with the
 * states that it really had. `_` is no data, `!` a query that failed.
 */
function follow(trigger: Trigger, text: string, change: Partial<Reading> = {}): string {
  let memory: TriggerMemory | undefined;
  let seconds = -5;
  return text
    .split(' ')
    .map((token) => {
      const [, at, value = ''] = /^(?:@(\d+):)?(.+)>\w+$/.exec(token) ?? [];
      seconds = at === undefined ? seconds + 5 : Number(at);
      memory = advanceTrigger(trigger, memory, reading(seconds, parse(value), change));
      return `${at === undefined ? '' : `@${at}:`}${value}>${memory.state}`;
    })
    .join(' ');
}

function parse(value: string): ReadingValue | '_' | '!' {
  if (value === '_' || value === '!' || value === 'NaN' || value === '+Inf' || value === '-Inf') return value;
  return Number(value);
}

const trigger = aTrigger({ forMs: 10_000 });

test.each<[string, Trigger, string]>([
  ['fires when breached time reaches `for`', trigger, '0.1>inactive 0.9>pending 0.9>pending 0.9>firing 0.1>inactive'],
  ['without `for` fires at once', aTrigger({ forMs: 0 }), '0.9>firing 0.5>inactive'],
  ['a clear value resets `for`', trigger, '0.9>pending 0.9>pending 0.1>inactive 0.9>pending 0.9>pending 0.9>firing'],
  ['one missing evaluation neither resets nor shortens', trigger, '0.9>pending _>pending 0.9>firing'],
  ['a failed query neither resets nor adds', trigger, '0.9>pending !>pending !>pending !>pending 0.9>firing'],
  [
    'a long gap counts as two intervals at most',
    aTrigger({ forMs: 30_000 }),
    '0.9>pending @1000:0.9>pending 0.9>pending 0.9>pending 0.9>pending 0.9>firing',
  ],
  ['NaN holds', trigger, '0.9>pending 0.9>pending NaN>pending 0.9>firing NaN>firing'],
  ['no data alone is unknown', trigger, '_>unknown NaN>unknown !>unknown'],
  [
    'no data does not resolve before the lookback is over',
    trigger,
    `0.9>pending 0.9>pending 0.9>firing ${'_>firing '.repeat(60)}_>unknown`,
  ],
  ['an older evaluation changes nothing', trigger, '@10:0.1>inactive @5:0.9>inactive 0.9>inactive'],
  ['infinity is beyond', aTrigger({ forMs: 0 }), '+Inf>firing -Inf>inactive'],
  ['below', aTrigger({ forMs: 0, threshold: { kind: 'below', value: 1 } }), '0>firing 1>inactive'],
  [
    'outside',
    aTrigger({ forMs: 0, threshold: { kind: 'outside', low: 1, high: 2 } }),
    '0.5>firing 1.5>inactive 2.5>firing',
  ],
  ['noData: fire starts it', aTrigger({ noData: 'fire' }), '_>pending _>pending _>firing 0.1>inactive'],
  ['noData: clear ends it', aTrigger({ forMs: 0, noData: 'clear' }), '0.9>firing _>inactive NaN>inactive'],
  ['noData never acts on a query that failed', aTrigger({ forMs: 0, noData: 'fire' }), '!>unknown !>unknown'],
])('%s', (_what, one, walk) => {
  expect(follow(one, walk)).toBe(walk);
});

describe('hysteresis', () => {
  const wide = aTrigger({ forMs: 10_000, clear: { threshold: { kind: 'below', value: 0.1 }, forMs: 10_000 } });

  test.each<[string, string]>([
    ['between resets a pending trigger', '0.9>pending 0.3>inactive'],
    ['between keeps a firing trigger', '0.9>pending 0.9>pending 0.9>firing 0.3>firing @500:0.3>firing'],
    ['clear must last its own `for`', '0.9>pending 0.9>pending 0.9>firing 0.01>firing 0.01>firing 0.01>inactive'],
    [
      'between interrupts clearing',
      '0.9>pending 0.9>pending 0.9>firing 0.01>firing 0.3>firing 0.01>firing 0.01>firing 0.01>inactive',
    ],
  ])('%s', (_what, walk) => {
    expect(follow(wide, walk)).toBe(walk);
  });
});

test('nothing clears before the window is covered, but it may fire', () => {
  const uncovered = { covered: false };
  const walk = '0.9>pending 0.1>pending 0.9>firing 0.1>firing';
  expect(follow(trigger, walk, uncovered)).toBe(walk);
});

test('elements are judged one by one', () => {
  const element = (pod: string, value: number): ReadingElement => ({ labels: { pod }, value });
  const with_ = (seconds: number, elements: ReadingElement[], change: Partial<Reading> = {}): Reading =>
    reading(seconds, '_', { result: { kind: 'elements', elements }, ...change });
  let memory = advanceTrigger(trigger, undefined, with_(0, [element('a', 0.9), element('b', 0.1)]));
  memory = advanceTrigger(trigger, memory, with_(5, [element('a', 0.1), element('b', 0.9)]));
  memory = advanceTrigger(trigger, memory, with_(10, [element('a', 0.9), element('b', 0.1)]));
  expect(memory.state).toBe('pending');

  // A vanished element holds until the lookback is over, and longer while its source is not healthy.
  const late = 10 + ELEMENT_LOOKBACK_MS / 1000 + 5;
  const other = [element('b', 0.1)];
  for (let seconds = 15; seconds < late; seconds += 5) {
    memory = advanceTrigger(trigger, memory, with_(seconds, other));
    expect(memory.state).toBe('pending');
  }
  expect(advanceTrigger(trigger, memory, with_(late, other, { healthy: false })).state).toBe('pending');
  expect(advanceTrigger(trigger, memory, with_(late, other)).state).toBe('inactive');
});

test('a trigger whose meaning changed starts anew', () => {
  const firing = advanceTrigger(aTrigger({ forMs: 0 }), undefined, reading(0, 0.9));
  expect(advanceTrigger(aTrigger({ digest: 'other' }), firing, reading(5, 0.9)).state).toBe('pending');
});

test('the value told is the one that is most beyond', () => {
  const elements = [0.2, 0.9, 0.4].map((value, index) => ({ labels: { index: String(index) }, value }));
  const memory = advanceTrigger(trigger, undefined, reading(0, '_', { result: { kind: 'elements', elements } }));
  expect(memory.value).toBe(0.9);
});

describe('a threshold over a baseline', () => {
  const doubled = aTrigger({ forMs: 0, threshold: { kind: 'baseline', side: 'above', factor: 2, overMs: 86_400_000 } });

  test('is so many times what the trigger usually reads', () => {
    expect(follow(doubled, '0.2>inactive 0.25>firing 0.2>inactive', { baseline: 0.1 })).toBe(
      '0.2>inactive 0.25>firing 0.2>inactive',
    );
    expect(advanceTrigger(doubled, undefined, reading(0, 0.25, { baseline: 0.1 })).threshold).toEqual({
      kind: 'above',
      value: 0.2,
    });
  });

  test('begins with what it reads while it has no baseline yet', () => {
    const memory = advanceTrigger(doubled, undefined, reading(0, 0.25, { baseline: null }));
    expect(memory).toMatchObject({ state: 'unknown', verdict: 'failed', value: 0.25, threshold: null });
  });

  test('is unknown while there is too little history, whatever `noData` says', () => {
    expect(follow({ ...doubled, noData: 'fire' }, '9>unknown 9>unknown', { baseline: null })).toBe(
      '9>unknown 9>unknown',
    );
  });
});

test('absence fires only once the window is covered, for before it nothing may have arrived yet', () => {
  const absence = aTrigger({ noData: 'fire', forMs: 0 });
  expect(follow(absence, '_>unknown NaN>unknown', { covered: false })).toBe('_>unknown NaN>unknown');
  expect(follow(absence, '_>firing')).toBe('_>firing');
});

test.each<[string, Partial<Reading>]>([
  ['while its sources were down', { healthy: false }],
  ['while its query failed', { result: { kind: 'failed', message: 'no' } }],
])('an element does not end for having been missing %s', (_when, change) => {
  const instant = aTrigger({ forMs: 0 });
  let memory = advanceTrigger(instant, undefined, reading(0, 0.9));
  for (let seconds = 5; seconds < 600; seconds += 5)
    memory = advanceTrigger(instant, memory, reading(seconds, '_', change));
  expect(advanceTrigger(instant, memory, reading(600, '_')).state).toBe('firing');
});

test('an element does not end for a time in which nobody looked', () => {
  const instant = aTrigger({ forMs: 0 });
  const memory = advanceTrigger(instant, undefined, reading(0, 0.9));
  expect(advanceTrigger(instant, memory, reading(3_600, '_')).state).toBe('firing');
});
