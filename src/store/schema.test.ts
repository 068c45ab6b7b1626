import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EMPTY_MEMORY, type Memory } from '../core/memory.ts';
import { STORE_FILE } from './database.ts';
import { migrate } from './schema.ts';
import { Store } from './store.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'revertd-schema-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A store as the first version left it. */
function firstVersion(
  memory: Memory,
  readings: readonly (readonly [at: number, value: string | null, state: number])[],
) {
  const database = new DatabaseSync(join(folder, STORE_FILE));
  migrate(database, 1);
  database.prepare('INSERT INTO memory (id, seq, json) VALUES (1, 0, ?)').run(JSON.stringify(memory));
  const insert = database.prepare(
    'INSERT INTO readings (trigger, at, bucket_ms, value, low, high, sum, count, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  );
  for (const [at, value, state] of readings) insert.run('p/t', at, 0, value, null, null, null, 0, state);
  insert.run('p/t', 0, 60_000, null, 1, 3, 4, 2, 1);
  database.close();
}

test('memory of the first version comes over whole', () => {
  const memory: Memory = {
    ...EMPTY_MEMORY,
    revision: 'r',
    startedAt: 5,
    triggersRecordedAt: 0.5,
    halt: { since: 1, by: 'someone', reason: 'a "reason"', noticedAt: 2 },
    places: { 'a#b': { delivered: 'x', drift: null }, 'a#a': { delivered: null, drift: 'ü' } },
    rollbacks: [
      { incident: 'INC-1', policy: 'p', conflictSet: ['Flag/a'], at: 1, endedAt: null, cooldownMs: 0, acted: true },
    ],
    nextIncident: 2,
  };
  firstVersion(memory, []);
  const store = new Store(folder);
  expect(store.memory()).toEqual(memory);
  expect(Object.keys(store.memory().places)).toEqual(['a#b', 'a#a']);
  store.close();
});

test('memory of the first version where nothing was remembered yet is empty', () => {
  firstVersion(EMPTY_MEMORY, []);
  const store = new Store(folder);
  expect(store.memory()).toEqual(EMPTY_MEMORY);
  store.close();
});

test('readings of the first version come over', () => {
  firstVersion(EMPTY_MEMORY, [
    [1_700_000_012_345, '0.1', 1],
    [1_700_000_009_999, '"NaN"', 0],
    [1_700_000_013_000, null, 3],
  ]);
  const store = new Store(folder);
  expect(store.history.readings('p/t', 0, 2e12).map(({ at, value, state }) => [at, value, state])).toEqual([
    [1_700_000_009_999, 'NaN', 'unknown'],
    [1_700_000_012_345, 0.1, 'inactive'],
    [1_700_000_013_000, null, 'firing'],
  ]);
  expect(store.history.points('p/t', 0, 1)).toEqual([
    { at: 0, low: 1, high: 3, mean: 2, readings: 2, state: 'inactive' },
  ]);
  store.close();
});

test('a reader of a store that is not brought over yet says what to do, and changes nothing', () => {
  firstVersion(EMPTY_MEMORY, []);
  expect(() => new Store(folder, { readOnly: true })).toThrow(
    expect.objectContaining({ code: 'unusable', message: expect.stringMatching(/schema 1, .*start the daemon once/) }),
  );
  const store = new Store(folder);
  store.close();
  const reader = new Store(folder, { readOnly: true });
  expect(reader.memory()).toEqual(EMPTY_MEMORY);
  reader.close();
});
