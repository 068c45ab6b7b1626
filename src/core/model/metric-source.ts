import type { Millis } from '../units.ts';
import type { UnitState } from './check.ts';
import type { Origin } from './origin.ts';
import type { SecretRef } from './secret-ref.ts';
import type { JsonValue } from './step.ts';

export type MetricSource = {
  readonly name: string;
  readonly origin: Origin;
  readonly suspend: boolean;
  readonly intervalMs: Millis;
  readonly type: SampledType | PrometheusType;
};

/** Types whose samples are kept here, and that queries are evaluated over by revertd itself. */
export type SampledType = ScrapeType | ProbeType | HostType | SqlType | CommandType;

export type ScrapeType = {
  readonly kind: 'scrape';
  readonly targets: readonly string[];
  /** Added to every series of the source, beside `job` (the source's name) and `instance` (the target's host:port). */
  readonly labels: SourceLabels;
  readonly timeoutMs: Millis;
  readonly auth?: HttpAuth;
  readonly tls?: TlsFiles;
  readonly limits?: ExpositionLimits;
};

export type SourceLabels = Readonly<Record<string, string>>;
export type SourceHeaders = Readonly<Record<string, string | SecretRef>>;

export type HttpAuth =
  | { readonly kind: 'basic'; readonly username: string; readonly password: SecretRef }
  | { readonly kind: 'bearer'; readonly token: SecretRef };

/** All files are PEM, and read anew for each connection, so that what was renewed is taken up. */
export type TlsFiles = {
  /** Trusted instead of the system's authorities. */
  readonly caFile?: string;
  /** The name to ask for and to verify, if it is not the address's. */
  readonly serverName?: string;
  /** What revertd proves itself with; both or none. */
  readonly certFile?: string;
  readonly keyFile?: string;
};

export type ExpositionLimits = { readonly bytes?: number; readonly samples?: number };

export type ProbeType = { readonly kind: 'probe'; readonly probe: HttpProbe | TcpProbe | UnitProbe };

export type HttpProbe = {
  readonly kind: 'http';
  readonly method: string;
  readonly url: string;
  readonly headers: SourceHeaders;
  readonly auth?: HttpAuth;
  readonly tls?: TlsFiles;
  /** Sent as JSON unless it is a text. */
  readonly body?: JsonValue;
  /** The answers that count as success. */
  readonly status: readonly number[];
  readonly bodyContains?: string;
  readonly bodyMatches?: string;
  readonly timeoutMs: Millis;
};

export type TcpProbe = {
  readonly kind: 'tcp';
  /** `host:port`, an IPv6 address in brackets. */
  readonly address: string;
  /** Absent: plain TCP. */
  readonly tls?: TlsFiles;
  /** RE2, searched for in what the server says unasked. */
  readonly bannerMatches?: string;
  readonly timeoutMs: Millis;
};

export type UnitProbe = {
  readonly kind: 'unit';
  readonly name: string;
  readonly is: UnitState;
  readonly timeoutMs: Millis;
};

export type HostType = {
  readonly kind: 'host';
  /** systemd units whose own use of memory and CPU is wanted. */
  readonly units: readonly string[];
  /** Paths; only the file systems that hold them are looked at. Absent: all that node_exporter would show. */
  readonly filesystems?: readonly string[];
  readonly labels: SourceLabels;
  readonly timeoutMs: Millis;
};

export type SqlType = {
  readonly kind: 'sql';
  readonly database: PostgresDatabase | SqliteDatabase;
  readonly queries: readonly SqlQuery[];
  readonly labels: SourceLabels;
  readonly timeoutMs: Millis;
};

export type PostgresDatabase = {
  readonly kind: 'postgres';
  readonly dsn: SecretRef;
  /** Another database of that server: one that revertd made beside the one that is meant. */
  readonly scratch?: string;
};
export type SqliteDatabase = { readonly kind: 'sqlite'; readonly path: string };

export type SqlQuery = {
  /** The metric. */
  readonly name: string;
  /** One SELECT. */
  readonly query: string;
  /** Absent: the column `value`, or the only one that is no label. */
  readonly value?: string;
  /** Absent: every column but the value. */
  readonly labels?: readonly string[];
};

export type CommandType = {
  readonly kind: 'command';
  readonly argv: readonly string[];
  readonly labels: SourceLabels;
  readonly timeoutMs: Millis;
  readonly limits?: ExpositionLimits;
};

/** A server that evaluates the queries itself; nothing of it is stored. */
export type PrometheusType = {
  readonly kind: 'prometheus';
  /** The part before `/api/v1`. */
  readonly url: string;
  readonly headers: SourceHeaders;
  readonly auth?: HttpAuth;
  readonly tls?: TlsFiles;
  /** For all queries of one interval together, repetitions included. */
  readonly timeoutMs: Millis;
  /** How often a query is sent again that got no answer, or one that passes. */
  readonly retries: number;
};
