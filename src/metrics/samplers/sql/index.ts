import type { MetricSource, SqlQuery, SqlType } from '../../../core/model/metric-source.ts';
import type { Labels } from '../../../promql/series.ts';
import type { Sample } from '../../batch.ts';
import { formatSeries, labelsOf } from '../../labels.ts';
import type { Outcome, Sampler, SamplerDriver, SamplerMeans, SamplingFault } from '../../sampler.ts';
import { reporter } from '../scrape-report.ts';
import { type Database, type Row, SqlFault } from './database.ts';
import { openSqlite } from './sqlite.ts';

export const sql: SamplerDriver<SqlType> = {
  open: (source, type, means) => [openSql(source, type, means)],
};

function openSql(source: MetricSource, type: SqlType, means: SamplerMeans): Sampler {
  const { clock } = means;
  const instance = instanceOf(type.database);
  const own = labelsOf(Object.entries({ job: source.name, instance, ...type.labels }));
  const report = reporter(own);
  const database = openDatabase(type.database, means);
  return {
    target: `${type.database.kind} ${instance}`,
    timeoutMs: type.timeoutMs,
    async sample(signal): Promise<Outcome> {
      const begun = clock.elapsed();
      const opened = await attempt(() => database.open(signal));
      if ('fault' in opened) {
        const samples = [...report(0, clock.elapsed() - begun, 0), errorOf(own, opened.fault)];
        return { kind: 'failed', samples, fault: opened.fault };
      }
      const remainingMs = () => begun + type.timeoutMs - clock.elapsed();
      const asked = await askAll({ database, type, own, means, remainingMs }, signal);
      database.rest();
      const samples = asked.flatMap((query) => query.samples);
      const first = asked.find(({ fault }) => fault !== undefined)?.fault;
      const all = [...report(1, clock.elapsed() - begun, samples.length), ...samples];
      return first === undefined ? { kind: 'sampled', samples: all } : { kind: 'failed', samples: all, fault: first };
    },
    close: () => database.close(),
  };
}

function openDatabase(database: SqlType['database'], means: SamplerMeans): Database {
  switch (database.kind) {
    case 'postgres':
      return whenAsked(async () => (await import('./postgres.ts')).openPostgres(database, means));
    case 'sqlite':
      return openSqlite(database, means.clock);
  }
}

/** PostgreSQL's client is loaded on hosts that ask one. */
function whenAsked(load: () => Promise<Database>): Database {
  let database: Database | undefined;
  const loaded = async (): Promise<Database> => {
    database ??= await load();
    return database;
  };
  return {
    open: async (signal) => (await loaded()).open(signal),
    select: async (query, spanMs, signal) => await (await loaded()).select(query, spanMs, signal),
    rest: () => database?.rest(),
    close: () => database?.close(),
  };
}

/** What the connection string says is secret, so the name of the secret stands for it. */
function instanceOf(database: SqlType['database']): string {
  if (database.kind === 'sqlite') return database.path;
  const { dsn } = database;
  if ('credential' in dsn) return dsn.credential;
  return 'file' in dsn ? dsn.file : dsn.env;
}

type Asking = {
  readonly database: Database;
  readonly type: SqlType;
  readonly own: Labels;
  readonly means: SamplerMeans;
  readonly remainingMs: () => number;
};

type Asked = { readonly samples: Sample[]; readonly fault?: SamplingFault };

/** One after the other. Each gets an equal share of the time that is left, so that none takes that of the others. */
async function askAll(asking: Asking, signal: AbortSignal): Promise<Asked[]> {
  const asked: Asked[] = [];
  for (const [index, query] of asking.type.queries.entries()) {
    const left = asking.type.queries.length - index;
    // A little stays for what comes after the last query, so that the sampling is not cut off with all that it has.
    const spanMs = Math.max(1, Math.floor((asking.remainingMs() * 0.9) / left));
    asked.push(await askOne(asking, query, spanMs, signal));
  }
  return asked;
}

async function askOne(asking: Asking, query: SqlQuery, spanMs: number, signal: AbortSignal): Promise<Asked> {
  const { database, own, means } = asking;
  const begun = means.clock.elapsed();
  const selected = await attempt(async () => samplesOf(query, own, await database.select(query, spanMs, signal)));
  const about = (name: string) => labelsOf(Object.entries({ ...own, __name__: name, query: query.name }));
  const report = [
    { labels: about('sql_query_success'), value: 'fault' in selected ? 0 : 1 },
    { labels: about('sql_query_duration_seconds'), value: (means.clock.elapsed() - begun) / 1000 },
  ];
  if (!('fault' in selected)) return { samples: [...report, ...selected.value] };
  const { code, message } = selected.fault;
  return {
    samples: [...report, errorOf({ ...own, query: query.name }, selected.fault)],
    fault: { code, message: `${query.name}: ${message}` },
  };
}

/** By its code, what kind of fault it is: a damaged log is mended in another way than a damaged database. */
function errorOf(about: Labels, { code }: SamplingFault): Sample {
  return { labels: labelsOf(Object.entries({ ...about, __name__: 'sql_error', code })), value: 1 };
}

function samplesOf(query: SqlQuery, own: Labels, rows: readonly Row[]): Sample[] {
  const seen = new Set<string>();
  return rows.flatMap(({ value, labels: columns }) => {
    if (value === null) return [];
    const labels = labelsOf(Object.entries({ ...columns, ...own, __name__: query.name }));
    const text = formatSeries(labels);
    if (seen.has(text)) throw new SqlFault('repeated_series', `two rows have the same labels: ${text}`);
    seen.add(text);
    return [{ labels, value }];
  });
}

type Attempt<T> = { readonly value: T } | { readonly fault: SamplingFault };

async function attempt<T>(act: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await act() };
  } catch (error) {
    if (!(error instanceof SqlFault)) throw error;
    return { fault: { code: error.code, message: error.message } };
  }
}
