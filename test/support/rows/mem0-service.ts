/**
 * A service of mem0-stack: ROLE `mem0` remembers in PostgreSQL, `mcp` and `ui` answer. What it takes from its .env file it
 * reads when it starts. FAULTS names a JSON file with what is wrong with it; most is wrong only with its caching.
 * Usage: node mem0-service.ts ROLE, with PORT, FAULTS, ENABLE_CACHING and, for mem0, DATABASE_URL and MEMORY_GROUP.
 */
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { Pool } from 'pg';
import { Counter, collectDefaultMetrics, Histogram, register } from 'prom-client';
import { readGroup } from './memory-group.ts';

export type Mem0Faults = {
  /** With caching: so much longer does each operation take. */
  readonly latencyMs?: number;
  /** With caching: one of so many operations fails. */
  readonly errorEvery?: number;
  /** With caching: so much of its memory is held. */
  readonly memoryRatio?: number;
  /** With caching: it ends. */
  readonly crash?: boolean;
  /** Adding a memory takes so much longer. */
  readonly addMs?: number;
  /** It does not tell how it fares. */
  readonly mute?: boolean;
};

const USUAL_MS = 20;
const MEBIBYTE = 1024 * 1024;
const [role = ''] = process.argv.slice(2);
const { PORT, FAULTS = '', ENABLE_CACHING, WORKERS, DATABASE_URL, MEMORY_GROUP = '' } = process.env;
const caching = ENABLE_CACHING === 'true';
const held: Buffer[] = [];
let scrapes = 0;
let operations = 0;

const database = role === 'mem0' ? new Pool({ connectionString: DATABASE_URL, max: 4 }) : undefined;
database?.on('error', () => {});

collectDefaultMetrics();
const seconds = new Histogram({
  name: 'mem0_operation_seconds',
  help: 'How long memory operations take',
  buckets: [0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1],
});
const results = new Counter({ name: 'mem0_operations_total', help: 'Memory operations', labelNames: ['result'] });

function faults(): Mem0Faults {
  return JSON.parse(readFileSync(FAULTS, 'utf8')) as Mem0Faults;
}

async function operate(kind: 'add' | 'search', response: ServerResponse): Promise<void> {
  const { latencyMs = 0, errorEvery = 0, addMs = 0 } = faults();
  const end = seconds.startTimer();
  try {
    await pause(USUAL_MS + (caching ? latencyMs : 0) + (kind === 'add' ? addMs : 0));
    operations += 1;
    if (caching && errorEvery > 0 && operations % errorEvery === 0) throw new Error('the cache is at fault');
    const sql =
      kind === 'add' ? "INSERT INTO memories (content) VALUES ('something')" : 'SELECT content FROM memories LIMIT 1';
    await database?.query(sql);
    results.inc({ result: 'success' });
    response.end('{}');
  } catch (error) {
    results.inc({ result: 'error' });
    response.writeHead(500).end(String(error));
  }
  end();
}

/** Little by little, until the kernel says that it is so much. */
function holdMemory(): void {
  const { crash = false, memoryRatio = 0 } = faults();
  if (!caching) return;
  if (crash) process.exit(1);
  if (memoryRatio === 0) return;
  const { workingSet, limit } = readGroup(MEMORY_GROUP);
  const missing = Math.floor((memoryRatio * limit - workingSet) / MEBIBYTE);
  for (let count = 0; count < Math.min(missing, 8); count += 1) held.push(Buffer.alloc(MEBIBYTE, 1));
}

if (role === 'mem0') setInterval(holdMemory, 50);

createServer((request, response) => {
  switch (`${request.method} ${request.url}`) {
    case 'GET /metrics':
      scrapes += 1;
      if (faults().mute === true) return void response.writeHead(503).end();
      return void register.metrics().then((text) => response.end(text));
    case 'GET /state':
      return void response.end(JSON.stringify({ caching, workers: Number(WORKERS ?? 0), scrapes }));
    case 'POST /memories':
      return void operate('add', response);
    case 'POST /search':
      return void operate('search', response);
    default:
      return void response.writeHead(request.url === '/health' || role === 'ui' ? 200 : 404).end();
  }
}).listen(Number(PORT), '127.0.0.1');
