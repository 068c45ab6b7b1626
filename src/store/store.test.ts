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
import type { ElementMemory, TriggerMemory } from '../core/triggers/trigger-memory.ts';
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

describe('memory', () => {
  const hold = (id: string): EventSpec => ({
    type: 'hold.placed',
    hold: { id, kind: 'adoption', object: `Flag/${id}`, flag: id, place: 'p', live: 'x', cause: 'c', since: 1 },
  });
  const aTrigger = (change: Partial<TriggerMemory>): TriggerMemory => ({
    digest: 'd',
    state: 'inactive',
    since: 0,
    at: 1_000,
    verdict: 'clear',
    value: 1,
    threshold: null,
    intervalMs: 1_000,
    covered: true,
    message: null,
    elements: {},
    ...change,
  });
  const element: ElementMemory = {
    labels: {},
    state: 'pending',
    since: 1,
    accumulatedMs: 5,
    accumulatedAt: 1,
    breachedSince: 1,
    value: 2,
    seenAt: 1,
  };

  function commitTrigger(trigger: TriggerMemory, events: readonly Event[]): void {
    memory = { ...memory, triggers: { ...memory.triggers, 'p/t': trigger } };
    store.commit({ events, actor: 'test', memory });
  }

  function reopened(): Memory {
    store.close();
    store = new Store(folder);
    return store.memory();
  }

  test('loses what is gone from it, and keeps the order of the rest', () => {
    commit(hold('b'), hold('a'), hold('c'));
    expect(reopened()).toEqual(memory);
    commit({ type: 'hold.lifted', id: 'a', object: 'Flag/a', reason: 'r' }, hold('d'));
    commit(hold('b'));
    expect(Object.keys(reopened().holds)).toEqual(['b', 'c', 'd']);
    expect(store.memory()).toEqual(memory);
  });

  test('a commit that failed has written none of it, and the next one writes all', () => {
    commit(hold('a'));
    const before = memory;
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const bad = { at: 1, type: 'daemon.stopped', reason: circular } as unknown as Event;
    memory = evolve(memory, { at: 2, ...hold('b') });
    expect(() => store.commit({ events: [bad], actor: 'test', memory })).toThrow(TypeError);
    expect(store.memory()).toEqual(before);
    store.commit({ events: [], actor: 'test', memory });
    expect(reopened()).toEqual(memory);
  });

  test('has what a trigger has accumulated at each commit', () => {
    const elements = { e: element };
    commitTrigger(aTrigger({ state: 'pending', elements }), []);
    commitTrigger(aTrigger({ state: 'pending', at: 2_000, elements: { e: { ...element, accumulatedMs: 6 } } }), [
      { at: 2_000, type: 'source.recovered' },
    ]);
    expect(reopened()).toEqual(memory);
    commitTrigger(aTrigger({ state: 'pending', at: 2_500 }), []);
    expect(reopened()).toEqual(memory);
  });

  test('has what a trigger at rest read last within a minute, at leisure', () => {
    commitTrigger(aTrigger({ at: 1_000, value: 1 }), []);
    commitTrigger(aTrigger({ at: 31_000, value: 2 }), []);
    expect(reopened().triggers['p/t']).toMatchObject({ at: 1_000, value: 1 });
    commitTrigger(aTrigger({ at: 61_000, value: 3 }), [{ at: 61_000, type: 'source.recovered' }]);
    expect(reopened().triggers['p/t']).toMatchObject({ at: 1_000, value: 1 });
    commitTrigger(aTrigger({ at: 62_000, value: 4 }), []);
    expect(reopened()).toEqual(memory);
  });

  test.each([
    ['state', { state: 'firing' }],
    ['digest', { digest: 'e' }],
    ['since', { since: 5 }],
  ] as const)('has a new %s at once', (_field, change) => {
    commitTrigger(aTrigger({}), []);
    commitTrigger(aTrigger(change), [{ at: 1, type: 'source.recovered' }]);
    expect(reopened()).toEqual(memory);
  });
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
