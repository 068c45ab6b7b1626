import type { ChainVerdict, LogHead } from '../store/verify-chain.ts';
import type { HostView } from './host-view.ts';
import { HttpProblem } from './problem.ts';
import { SCHEMA_VERSION } from './schema-version.ts';

export type AuditAnswer = ChainVerdict & { readonly schemaVersion: typeof SCHEMA_VERSION };

const HEAD = /^(?<seq>\d{1,15}):(?<hash>[0-9a-f]{64})(?:@(?<at>\d{1,15}))?$/;

/** Whether the log is what was written, and has the heads of the query. */
export async function audit(view: HostView, query: URLSearchParams): Promise<AuditAnswer> {
  if (view.store === null) throw new HttpProblem(503, 'noStore', 'there is no log yet');
  const verdict = await view.store.verifyChainInTurns(query.getAll('head').map(headOf));
  return { schemaVersion: SCHEMA_VERSION, ...verdict };
}

function headOf(text: string): LogHead {
  const { seq, hash, at } = HEAD.exec(text)?.groups ?? {};
  if (seq === undefined || hash === undefined) {
    throw new HttpProblem(
      400,
      'invalid',
      `a head is SEQ:HASH, with a hash of 64 hex digits, not ${text.slice(0, 100)}`,
    );
  }
  return { seq: Number(seq), hash, ...(at === undefined ? {} : { at: Number(at) }) };
}
