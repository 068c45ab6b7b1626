import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aDesired } from '../../test/support/policies.ts';
import type { Event, EventSpec } from '../core/event.ts';
import { evolve } from '../core/evolve.ts';
import { EMPTY_MEMORY, type Memory } from '../core/memory.ts';
import { NOTHING_OBSERVED } from '../core/observed.ts';
import { STORE_FILE } from './database.ts';
import { SCHEMA_VERSION } from './schema.ts';
import { Store } from './store.ts';
import { StoreError } from './store-error.ts';

let folder: string;
let store: Store;
let memory: Memory;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'revertd-store-'));
  store = new Store(folder);
  memory = EMPTY_MEMORY;
});

afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

function commit(...specs: EventSpec[]): void {
  const events: Event[] = specs.map((spec, index) => ({ at: 1_000 + index, ...spec }));
  memory = events.reduce(evolve, memory);
  store.commit({ events, actor: 'test', memory });
}

const accepted = (revision: string): EventSpec => ({
  type: 'revision.accepted',
  revision,
  previous: null,
  subject: null,
  author: null,
  warnings: [],
});

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return error instanceof StoreError ? error.code : String(error);
  }
}

test('what was committed is there after opening it again', () => {
  commit(accepted('one'), { type: 'source.recovered' });
  store.close();
  store = new Store(folder);
  expect(store.events().map(({ seq, actor, event }) => [seq, actor, event.type])).toEqual([
    [1, 'test', 'revision.accepted'],
    [2, 'test', 'source.recovered'],
  ]);
  expect(store.memory()).toEqual(memory);
  commit({ type: 'source.recovered' });
  expect(store.verifyChain()).toMatchObject({ records: 3, brokenAt: null, head: store.head.hash });
});

test('a commit is whole or not at all', () => {
  commit(accepted('one'));
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  const bad = { at: 1, type: 'daemon.stopped', reason: circular } as unknown as Event;
  expect(() => store.commit({ events: [{ at: 1, type: 'source.recovered' }, bad], actor: 'test', memory })).toThrow(
    TypeError,
  );
  expect(store.events()).toHaveLength(1);
  expect(store.head.seq).toBe(1);
  commit({ type: 'source.recovered' });
  expect(store.verifyChain().brokenAt).toBeNull();
});

describe('the chain', () => {
  test.each([
    ['a changed event', `UPDATE events SET data = replace(data, 'two', 'owt') WHERE seq = 2`, 2],
    ['a changed actor', `UPDATE events SET actor = 'nobody' WHERE seq = 2`, 2],
    ['a changed time', `UPDATE events SET at = at + 1 WHERE seq = 1`, 1],
    ['a removed event', `DELETE FROM events WHERE seq = 2`, 2],
    ['two events in another order', `UPDATE events SET seq = CASE seq WHEN 2 THEN 9 ELSE seq END WHERE seq = 2`, 2],
  ])('shows %s', (_what, sql, brokenAt) => {
    commit(accepted('one'), accepted('two'), accepted('three'));
    store.close();
    const database = new DatabaseSync(join(folder, STORE_FILE));
    database.exec(sql);
    database.close();
    store = new Store(folder);
    expect(store.verifyChain().brokenAt).toBe(brokenAt);
  });
});

test('events are found by what they concern, and by type', () => {
  commit(accepted('one'), { type: 'hold.lifted', id: 'x', object: 'Flag/a', reason: 'r' });
  expect(store.events({ subject: 'Flag/a' }).map(({ event }) => event.type)).toEqual(['hold.lifted']);
  expect(store.events({ types: ['revision.accepted'] })).toHaveLength(1);
  expect(store.events({ after: 1 })).toHaveLength(1);
  expect(store.events({ limit: 1 })[0]?.seq).toBe(2);
});

test('the files of a revision come back byte for byte', () => {
  const bytes = new Uint8Array([0, 255, 10, 200]);
  store.saveRevision({ revision: 'one', files: [{ path: 'a.yaml', bytes }], subject: 's' }, 5);
  expect(store.revision('one')?.files.map((file) => [file.path, [...file.bytes]])).toEqual([['a.yaml', [...bytes]]]);
  expect(store.revision('one')).toMatchObject({ subject: 's' });
  expect(store.revision('two')).toBeUndefined();
});

test('the inputs of a decision come back as they were', () => {
  const decision = { desired: aDesired(), observed: NOTHING_OBSERVED, memory, now: 7 };
  store.commit({ events: [{ at: 7, type: 'source.recovered' }], actor: 'test', memory, decision });
  expect(store.decisions()).toEqual([{ seq: 1, ...decision }]);
});

describe('one owner at a time', () => {
  test('a second one is refused at once, and told who has it', () => {
    expect(() => new Store(folder)).toThrow(
      expect.objectContaining({ code: 'locked', holder: expect.objectContaining({ pid: process.pid }) }),
    );
  });

  test('the lock is free once it is closed', () => {
    store.close();
    store = new Store(folder);
    expect(store.memory()).toEqual(EMPTY_MEMORY);
  });

  test('a reader finds what was left, and may not write', () => {
    commit(accepted('one'));
    store.close();
    const reader = new Store(folder, { readOnly: true });
    expect(reader.events()).toHaveLength(1);
    expect(() => reader.commit({ events: [{ at: 1, type: 'source.recovered' }], actor: 'x', memory })).toThrow(
      /readonly/,
    );
    reader.close();
    store = new Store(folder);
  });
});

test('a store of a later version is refused and left as it is', () => {
  store.close();
  const database = new DatabaseSync(join(folder, STORE_FILE));
  database.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
  database.close();
  expect(codeOf(() => new Store(folder))).toBe('newer');
  const again = new DatabaseSync(join(folder, STORE_FILE));
  again.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  again.close();
  store = new Store(folder);
});

test('a folder that cannot be had is unusable', () => {
  expect(codeOf(() => new Store('/dev/null/nowhere'))).toBe('unusable');
});

test('the revision saved last is kept, also by a clock that was set back', () => {
  for (let index = 0; index < 60; index += 1) store.saveRevision({ revision: `r${index}`, files: [] }, 1_000 + index);
  store.saveRevision({ revision: 'newest', files: [] }, 1);
  expect(store.revision('newest')).toEqual({ revision: 'newest', files: [] });
  expect(store.revision('r0')).toBeUndefined();
});
