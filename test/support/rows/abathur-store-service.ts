/**
 * The API of abathur on its database, which it has open from its start to its end. It is healthy while it can read and
 * its tables are there.
 * Usage: node abathur-store-service.ts PORT DATABASE
 */
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';

const [port = '', path = ''] = process.argv.slice(2);
const database = new DatabaseSync(path);
database.exec('PRAGMA journal_mode = WAL');

function isHealthy(): boolean {
  try {
    return database.prepare('SELECT count(*) AS n FROM tasks').get() !== undefined;
  } catch {
    return false;
  }
}

let scrapes = 0;

createServer((request, response) => {
  if (request.url === '/scrapes') return void response.end(String(scrapes));
  if (request.url === '/metrics') {
    scrapes += 1;
    return void response.end('abathur_vector_extension_errors_total 0\n');
  }
  const healthy = isHealthy();
  response.writeHead(healthy ? 200 : 503).end(JSON.stringify({ status: healthy ? 'healthy' : 'sick' }));
}).listen(Number(port), '127.0.0.1');
