import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReadingValue } from '../core/observed.ts';
import type { TriggerState } from '../core/triggers/trigger-memory.ts';
import { Database } from './database.ts';
import { History } from './history.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = 1_700_000_000_000 - (1_700_000_000_000 % DAY);

let folder: string;
let database: Database;
let history: History;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'revertd-history-'));
  database = new Database(folder, false);
  history = new History(database);
});

afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

function record(
  from: number,
  everyMs: number,
  values: readonly (ReadingValue | null)[],
  state: TriggerState = 'inactive',
): void {
  for (const [index, value] of values.entries())
    history.note({ trigger: 'a/b', at: from + index * everyMs, value, state });
  history.flush();
}

function compactAll(now: number, limits = { keepMs: 30 * DAY, mostRows: 1_000_000 }): void {
  while (history.compact(now, limits) > 0) {
    // Each call does one batch.
  }
}

test('readings come back as they were taken', () => {
  record(START, 5_000, [0.1, 'NaN', '+Inf', null, 2], 'pending');
  expect(history.readings('a/b', START, START + HOUR).map(({ value }) => value)).toEqual([0.1, 'NaN', '+Inf', null, 2]);
  expect(history.points('a/b', START, START + HOUR)[0]).toEqual({
    at: START,
    low: 0.1,
    high: 0.1,
    mean: 0.1,
    readings: 1,
    state: 'pending',
  });
  expect(history.points('a/b', START, START + HOUR)[1]).toMatchObject({ low: null, readings: 0 });
});

test('after two hours they are minutes, after three days ten of them, and lose neither extremes nor counts', () => {
  const values = Array.from({ length: 240 }, (_, index) => index);
  record(START, 5_000, values);
  record(START + 600_000, 5_000, [1_000], 'firing');
  compactAll(START + 3 * HOUR);
  const minutes = history.points('a/b', START, START + HOUR);
  expect(minutes).toHaveLength(20);
  expect(minutes[0]).toEqual({ at: START, low: 0, high: 11, mean: 5.5, readings: 12, state: 'inactive' });
  expect(minutes[10]).toMatchObject({ high: 1_000, state: 'firing' });

  compactAll(START + 4 * DAY);
  const tens = history.points('a/b', START, START + HOUR);
  expect(tens).toHaveLength(2);
  expect(tens.reduce((sum, point) => sum + point.readings, 0)).toBe(240);
  expect(tens[0]).toMatchObject({ low: 0, high: 119 });
});

test('what is too old goes, and of too many rows the oldest', () => {
  record(
    START,
    DAY,
    Array.from({ length: 40 }, () => 1),
  );
  compactAll(START + 40 * DAY);
  expect(history.points('a/b', 0, START + 100 * DAY)).toHaveLength(30);
  compactAll(START + 40 * DAY, { keepMs: 365 * DAY, mostRows: 10 });
  const left = history.points('a/b', 0, START + 100 * DAY);
  expect(left).toHaveLength(10);
  expect(left.at(-1)?.at).toBe(START + 39 * DAY);
});

test('compaction in batches loses nothing where a batch ends within a bucket', () => {
  record(
    START,
    100,
    Array.from({ length: 12_345 }, () => 1),
  );
  compactAll(START + 3 * HOUR);
  const points = history.points('a/b', START, START + HOUR);
  expect(points.reduce((sum, point) => sum + point.readings, 0)).toBe(12_345);
});

