import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cell, Row } from './cell.ts';
import type { Versions } from './conflict.ts';
import { type MergedTable, mergeRow, type RowOutcome } from './merge-row.ts';
import { decideRow, resolveRow } from './resolve-row.ts';

type Given = Versions<Row> & Partial<MergedTable>;

function tableOf(given: Partial<MergedTable>): MergedTable {
  const all = [true, true, true];
  return { inLive: all, inSnapshot: all, hasAncestor: true, isJson: [false, false, true], ...given };
}

const ABSENT = undefined;

describe('a row', () => {
  test.each<readonly [string, Given, RowOutcome]>([
    ['nobody has', { ancestor: [1n], live: ABSENT, snapshot: ABSENT }, { kind: 'keep' }],
    ['only live changed', { ancestor: [1n, 'a'], live: [1n, 'b'], snapshot: [1n, 'a'] }, { kind: 'keep' }],
    [
      'only the snapshot changed',
      { ancestor: [1n, 'a'], live: [1n, 'a'], snapshot: [1n, 'b'] },
      { kind: 'put', row: [1n, 'b'] },
    ],
    [
      'both changed, each another cell',
      { ancestor: [1n, 'a', 'x'], live: [1n, 'b', 'x'], snapshot: [1n, 'a', 'y'] },
      { kind: 'put', row: [1n, 'b', 'y'] },
    ],
    ['both changed alike', { ancestor: [1n, 'a'], live: [1n, 'b'], snapshot: [1n, 'b'] }, { kind: 'keep' }],
    [
      'both changed differently',
      { ancestor: [1n, 'a', 'x'], live: [1n, 'b', 'x'], snapshot: [1n, 'c', 'y'] },
      { kind: 'conflict', class: 'value', cells: [{ column: 1, class: 'value' }], merged: [1n, 'b', 'y'] },
    ],
    [
      'both changed, to different types',
      { ancestor: [1n, 5n], live: [1n, 'six'], snapshot: [1n, 7n] },
      { kind: 'conflict', class: 'type', cells: [{ column: 1, class: 'type' }], merged: [1n, 'six'] },
    ],
    ['a pure change of type', { ancestor: [1n, 5n], live: [1n, '5'], snapshot: [1n, 5n] }, { kind: 'keep' }],
    [
      'a pure change of type beside a change',
      { ancestor: [1n, 5n], live: [1n, '5'], snapshot: [1n, 7n] },
      { kind: 'put', row: [1n, 7n] },
    ],
    ['live deleted', { ancestor: [1n, 'a'], live: ABSENT, snapshot: [1n, 'a'] }, { kind: 'keep' }],
    ['the snapshot has not', { ancestor: [1n, 'a'], live: [1n, 'a'], snapshot: ABSENT }, { kind: 'delete' }],
    ['live added', { ancestor: ABSENT, live: [1n, 'a'], snapshot: ABSENT }, { kind: 'keep' }],
    ['the snapshot added', { ancestor: ABSENT, live: ABSENT, snapshot: [1n, 'a'] }, { kind: 'put', row: [1n, 'a'] }],
    [
      'live deleted, and the snapshot changed',
      { ancestor: [1n, 'a'], live: ABSENT, snapshot: [1n, 'b'] },
      { kind: 'conflict', class: 'missing', cells: [], merged: undefined },
    ],
    [
      'live deleted, and the snapshot changed a column that is gone',
      { ancestor: [1n, 'a', 'x'], live: ABSENT, snapshot: [1n, 'a', 'y'], inLive: [true, true, false] },
      { kind: 'keep' },
    ],
    [
      'both added, differently',
      { ancestor: ABSENT, live: [1n, 'a'], snapshot: [1n, 'b'] },
      { kind: 'conflict', class: 'duplicate', cells: [{ column: 1, class: 'duplicate' }], merged: [1n, 'a'] },
    ],
    [
      'a column that is gone, which only the snapshot changed',
      { ancestor: [1n, 'a'], live: [1n, undefined], snapshot: [1n, 'b'], inLive: [true, false, true] },
      { kind: 'conflict', class: 'structure', cells: [{ column: 1, class: 'structure' }], merged: [1n, undefined] },
    ],
    [
      'a column that is gone, which nobody changed',
      { ancestor: [1n, 'a'], live: [1n, undefined], snapshot: [1n, 'a'], inLive: [true, false, true] },
      { kind: 'keep' },
    ],
    [
      'NULL is a value, and absence is none',
      { ancestor: [1n, 'a', undefined], live: [1n, 'a', 'new'], snapshot: [1n, null, undefined] },
      { kind: 'put', row: [1n, null, 'new'] },
    ],
    [
      'without an ancestor every difference is a conflict',
      { ancestor: ABSENT, live: [1n, 'a'], snapshot: [1n, 'b'], hasAncestor: false },
      { kind: 'conflict', class: 'value', cells: [{ column: 1, class: 'value' }], merged: [1n, 'a'] },
    ],
    [
      'without an ancestor, a row that only one has',
      { ancestor: ABSENT, live: [1n, 'a'], snapshot: ABSENT, hasAncestor: false },
      { kind: 'conflict', class: 'missing', cells: [], merged: undefined },
    ],
    [
      'bytes are compared',
      { ancestor: [1n, bytes(1)], live: [1n, bytes(1)], snapshot: [1n, bytes(2)] },
      { kind: 'put', row: [1n, bytes(2)] },
    ],
  ])('%s', (_what, { ancestor, live, snapshot, ...table }, expected) => {
    expect(mergeRow(tableOf(table), { ancestor, live, snapshot })).toStrictEqual(expected);
  });
});

