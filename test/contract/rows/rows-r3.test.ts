/**
 * R3 on a real PostgreSQL, whose optimised indexes make real inserts slow, and on Neo4j's HTTP API. The policies are the
 * pack's. pgvector is no package of Debian: its access method and operator class are stood in for by names for GiST's own.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { Counter, Histogram, Registry } from 'prom-client';
import { afterAll, describe, expect, test } from 'vitest';
import { loopback } from '../../support/loopback.ts';
import { startPostgres } from '../../support/postgres.ts';
import { type GraphServer, startGraph } from '../../support/rows/graph-server.ts';
import { openInbox } from '../../support/rows/inbox.ts';
import { deleted, inverted, mutatePolicies, PACKS } from '../../support/rows/mutate-pack.ts';
import { startPackProcess } from '../../support/rows/pack-process.ts';

const SCHEMA = `
CREATE ACCESS METHOD ivfflat TYPE INDEX HANDLER gisthandler;
CREATE OPERATOR CLASS vector_cosine_ops DEFAULT FOR TYPE box USING ivfflat AS
  OPERATOR 1 <<, OPERATOR 3 &&, OPERATOR 5 >>,
  FUNCTION 1 gist_box_consistent(internal, box, smallint, oid, internal), FUNCTION 2 gist_box_union(internal, internal),
  FUNCTION 5 gist_box_penalty(internal, internal, internal), FUNCTION 6 gist_box_picksplit(internal, internal),
  FUNCTION 7 gist_box_same(box, box, internal);
CREATE TABLE memories (user_id text, created_at timestamptz DEFAULT now(), embedding box, metadata jsonb);
CREATE FUNCTION normalised(jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM pg_sleep(0.15); RETURN $1; END';
CREATE INDEX idx_memory_vector_hnsw ON memories USING ivfflat (embedding vector_cosine_ops);
CREATE INDEX idx_memory_user_timestamp ON memories (user_id, created_at);
CREATE INDEX idx_memory_metadata_gin ON memories USING gin (normalised(metadata));
`;
const OPTIMISED = ['idx_memory_metadata_gin', 'idx_memory_user_timestamp', 'idx_memory_vector_hnsw'];
const ORIGINAL = ['idx_memory_user_original', 'idx_memory_vector_original'];
const GRAPH_OPTIMISED = ['memory_user_idx', 'memory_timestamp_idx'];
const ADD = `INSERT INTO memories (user_id, embedding, metadata) VALUES ('ann', '(0,0),(1,1)', '{"a": 1}')`;

const folder = mkdtempSync(join(tmpdir(), 'revertd-r3-'));
const [postgres, inbox] = await Promise.all([startPostgres(), openInbox()]);

afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await inbox[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** A service that adds memories to PostgreSQL and searches the graph, again and again, and measures both. */
class Memories implements AsyncDisposable {
  readonly name: string;
  readonly #scrapes: { count: number };
  readonly #abort: AbortController;
  readonly #closing: readonly (() => unknown)[];
  readonly graph: GraphServer;
  readonly url: string;

  private constructor(
    name: string,
    graph: GraphServer,
    url: string,
    scrapes: { count: number },
    abort: AbortController,
    closing: readonly (() => unknown)[],
  ) {
    this.name = name;
    this.graph = graph;
    this.url = url;
    this.#scrapes = scrapes;
    this.#abort = abort;
    this.#closing = closing;
  }

  static async open(name: string, brokenIndex: string): Promise<Memories> {
    psql('postgres', `CREATE DATABASE "${name}"`);
    psql(name, SCHEMA);
    const graph = await startGraph(GRAPH_OPTIMISED, brokenIndex);
    const registry = new Registry();
    const shared = { registers: [registry], help: 'of the databases' };
    const seconds = new Histogram({ ...shared, name: 'mem0_database_query_seconds', buckets: [0.05, 0.1, 0.25, 1] });
    const errors = new Counter({ ...shared, name: 'mem0_database_errors_total' });
    const scrapes = { count: 0 };
    const server = await loopback((request, response) => {
      if (request.url !== '/metrics') return void response.end('{}');
      scrapes.count += 1;
      return void registry.metrics().then((text) => response.end(text));
    });
    const client = new Client(postgres.dsn(name));
    await client.connect();
    const abort = new AbortController();
    const work = async () => {
      while (!abort.signal.aborted) {
        const end = seconds.startTimer();
        await client.query(ADD);
        end();
        if (!(await search(graph))) errors.inc();
        await pause(20);
      }
    };
    const working = work();
    const closing = [
      () => working,
      () => client.end(),
      () => server[Symbol.asyncDispose](),
      () => graph[Symbol.asyncDispose](),
    ];
    return new Memories(name, graph, server.origin, scrapes, abort, closing);
  }