describe('a baseline', () => {
  test('is the median of what was read while nothing was wrong', () => {
    record(START, 60_000, [...Array.from({ length: 30 }, () => 1), ...Array.from({ length: 31 }, () => 3)]);
    record(
      START + 2 * HOUR,
      60_000,
      Array.from({ length: 100 }, () => 99),
      'firing',
    );
    expect(history.baseline('a/b', 4 * HOUR, START + 4 * HOUR)).toBe(3);
  });

  test('needs twenty readings over a quarter of its time', () => {
    record(
      START,
      60_000,
      Array.from({ length: 19 }, () => 1),
    );
    expect(history.baseline('a/b', HOUR, START + HOUR)).toBeNull();
    record(START + 19 * 60_000, 60_000, [1]);
    expect(history.baseline('a/b', HOUR, START + HOUR)).toBe(1);
    expect(history.baseline('a/b', 8 * HOUR, START + HOUR)).toBeNull();
  });

  test('counts what was read before there was one, when the trigger was unknown', () => {
    record(
      START,
      60_000,
      Array.from({ length: 30 }, () => 2),
      'unknown',
    );
    expect(history.baseline('a/b', HOUR, START + HOUR)).toBe(2);
  });

  test('survives compaction', () => {
    record(
      START,
      1_000,
      Array.from({ length: 6_000 }, (_, index) => 10 + (index % 3)),
    );
    compactAll(START + 6 * HOUR);
    expect(history.baseline('a/b', 8 * HOUR, START + 6 * HOUR)).toBeCloseTo(11, 5);
  });
});

test('a reading is found before it is written, and after it', () => {
  history.note({ trigger: 'a/b', at: START, value: 1, state: 'inactive' });
  history.note({ trigger: 'a/b', at: START + 11_000, value: 2, state: 'firing' });
  const expected = [
    { trigger: 'a/b', at: START, value: 1, state: 'inactive' },
    { trigger: 'a/b', at: START + 11_000, value: 2, state: 'firing' },
  ];
  expect(history.readings('a/b', START, START + HOUR)).toEqual(expected);
  history.flush();
  expect(new History(database).readings('a/b', START, START + HOUR)).toEqual(expected);
  expect(history.readings('a/b', START + 1, START + 11_000)).toEqual(expected.slice(1));
  expect(history.readings('a/c', START, START + HOUR)).toEqual([]);
});

test('a reading that is noted twice counts once', () => {
  record(START, 1_000, [1, 2]);
  record(START + 1_000, 1_000, [3]);
  expect(history.readings('a/b', START, START + HOUR).map(({ value }) => value)).toEqual([1, 3]);
});

test('many triggers become minutes batch by batch, each with all that it read', () => {
  for (let second = 0; second < 60; second += 1) {
    for (let n = 0; n < 250; n += 1) {
      // Some have nothing in the first ten seconds, which the batches go by.
      if (second < 10 && n % 2 === 0) continue;
      history.note({ trigger: `t/${n}`, at: START + second * 1_000, value: second, state: 'inactive' });
    }
  }
  history.flush();
  compactAll(START + 3 * HOUR);
  for (const n of [0, 1, 248, 249]) {
    expect(history.points(`t/${n}`, START, START + HOUR)).toMatchObject([
      { at: START, readings: n % 2 === 0 ? 50 : 60 },
    ]);
    expect(history.readings(`t/${n}`, START, START + HOUR)).toEqual([]);
  }
});

test('of too many readings as they were taken the oldest go too', () => {
  record(
    START,
    1_000,
    Array.from({ length: 1_000 }, () => 1),
  );
  compactAll(START + HOUR, { keepMs: 365 * DAY, mostRows: 40 });
  expect(history.readings('a/b', 0, START + HOUR)).toHaveLength(100);
});

test('what is too old goes a batch at a time, and buckets are counted through all of it', () => {
  const inserted = database.run(
    `INSERT INTO readings (trigger, at, bucket_ms, low, high, sum, count, state)
       WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 4999)
       SELECT 'a/b', ? + i * 600000, 600000, 1, 1, 1, 1, 1 FROM n`,
    START,
  );
  record(START, 5_000, [1, 2, 3]);
  expect(history.buckets).toBe(inserted);
  const [limits, now] = [{ keepMs: DAY, mostRows: 1_000_000 }, START + 365 * DAY];
  const counted = () => database.get('SELECT count(*) AS rows FROM readings')?.['rows'];
  for (const left of [4_500, 4_000]) {
    history.compact(now, limits);
    expect([counted(), history.buckets]).toEqual([left, left]);
  }
  compactAll(now, limits);
  expect([counted(), history.buckets]).toEqual([0, 0]);
});
