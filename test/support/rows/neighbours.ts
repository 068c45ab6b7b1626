/**
 * What stands beside the services of mem0-stack, for all stacks at once: what cAdvisor exports, read from the real control
 * groups; a user interface; and Neo4j's HTTP API, which cannot be had here, answering with a count from a file.
 * Usage: node neighbours.ts FOLDER PORT, where FOLDER/NAME/groups.json maps a container's name to its control group.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { readGroup } from './memory-group.ts';

const [folder = '', port = ''] = process.argv.slice(2);
const CREDENTIALS = `Basic ${btoa('neo4j:graph password')}`;

function metrics(): string {
  const lines = readdirSync(folder).flatMap((stack) => {
    const file = join(folder, stack, 'groups.json');
    const groups = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, string>>) : {};
    return Object.entries(groups).flatMap(([name, group]) => linesOf(name, group));
  });
  return `${lines.join('\n')}\n`;
}

/** A group is gone while its unit is not running, which may come about between two looks. */
function linesOf(name: string, group: string): readonly string[] {
  try {
    const { workingSet, limit } = readGroup(group);
    return [
      `container_memory_working_set_bytes{name="${name}"} ${workingSet}`,
      `container_spec_memory_limit_bytes{name="${name}"} ${limit}`,
    ];
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ENODEV'].includes(String(error.code))) return [];
    throw error;
  }
}

createServer((request, response) => {
  const [, what = '', stack = '', ...rest] = (request.url ?? '').split('/');
  if (what === 'metrics') {
    response.end(metrics());
  } else if (request.method === 'GET') {
    response.writeHead(what === 'ui' || what === 'neo4j' ? 200 : 404).end();
  } else if (rest.join('/') !== 'db/neo4j/tx/commit' || request.headers.authorization !== CREDENTIALS) {
    response.writeHead(401).end();
  } else {
    const count = Number(readFileSync(join(folder, stack, 'graph'), 'utf8'));
    const results = [{ columns: ['count(n)'], data: [{ row: [count], meta: [null] }] }];
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ results, errors: [] }));
  }
}).listen(Number(port), '127.0.0.1');