function bytes(value: number): Uint8Array {
  return Uint8Array.of(value);
}

describe('a conflict', () => {
  const versions = { ancestor: [1n, 'a', '{"x":1}'], live: [1n, 'b', '{"x":1}'], snapshot: [1n, 'c', '{"x":2}'] };
  const removed = { ancestor: [1n, 'a', 'x'], live: [1n, 'b', 'x'], snapshot: undefined };
  const documents = {
    ancestor: [1n, 'a', '{"x":1}'],
    live: [1n, 'a', '{"x":1,"y":1}'],
    snapshot: [1n, 'a', '{"x":2}'],
  };

  test.each([
    ['abort', versions, { kind: 'aborted' }],
    ['skip', versions, { kind: 'left' }],
    ['overwrite', versions, { kind: 'put', row: [1n, 'c', '{"x":2}'] }],
    ['overwrite', removed, { kind: 'delete' }],
    ['merge', versions, { kind: 'asked' }],
    ['merge', documents, { kind: 'put', row: [1n, 'a', '{"x":2,"y":1}'] }],
    ['manual', versions, { kind: 'asked' }],
  ] as const)('with %s', (strategy, given, expected) => {
    const table = tableOf({});
    const conflict = mergeRow(table, given);
    if (conflict.kind !== 'conflict') throw new Error(`expected a conflict, found ${conflict.kind}`);
    expect(resolveRow(table, conflict, given, strategy)).toStrictEqual(expected);
  });

  test('is not overwritten where the column is gone', () => {
    const table = tableOf({ inLive: [true, false, true] });
    const given = { ancestor: [1n, 'a'], live: [1n, undefined], snapshot: [1n, 'b'] };
    const conflict = mergeRow(table, given);
    if (conflict.kind !== 'conflict') throw new Error(`expected a conflict, found ${conflict.kind}`);
    expect(resolveRow(table, conflict, given, 'overwrite')).toStrictEqual({ kind: 'left' });
  });

  test('that a person decides keeps what is not in conflict', () => {
    const table = tableOf({});
    const conflict = mergeRow(table, versions);
    if (conflict.kind !== 'conflict') throw new Error(`expected a conflict, found ${conflict.kind}`);
    expect(decideRow(table, conflict, versions, 'live')).toStrictEqual({ kind: 'put', row: [1n, 'b', '{"x":2}'] });
  });
});

describe('for all rows', () => {
  const cell = fc.oneof(fc.constant<Cell>(null), fc.integer({ min: 0, max: 3 }).map(BigInt), fc.constantFrom('0', 'a'));
  const row = fc.option(
    fc.tuple(cell, cell, cell).map((cells): Row => cells),
    { nil: undefined },
  );
  const three = fc.record({ ancestor: row, live: row, snapshot: row });

  test('what is merged is merged: once more it changes nothing', () => {
    fc.assert(
      fc.property(three, (versions) => {
        const table = tableOf({});
        const outcome = mergeRow(table, versions);
        if (outcome.kind === 'conflict') return;
        const live = outcome.kind === 'keep' ? versions.live : outcome.kind === 'put' ? outcome.row : undefined;
        expect(mergeRow(table, { ...versions, live }).kind).toBe('keep');
      }),
    );
  });

  test('with the live state as ancestor the snapshot is taken, so that a replacement is a merge', () => {
    fc.assert(
      fc.property(row, row, (live, snapshot) => {
        expect(mergeRow(tableOf({}), { ancestor: live, live, snapshot }).kind).not.toBe('conflict');
      }),
    );
  });

  test('a conflict is one from both sides', () => {
    fc.assert(
      fc.property(three, ({ ancestor, live, snapshot }) => {
        const one = mergeRow(tableOf({}), { ancestor, live, snapshot });
        const other = mergeRow(tableOf({}), { ancestor, live: snapshot, snapshot: live });
        expect(other.kind === 'conflict').toBe(one.kind === 'conflict');
      }),
    );
  });
});
