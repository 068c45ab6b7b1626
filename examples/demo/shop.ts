/**
 * A small service as any team might have it: it answers requests, exposes Prometheus metrics, and reads its flags from
 * an env file, again at each SIGHUP. Its new pricing path v2 turns slow once its cache is full (`POST /age`).
 * Usage: node shop.ts ENV_FILE PID_FILE; it prints its port.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { Histogram, Registry } from 'prom-client';

const [envFile = '', pidFile = ''] = process.argv.slice(2);
const registry = new Registry();
const seconds = new Histogram({
  name: 'shop_request_seconds',
  help: 'How long a basket took',
  buckets: [0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8],
  registers: [registry],
});

let path = readPath();
let aged = false;

process.on('SIGHUP', () => {
  path = readPath();
});

const server = createServer((incoming, outgoing) => {
  switch (incoming.url) {
    case '/metrics':
      void registry.metrics().then((text) => outgoing.end(text));
      break;
    case '/health':
      outgoing.end('ok');
      break;
    case '/age':
      aged = true;
      outgoing.end();
      break;
    case '/path':
      outgoing.end(path);
      break;
    default: {
      const stop = seconds.startTimer();
      setTimeout(
        () => {
          stop();
          outgoing.end('42.00');
        },
        path === 'v2' && aged ? 300 + Math.random() * 80 : 15 + Math.random() * 20,
      );
    }
  }
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  writeFileSync(pidFile, `${process.pid}\n`);
  process.stdout.write(`${port}\n`);
  setInterval(() => buy(port), 25);
});

function buy(port: number): void {
  request({ host: '127.0.0.1', port, path: '/basket' }, (answer) => answer.resume())
    .on('error', () => {
      // A customer whose request fails goes away.
    })
    .end();
}

function readPath(): string {
  return /^PRICING_PATH=(\S+)$/m.exec(readFileSync(envFile, 'utf8'))?.[1] ?? 'v1';
}
