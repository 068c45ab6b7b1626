/** What HTTP alone takes with Node: a server that reads the body and answers a constant, as large as an evaluation. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const BODY = JSON.stringify({
  key: 'checkout',
  value: true,
  reason: 'TARGETING_MATCH',
  variant: 'on',
  metadata: { 'revertd.revision': `folder:${'0'.repeat(64)}`, 'revertd.reason': 'git' },
});

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(BODY) });
    response.end(BODY);
  });
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
process.on('SIGTERM', () => process.exit());
