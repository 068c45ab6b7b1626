import type { SecretRef } from '../core/model/secret-ref.ts';

/** The database that hosts copy their logs to. */
export type PostgresSettings = {
  readonly address:
    | { readonly connection: SecretRef }
    | {
        readonly host: string;
        readonly port: number;
        readonly database: string;
        readonly user: string;
        readonly password?: SecretRef;
      };
  readonly schema: string;
  /** At most so many connections. */
  readonly poolSize: number;
};

export type RawPostgres = {
  readonly connection?: SecretRef;
  readonly host?: string;
  readonly port?: number;
  readonly database?: string;
  readonly user?: string;
  readonly password?: SecretRef;
  readonly schema?: string;
  readonly poolSize?: number;
};

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_PORT = 5432;
const DEFAULT_POOL = 4;

/**
 * Null where neither a connection string nor a host is given; of both, the string counts. Two secrets have names of the
 * operator guide in the environment: `DATABASE_URL` and `POSTGRESQL_PASSWORD`. They count where the section is there: what
 * policies read with a variable of that name is another matter.
 */
export function postgresSettings(raw: RawPostgres | undefined, environment: Environment): PostgresSettings | null {
  const address = raw === undefined ? null : addressOf(raw, environment);
  if (raw === undefined || address === null) return null;
  return { address, schema: raw.schema ?? 'revertd', poolSize: raw.poolSize ?? DEFAULT_POOL };
}

function addressOf(raw: RawPostgres, environment: Environment): PostgresSettings['address'] | null {
  if (raw.connection !== undefined) return { connection: raw.connection };
  if (raw.host === undefined) {
    return isSet(environment, 'DATABASE_URL') ? { connection: { env: 'DATABASE_URL' } } : null;
  }
  const { host, port = DEFAULT_PORT, database = 'revertd', user = 'revertd' } = raw;
  const named = isSet(environment, 'POSTGRESQL_PASSWORD') ? { env: 'POSTGRESQL_PASSWORD' } : undefined;
  const password = raw.password ?? named;
  return { host, port, database, user, ...(password === undefined ? {} : { password }) };
}

function isSet(environment: Environment, name: string): boolean {
  return (environment[name] ?? '') !== '';
}
