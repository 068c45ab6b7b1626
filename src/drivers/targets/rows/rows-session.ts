import type { Row } from '../../../core/merge/cell.ts';
import type { Batches } from '../../../core/merge/join-sorted.ts';

/** A table as it is defined in one state. */
export type TableShape = {
  /** As people write it in a policy. */
  readonly name: string;
  readonly columns: readonly ColumnShape[];
  /** The columns of its primary key, in its order; there is at least one. */
  readonly key: readonly string[];
};

export type ColumnShape = {
  readonly name: string;
  readonly type: string;
  /** Whether it holds JSON documents, which a merge may look into. */
  readonly isJson: boolean;
};

/** What is done with a row. `insert`: cells that are undefined get their column's default. */
export type RowChange = {
  readonly kind: 'insert' | 'replace' | 'delete';
  /** By `keyOf`. */
  readonly key: string;
  readonly row: Row;
};

/** A row that would refer to one that is not there. */
export type Orphan = {
  readonly table: string;
  /** Undefined where the table has no primary key. */
  readonly key: string | undefined;
  readonly parent: string;
  /** Undefined where it refers to other columns than the primary key. */
  readonly parentKey: string | undefined;
};

/** One state of a database; rejects with TargetError. Cells stand in the order of the shape's columns. */
export type RowsState = {
  /** Rejects with `missing` for what is no table, and with `format` for a table without a primary key. */
  readonly shapes: (tables: readonly string[]) => Promise<readonly TableShape[]>;
  /** All rows, ordered by the texts of their keys. One table at a time. */
  readonly read: (table: TableShape) => Batches<Row>;
};

/** One transaction: nothing takes effect before `commit`, and nobody else writes these tables until it is over. */
export type RowsTransaction = RowsState & {
  /** Notes what is to be done; it is not done yet. Several times for a table, each row once. */
  readonly stage: (table: TableShape, changes: readonly RowChange[]) => Promise<void>;
  /**
   * Does all that is staged but for these rows, anew if it was done before: foreign keys hold nothing up, and triggers do not
   * fire. Resolves with the rows that refer to nothing for it; not all, where there are many.
   */
  readonly apply: (without: readonly StagedRow[]) => Promise<readonly Orphan[]>;
  readonly commit: () => Promise<void>;
};

export type StagedRow = { readonly table: string; readonly key: string };

export type RowsAccess = {
  /** Where it is, for people. */
  readonly shown: string;
  /** What tells it apart from another database, without a secret. */
  readonly identity: string;
  readonly withState: <T>(signal: AbortSignal, use: (state: RowsState) => Promise<T>) => Promise<T>;
  /** Rejects with `conflicting` where the database asks for the transaction to be tried again. */
  readonly withTransaction: <T>(
    tables: readonly string[],
    signal: AbortSignal,
    use: (transaction: RowsTransaction) => Promise<T>,
  ) => Promise<T>;
};

/** A longer cell is refused: a row is in memory, several of them at a time. */
export const LONGEST_CELL = 16 * 1024 * 1024;

/** Rows that are given, or taken, at a time. */
export const BATCH_ROWS = 500;

/** Of all foreign keys together; more are not told apart. */
export const MOST_ORPHANS = 1_000;
