import { createHash } from 'node:crypto';

/** What stands in the log, in the order in which it is hashed. `data` is the exact text that is stored. */
export type ChainedRecord = {
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly actor: string;
  readonly data: string;
};

/** The hash before the first record. */
export const GENESIS = '0'.repeat(64);

/** SHA-256 over the hash before and the record, in hex. Lengths go before texts, so that no two records read alike. */
export function chainHash(previous: string, record: ChainedRecord): string {
  const { seq, at, type, actor, data } = record;
  return createHash('sha256')
    .update(JSON.stringify([previous, seq, at, type, actor, data]))
    .digest('hex');
}
