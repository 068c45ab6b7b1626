import { describe, expect, test } from 'vitest';
import { Budget } from './budget.ts';
import { Column } from './column.ts';

/** A row that fills itself with its own number, so that one that was mixed up is seen. */
class Owner {
  row: number | undefined;
  readonly mark: number;

  constructor(column: Column, mark: number) {
    this.mark = mark;
    this.row = column.addRow(this);
  }

  moved(row: number): void {
    this.row = row;
  }
}

function values(column: Column, { row }: Owner): number[] {
  return [...column.row(row ?? -1).subarray(column.start, column.end)];
}

function sample(column: Column, owners: readonly Owner[], time: number): void {
  const index = column.append(time);
  for (const { row, mark } of owners) column.row(row ?? -1)[index] = mark * 1_000 + time;
}

test('rows keep their values while rows are added and entries are appended, dropped and shifted', () => {
  const column = new Column(new Budget(1e9));
  const owners: Owner[] = [];
  for (let time = 1; time <= 500; time += 1) {
    if (time <= 100) owners.push(new Owner(column, time));
    sample(column, owners, time);
    column.dropBefore(time - 60);
  }
  const kept = Array.from({ length: 61 }, (_, index) => 440 + index);
  expect([...column.times.subarray(column.start, column.end)]).toEqual(kept);
  for (const owner of owners) expect(values(column, owner)).toEqual(kept.map((time) => owner.mark * 1_000 + time));
});

test('an index and what was shifted stay the same together', () => {
  const column = new Column(new Budget(1e9));
  const first = column.append(1) + column.shifted;
  for (let time = 2; time <= 200; time += 1) {
    column.append(time);
    column.dropBefore(time - 10);
  }
  const last = column.append(201) + column.shifted;
  expect(last - first).toBe(200);
});

describe('the budget', () => {
  test('gets back what rows took that nobody needs any more', () => {
    const budget = new Budget(1e9);
    const column = new Column(budget);
    const owners = Array.from({ length: 1_000 }, (_, mark) => new Owner(column, mark));
    for (let time = 1; time <= 100; time += 1) sample(column, owners, time);
    const before = budget.usedBytes;
    const kept = owners.filter(({ mark }) => mark % 100 === 7);
    for (const owner of owners) if (!kept.includes(owner)) column.removeRow(owner.row ?? -1);
    for (let time = 101; time <= 300; time += 1) sample(column, kept, time);
    expect(budget.usedBytes).toBeLessThan(before / 10);
    for (const owner of kept) expect(values(column, owner)[0]).toBe(owner.mark * 1_000 + 1);
    for (const owner of kept) column.removeRow(owner.row ?? -1);
    column.release();
    expect(budget.usedBytes).toBe(0);
  });

  test('that is spent refuses a row and leaves the others as they are', () => {
    const column = new Column(new Budget(1_000));
    const owners = Array.from({ length: 10 }, (_, mark) => new Owner(column, mark));
    const accepted = owners.filter(({ row }) => row !== undefined);
    expect(accepted.length).toBeGreaterThan(0);
    expect(accepted.length).toBeLessThan(10);
    sample(column, accepted, 5);
    for (const owner of accepted) expect(values(column, owner)).toEqual([owner.mark * 1_000 + 5]);
  });
});