  async guard(policies = join(PACKS, 'mem0-stack'), as = this.name): Promise<AsyncDisposable> {
    const other = `${this.url}/other`;
    return await startPackProcess({
      name: as,
      folder: join(folder, as),
      policies,
      variables: {
        ...Object.fromEntries(
          ['mem0Url', 'mcpUrl', 'mem0UiUrl', 'mcpMetricsUrl', 'cadvisorMetricsUrl', 'prometheusUrl'].map((key) => [
            key,
            other,
          ]),
        ),
        mem0MetricsUrl: `${this.url}/metrics`,
        neo4jUrl: this.graph.url,
        agentsStatusUrl: `${inbox.url}/${as}/agents`,
        docker: '/usr/bin/docker',
        mem0Container: 'none',
        mcpContainer: 'none',
        mem0Containers: 'none',
        mem0EnvFile: join(folder, 'mem0.env'),
        mcpEnvFile: join(folder, 'mcp.env'),
        mem0Checkout: join(folder, 'checkout'),
        clientSettingsFile: join(folder, 'settings.json'),
        clientSettingsBackup: join(folder, 'settings.json.backup'),
        mem0Interval: '250ms',
        mem0Timeout: '200ms',
        mem0Window: '3s',
        mem0LongFor: '1s',
        mem0Settle: '1s',
        mem0IndexWithin: '8s',
      },
      credentials: {
        'mem0-oncall-webhook': `${inbox.url}/${as}/oncall`,
        'mem0-status-webhook': `${inbox.url}/${as}/status`,
        'mem0-dsn': postgres.dsn(this.name),
        'mem0-admin-dsn': postgres.dsn(this.name),
        'mem0-neo4j-password': 'graph password',
      },
    });
  }

  get indexes(): string {
    return psql(this.name, "SELECT indexname FROM pg_indexes WHERE tablename = 'memories' ORDER BY 1");
  }

  /** How long one more memory takes now, in milliseconds, as psql tells. */
  get addMs(): number {
    return Number(/Time: ([\d.]+) ms/.exec(psql(this.name, `\\timing on\n${ADD};`))?.[1]);
  }

  async untilScraped(times: number): Promise<void> {
    const goal = this.#scrapes.count + times;
    while (this.#scrapes.count < goal) await pause(20);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    for (const close of this.#closing) await close();
  }
}

async function search(graph: GraphServer): Promise<boolean> {
  const response = await fetch(`${graph.url}/db/neo4j/tx/commit`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa('neo4j:graph password')}` },
    body: JSON.stringify({ statements: [{ statement: 'MATCH (n:Memory) RETURN count(n)' }] }),
  });
  const { errors } = (await response.json()) as { readonly errors: readonly unknown[] };
  return errors.length === 0;
}

function psql(database: string, script: string): string {
  const argv = [
    '--no-psqlrc',
    '--quiet',
    '--tuples-only',
    '--no-align',
    '--set=ON_ERROR_STOP=1',
    postgres.dsn(database),
  ];
  return execFileSync('psql', argv, { input: script }).toString().trim();
}

async function told(name: string, topic: string): Promise<string> {
  for (;;) {
    const letter = inbox.letters(`/${name}/oncall`).find((each) => each.topic === topic);
    if (letter !== undefined) return letter.words;
    await pause(20);
  }
}

describe('[R3] indexes that do more harm than good', () => {
  test('are replaced in PostgreSQL, and no more is done if that helps', async () => {
    await using memories = await Memories.open('slow', 'none');
    expect(memories.addMs).toBeGreaterThan(150);
    await using daemon = await memories.guard();
    expect(await told('slow', 'opened')).toContain('mem0-indexes/query-time ');
    await told('slow', 'resolved');
    expect(memories.indexes.split('\n')).toEqual(ORIGINAL);
    expect(memories.addMs).toBeLessThan(150);
    expect([...memories.graph.indexes]).toEqual(GRAPH_OPTIMISED);
    expect(daemon).toBeDefined();
  });

  test('are replaced in Neo4j too while its errors go on', async () => {
    await using memories = await Memories.open('failing', 'memory_user_idx');
    await using daemon = await memories.guard();
    await told('failing', 'resolved');
    expect(memories.indexes.split('\n')).toEqual(ORIGINAL);
    expect([...memories.graph.indexes]).toEqual(['memory_id_original']);
    expect(await search(memories.graph)).toBe(true);
    expect(daemon).toBeDefined();
  });

  test('stay once the policy is deleted, or its thresholds inverted', async () => {
    const mutant = (name: string, change: typeof deleted) =>
      mutatePolicies('mem0-stack', { 'mem0-indexes': 'indexes.yaml' }, join(folder, `pack-${name}`), change);
    await using memories = await Memories.open('kept', 'memory_user_idx');
    await using one = await memories.guard(mutant('deleted', deleted), 'deleted');
    await using other = await memories.guard(mutant('inverted', inverted), 'inverted');
    // Each looks four times a second; the ladder above begins within two.
    await memories.untilScraped(60);
    expect(memories.indexes.split('\n')).toEqual(OPTIMISED);
    expect([...memories.graph.indexes]).toEqual(GRAPH_OPTIMISED);
    expect(memories.addMs).toBeGreaterThan(150);
    expect([...inbox.letters('/deleted/oncall'), ...inbox.letters('/inverted/oncall')]).toEqual([]);
    expect([one, other]).toHaveLength(2);
  });
});
