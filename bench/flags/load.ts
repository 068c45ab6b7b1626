import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const USERS = 1_000;

/** Requests a second of so many connections, each of which asks again when it has its answer. */
export async function requestsPerSecond(
  port: number,
  { connections, seconds, token }: { readonly connections: number; readonly seconds: number; readonly token: string },
): Promise<number> {
  const requests = Array.from({ length: USERS }, (_, user) => requestFor(`user-${user}`, token));
  let answered = 0;
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  for (const [index, socket] of sockets.entries()) {
    let next = index;
    socket.on('data', (data: Buffer) => {
      // An answer fits into one packet; anything else than a good one ends the benchmark.
      if (!data.subarray(0, 15).equals(GOOD)) throw new Error(`an answer was ${data.toString('latin1').slice(0, 300)}`);
      answered += 1;
      next += connections;
      socket.write(requests[next % USERS] ?? '');
    });
    socket.write(requests[next % USERS] ?? '');
  }
  const started = performance.now();
  await new Promise((resolve) => {
    setTimeout(resolve, seconds * 1000);
  });
  const rate = answered / ((performance.now() - started) / 1000);
  for (const socket of sockets) socket.destroy();
  return rate;
}

const GOOD = Buffer.from('HTTP/1.1 200 OK');

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return socket;
}

function requestFor(targetingKey: string, token: string): Buffer {
  const body = JSON.stringify({ context: { targetingKey, email: `${targetingKey}@example.com`, plan: 'free' } });
  const head = [
    'POST /ofrep/v1/evaluate/flags/checkout HTTP/1.1',
    'Host: 127.0.0.1',
    'Content-Type: application/json',
    `Authorization: Bearer ${token}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}
