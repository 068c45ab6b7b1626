/**
 * A service for tests: it reads FAST_PATH from an env file at start and at SIGHUP, and is slow when the flag is on and
 * it was degraded. Usage: node app.ts ENV_FILE PID_FILE; it prints its port.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [envFile = '', pidFile = ''] = process.argv.slice(2);
let fast = readFlag();
let degraded = false;
let reloads = 0;
let switches = 0;

process.on('SIGHUP', () => {
  fast = readFlag();
  reloads += 1;
});

const server = createServer((request, response) => {
  switch (`${request.method} ${request.url}`) {
    case 'GET /metrics':
      response.end(`# TYPE app_latency_seconds gauge\napp_latency_seconds ${fast && degraded ? 0.9 : 0.1}\n`);
      break;
    case 'GET /state':
      response.end(JSON.stringify({ fast, reloads, switches }));
      break;
    case 'POST /degrade':
      degraded = true;
      response.end();
      break;
    case 'POST /mend':
      degraded = false;
      response.end();
      break;
    case 'POST /switch':
      switches += 1;
      response.end();
      break;
    default:
      response.writeHead(request.url === '/health' ? 200 : 404).end();
  }
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  writeFileSync(pidFile, `${process.pid}\n`);
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`);
});

function readFlag(): boolean {
  return /^FAST_PATH="?true"?$/m.test(readFileSync(envFile, 'utf8'));
}
