/**
 * The memory service of memory-system. Its features come from its environment, or from a JSON file that it reads again at
 * SIGHUP, or from its admin API, which ADMIN_TOKEN opens. FAULTS names a JSON file with what is wrong with it; most is
 * wrong only with the feature that it belongs to. What is wrong with the code stands in the release that RELEASE names.
 * Usage: node memory-service.ts, with PORT, FAULTS, DATABASE, PID_FILE, HEAP_LIMIT, and CONFIG or the USE_… variables.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { json, text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { Counter, collectDefaultMetrics, Gauge, Histogram, register } from 'prom-client';

export type MemoryFaults = {
  /** With injection: so much longer does it take. */
  readonly latencyMs?: number;
  /** With injection: the database is looked for where it is not. */
  readonly lostDatabase?: boolean;
  /** With injection: /health/deep says no. */
  readonly unhealthy?: boolean;
  /** With sharing: so many of the next sessions cannot be shared. */
  readonly unshared?: number;
  /** With tiers: so much of the heap is held. */
  readonly heapRatio?: number;
  /** With tiers: it takes memory until V8 ends it. */
  readonly leaks?: boolean;
  /** The service that is asked for documents answers so late. */
  readonly ragMs?: number;
  /** So many of ten lookups miss. */
  readonly missesOfTen?: number;
  /** One of so many injections fails. */
  readonly errorEvery?: number;
};

/** What a revision of the code does, whatever the features are. */
export type MemoryRelease = {
  readonly latencyMs?: number;
  /** Sample sessions are not served. */
  readonly refusesSamples?: boolean;
  /** It needs the tables of the migration. */
  readonly needsMemories?: boolean;
};

const { PORT = '', FAULTS = '', DATABASE = '', CONFIG = '', PID_FILE = '', HEAP_LIMIT = '' } = process.env;
const { RELEASE = '', ADMIN_TOKEN = '' } = process.env;
const USUAL_MS = 20;
const RAG_PATIENCE_MS = 200;
const FEATURES = ['USE_ENHANCED_INJECTION', 'USE_CROSS_AGENT_SHARING', 'USE_HIERARCHICAL_TIERS'] as const;

type Features = Readonly<Record<(typeof FEATURES)[number], boolean>>;

const release = RELEASE === '' ? {} : (JSON.parse(readFileSync(RELEASE, 'utf8')) as MemoryRelease);
let features = readFeatures();
let reloads = 0;
let scrapes = 0;
let sessions = 0;
let unshared = 0;
const held: string[] = [];

const count = (name: string) => new Counter({ name: `memory_${name}_total`, help: name });
const databaseErrors = count('database_connection_errors');
const sharingErrors = count('cross_agent_errors');
const ragTimeouts = count('rag_timeouts');
const injectionErrors = count('injection_errors');
const lookups = count('cache_lookups');
const hits = count('cache_hits');
const buckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2];
const seconds = new Histogram({ name: 'memory_injection_seconds', help: 'How long injections take', buckets });
const active = new Gauge({ name: 'memory_flag_sessions_active', help: 'Sessions that use a feature' });
collectDefaultMetrics();

process.on('SIGHUP', () => {
  features = readFeatures();
  reloads += 1;
});
writeFileSync(PID_FILE, `${process.pid}\n`);

function readFeatures(): Features {
  return featuresOf(
    CONFIG === ''
      ? process.env
      : (JSON.parse(readFileSync(CONFIG, 'utf8')) as { featureFlags: Record<string, unknown> }).featureFlags,
  );
}

function featuresOf(given: Readonly<Record<string, unknown>>): Features {
  const [injection, sharing, tiers] = FEATURES.map((name) => String(given[name]) === 'true');
  return {
    USE_ENHANCED_INJECTION: injection === true,
    USE_CROSS_AGENT_SHARING: sharing === true,
    USE_HIERARCHICAL_TIERS: tiers === true,
  };
}

