import type { SqlQuery } from '../../../core/model/metric-source.ts';
import type { Millis } from '../../../core/units.ts';

export type Row = { readonly value: number | null; readonly labels: Readonly<Record<string, string>> };

/** A database that is asked and cannot be changed. Its methods reject with a SqlFault. */
export interface Database {
  /** Makes it ready for the queries of one sampling. */
  open(signal: AbortSignal): Promise<void>;
  /** Runs one query, and ends it after `spanMs` whatever it does; the next one can be run then. */
  select(query: SqlQuery, spanMs: Millis, signal: AbortSignal): Promise<readonly Row[]>;
  /** The sampling is over. */
  rest(): void;
  close(): void;
}

export type SqlFaultCode =
  | 'secret'
  | 'bad_dsn'
  | 'unreachable'
  | 'login_refused'
  | 'connection_lost'
  | 'timeout'
  /** What is stored makes no sense. */
  | 'corrupt'
  /** A file of the database, or of its log, cannot be opened or read. */
  | 'unreadable'
  /** Somebody else keeps it locked. */
  | 'locked'
  | 'read_only'
  | 'bad_query'
  | 'bad_columns'
  | 'too_many_rows'
  | 'label_too_long'
  | 'repeated_series';

/** The message is for people; of secrets it has at most the reference. */
export class SqlFault extends Error {
  override readonly name = 'SqlFault';
  readonly code: SqlFaultCode;

  constructor(code: SqlFaultCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
