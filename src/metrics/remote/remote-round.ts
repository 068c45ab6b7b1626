import type { Millis } from '../../core/units.ts';
import type { Outcome } from '../sampler.ts';
import { type RemoteAnswer, RemoteFault, type RemoteQuery } from './remote-query.ts';

/** All queries of one interval, at one instant. What has no answer yet is not there. */
export type Round = { readonly at: Millis; readonly answers: ReadonlyMap<string, RemoteAnswer | RemoteFault> };

const AT_ONCE = 4;
/** Asked where no trigger asks for anything, so that the source has a condition. */
const NOTHING = 'vector(1)';

/** Sends each query once. `onAnswer` is called for each of them. */
export async function askAll(
  remote: RemoteQuery,
  queries: ReadonlySet<string>,
  at: Millis,
  signal: AbortSignal,
  onAnswer: (query: string, answer: RemoteAnswer | RemoteFault) => void,
): Promise<void> {
  const waiting = queries.size === 0 ? [NOTHING] : [...queries];
  const work = async (): Promise<void> => {
    for (let query = waiting.shift(); query !== undefined; query = waiting.shift()) {
      onAnswer(query, await ask(remote, query, at, signal));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

async function ask(
  remote: RemoteQuery,
  query: string,
  at: Millis,
  signal: AbortSignal,
): Promise<RemoteAnswer | RemoteFault> {
  try {
    return await remote.query(query, at, signal);
  } catch (error) {
    if (error instanceof RemoteFault) return error;
    throw error;
  }
}

/** The source is down only if the server is the trouble, and that for every query. */
export function outcomeOf({ answers }: Round): Outcome {
  const all = [...answers.values()];
  const faults = all.filter((answer) => answer instanceof RemoteFault);
  const [first] = faults;
  if (first === undefined || !faults.every((fault) => fault.concernsServer) || faults.length < all.length) {
    return { kind: 'sampled', samples: [] };
  }
  return { kind: 'failed', samples: [], fault: { code: first.code, message: first.message } };
}

/** What is wrong although the server answers. */
export function complaintOf({ answers }: Round): { readonly code: string; readonly message: string } | undefined {
  for (const [query, answer] of answers) {
    const shown = query.length > 80 ? `${query.slice(0, 80)}…` : query;
    if (answer instanceof RemoteFault) return { code: answer.code, message: `${shown}: ${answer.message}` };
    if (answer.partial.length > 0) return { code: 'partial', message: `${shown}: ${answer.partial.join('; ')}` };
  }
  return undefined;
}