function faults(): MemoryFaults {
  return JSON.parse(readFileSync(FAULTS, 'utf8')) as MemoryFaults;
}

async function inject(response: ServerResponse): Promise<void> {
  const { latencyMs = 0, lostDatabase = false, missesOfTen = 0, errorEvery = 0, unshared: most = 0 } = faults();
  const injects = features.USE_ENHANCED_INJECTION;
  const end = seconds.startTimer();
  sessions += 1;
  await pause(USUAL_MS + (injects ? latencyMs : 0) + (release.latencyMs ?? 0));
  lookups.inc();
  if (sessions % 10 >= missesOfTen) hits.inc();
  connect(injects && lostDatabase ? `${DATABASE}/lost` : DATABASE);
  await askForDocuments();
  if (features.USE_CROSS_AGENT_SHARING && unshared < most) {
    unshared += 1;
    sharingErrors.inc();
  }
  const fails = errorEvery > 0 && sessions % errorEvery === 0;
  if (fails) injectionErrors.inc();
  end();
  response.writeHead(fails ? 500 : 200).end();
}

function connect(path: string): void {
  try {
    const database = new DatabaseSync(path, { readOnly: true });
    database.prepare('SELECT count(*) FROM entities').get();
    if (release.needsMemories === true) database.prepare('SELECT text, created_at FROM memories').all();
    database.close();
  } catch {
    databaseErrors.inc();
  }
}

async function askForDocuments(): Promise<void> {
  try {
    const signal = AbortSignal.timeout(RAG_PATIENCE_MS);
    await (await fetch(`http://127.0.0.1:${PORT}/documents`, { signal })).arrayBuffer();
  } catch {
    ragTimeouts.inc();
  }
}

/** Little by little, so that the heap is not overrun where it is only to be filled. */
function fillHeap(): void {
  const { heapRatio = 0, leaks = false } = faults();
  if (!features.USE_HIERARCHICAL_TIERS) return;
  const target = leaks ? Number.POSITIVE_INFINITY : heapRatio * Number(HEAP_LIMIT);
  for (let step = 0; step < 32 && process.memoryUsage().heapUsed < target; step += 1) {
    // As a Buffer it would lie outside of the heap.
    held.push(Buffer.alloc(2 ** 19, 'x').toString('latin1'));
  }
}
setInterval(fillHeap, 50);

async function setFeatures(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (ADMIN_TOKEN === '' || request.headers.authorization !== `Bearer ${ADMIN_TOKEN}`) {
    response.writeHead(401).end();
    return;
  }
  features = featuresOf((await json(request)) as Readonly<Record<string, unknown>>);
  reloads += 1;
  response.end(JSON.stringify(features));
}

async function takeSample(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const isSample = (await text(request)).includes('revertd-sample');
  if (isSample && release.refusesSamples === true) response.writeHead(500).end();
  else await inject(response);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  switch (`${request.method} ${request.url}`) {
    case 'GET /metrics':
      scrapes += 1;
      active.set(Object.values(features).some((isOn) => isOn) ? 3 : 0);
      response.end(await register.metrics());
      break;
    case 'GET /state':
      response.end(JSON.stringify({ features, reloads, scrapes, release }));
      break;
    case 'GET /documents':
      await pause(faults().ragMs ?? 0);
      response.end('[]');
      break;
    case 'GET /health/deep':
      response.writeHead(features.USE_ENHANCED_INJECTION && faults().unhealthy === true ? 503 : 200).end();
      break;
    case 'GET /health/live':
    case 'GET /health/ready':
      response.end('ok');
      break;
    case 'POST /sessions/sample':
      await takeSample(request, response);
      break;
    case 'POST /admin/feature-flags':
      await setFeatures(request, response);
      break;
    default:
      response.writeHead(404).end();
  }
}

createServer((request, response) => void answer(request, response)).listen(Number(PORT), '127.0.0.1');
