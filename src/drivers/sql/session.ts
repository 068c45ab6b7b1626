import type { SqlValue } from '../../core/model/sql-step.ts';
import type { Millis } from '../../core/units.ts';
import type { AllowList } from '../allow-list.ts';
import type { SecretResolver } from '../secrets.ts';

/** One connection for one step or check. Its methods reject with SqlError; after one did, only `close` is left. */
export type SqlSession = {
  /** Everything until `commit` takes effect together, or not at all. */
  readonly begin: () => Promise<void>;
  /** Runs one statement. */
  readonly run: (text: string, params: readonly BoundValue[]) => Promise<SqlResult>;
  /**
   * The transaction's name in the database's own books, by which `outcomeOf` tells later what became of it; undefined if
   * it wrote nothing, or if the database keeps no such books.
   */
  readonly identity: () => Promise<string | undefined>;
  /** Rejects with `commitLost` if the connection broke before the answer came. */
  readonly commit: () => Promise<void>;
  /** What was not committed is undone, and what still runs is ended. */
  readonly close: () => Promise<void>;
};

export type BoundValue = { readonly name: string; readonly value: SqlValue };

export type SqlResult = {
  /** Changed, or given by a statement that reads; null for one that does neither. */
  readonly rows: number | null;
  readonly columns: readonly string[];
  /** The first row that was given. */
  readonly first: readonly SqlValue[] | undefined;
};

export type SqlErrorCode =
  | 'secret'
  | 'notAllowed'
  | 'badDsn'
  | 'noDatabase'
  | 'notADatabase'
  | 'unreachable'
  | 'loginRefused'
  | 'connectionLost'
  | 'commitLost'
  | 'locked'
  | 'stopped'
  | 'statement';

/** The message is for people. Of secrets it has at most the reference. */
export class SqlError extends Error {
  override readonly name = 'SqlError';
  readonly code: SqlErrorCode;

  constructor(code: SqlErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

export type SessionOptions = {
  readonly access: 'read' | 'write';
  /** What the database itself ends a statement after. */
  readonly statementMs: Millis;
  /** How long a lock of somebody else's is waited for. */
  readonly lockMs: Millis;
};

export type SqlHost = { readonly allow: AllowList; readonly secrets: SecretResolver };
