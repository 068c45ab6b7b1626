import type { Millis } from '../units.ts';
import type { Origin } from './origin.ts';
import type { SecretRef } from './secret-ref.ts';

export type MetricSource = {
  readonly name: string;
  readonly origin: Origin;
  readonly suspend: boolean;
  readonly intervalMs: Millis;
  readonly type: ScrapeType | ProbeType;
};

export type ScrapeType = {
  readonly kind: 'scrape';
  readonly targets: readonly string[];
  /** Added to every series of the source, beside `job` (the source's name) and `instance` (the target's host:port). */
  readonly labels: Readonly<Record<string, string>>;
  readonly timeoutMs: Millis;
  readonly auth?: ScrapeAuth;
  readonly tls?: { readonly caFile?: string; readonly serverName?: string };
  readonly limits?: { readonly bytes?: number; readonly samples?: number };
};

export type ScrapeAuth =
  | { readonly kind: 'basic'; readonly username: string; readonly password: SecretRef }
  | { readonly kind: 'bearer'; readonly token: SecretRef };

export type ProbeType = { readonly kind: 'probe'; readonly http: HttpProbe };

export type HttpProbe = {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | SecretRef>>;
  /** The answers that count as success. */
  readonly status: readonly number[];
  readonly bodyContains?: string;
  readonly bodyMatches?: string;
  readonly timeoutMs: Millis;
};
