import type { ReadingElement } from '../../core/observed.ts';
import type { Millis } from '../../core/units.ts';

/** A server that evaluates PromQL. */
export interface RemoteQuery {
  /** The server, fit to be shown. */
  readonly target: string;
  /** Evaluates at an instant. Rejects with a RemoteFault. */
  query(expr: string, at: Millis, signal: AbortSignal): Promise<RemoteAnswer>;
  /** What the server says it is, such as `Grafana Mimir 2.14.0`; `unknown` where it does not say. Never rejects. */
  version(signal: AbortSignal): Promise<string>;
  close(): void;
}

export type RemoteAnswer = {
  readonly elements: readonly ReadingElement[];
  /** Why something may be missing, as the server put it; a store that Thanos could not reach, for example. */
  readonly partial: readonly string[];
};

/**
 * `unreachable`: nobody answers. `unavailable`: it answers, and says that it cannot now. `refused`: not logged in, or no
 * right. `bad_query`: it will not evaluate this, now or later. `bad_answer`: what comes is no answer of Prometheus' API.
 */
export type RemoteFaultCode =
  | 'unreachable'
  | 'unavailable'
  | 'timeout'
  | 'refused'
  | 'bad_query'
  | 'bad_answer'
  | 'misconfigured';

/** The message is for people, and holds no secret. */
export class RemoteFault extends Error {
  override readonly name = 'RemoteFault';
  readonly code: RemoteFaultCode;

  constructor(code: RemoteFaultCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Whether the server itself is the trouble, and not the one query. */
  get concernsServer(): boolean {
    return this.code !== 'bad_query';
  }

  /** Whether the same request may be answered a moment later. */
  get passes(): boolean {
    return this.code === 'unreachable' || this.code === 'unavailable';
  }
}
