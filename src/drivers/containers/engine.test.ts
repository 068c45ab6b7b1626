import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeEngine } from '../../../test/support/engine-suite.ts';
import { startFakeEngine } from '../../../test/support/fake-engine.ts';
import { createContainerEngine } from './engine.ts';

describeEngine('a fake', startFakeEngine);

const never = new AbortController().signal;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'revertd-socket-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** An engine that answers as the test says, once it was greeted. */
async function answering(listener: RequestListener, version = '1.41') {
  const socket = join(folder, `${Math.random()}.sock`);
  const seen: string[] = [];
  const server = createHttpServer((request, response) => {
    seen.push(request.url ?? '');
    if (request.url === '/_ping') response.setHeader('api-version', version).end('OK');
    else listener(request, response);
  }).listen(socket);
  await once(server, 'listening');
  return {
    engine: createContainerEngine([socket]),
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

describe('without an engine', () => {
  it('names the sockets that it has looked for', async () => {
    const engine = createContainerEngine([join(folder, 'a.sock'), join(folder, 'b.sock')]);
    await expect(engine.list(never)).rejects.toMatchObject({
      code: 'noSocket',
      message: expect.stringMatching(/a\.sock and no .*b\.sock; start the engine, or name its socket/),
    });
  });

  it('says that nobody listens, or that it is no socket', async () => {
    const path = join(folder, 'left.sock');
    const server = createServer().listen(path);
    await once(server, 'listening');
    // Closing the server by its descriptor alone would leave the file; a plain file does as well.
    server.close();
    await once(server, 'close');
    await writeFile(path, '');
    await expect(createContainerEngine([path]).list(never)).rejects.toMatchObject({ code: 'refused' });
  });

  it('says that it may not open the socket', async () => {
    const path = join(folder, 'closed.sock');
    const server = createServer().listen(path);
    await once(server, 'listening');
    await chmod(path, 0o600);
    await chmod(folder, 0o755);
    const isRoot = process.getuid?.() === 0;
    if (isRoot) process.seteuid?.(65_534);
    else await chmod(path, 0);
    try {
      await expect(createContainerEngine([path]).list(never)).rejects.toMatchObject({
        code: 'notPermitted',
        message: expect.stringContaining('group of the socket'),
      });
    } finally {
      if (isRoot) process.seteuid?.(0);
      server.close();
      await once(server, 'close');
    }
  });

  it('takes the first socket that there is, also one that appears later', async () => {
    const later = join(folder, 'later.sock');
    await using first = await answering((_, response) => response.end('[]'));
    const engine = createContainerEngine([later, await first.engine.socket()]);
    expect(await engine.list(never)).toStrictEqual([]);
    const server = createHttpServer((request, response) => {
      response.setHeader('api-version', '1.30').end(request.url === '/_ping' ? 'OK' : '[{"Id": "1", "Names": ["/x"]}]');
    }).listen(later);
    await once(server, 'listening');
    expect(await engine.list(never)).toMatchObject([{ id: '1', name: 'x' }]);
    expect(await engine.greet(never)).toMatchObject({ api: '1.30' });
    server.close();
  });
});

describe('the version', () => {
  it.each([
    ['1.41', '/v1.41/containers/json?all=1'],
    ['1.24', '/v1.24/containers/json?all=1'],
    ['1.99', '/v1.51/containers/json?all=1'],
  ])('of an engine that offers %s', async (offered, path) => {
    await using peer = await answering((_, response) => response.end('[]'), offered);
    await peer.engine.list(never);
    await peer.engine.list(never);
    expect(peer.seen).toStrictEqual(['/_ping', path, path]);
  });

  it.each([['1.23'], ['nonsense'], ['']])('%j is refused', async (offered) => {
    await using peer = await answering((_, response) => response.end('[]'), offered);
    await expect(peer.engine.list(never)).rejects.toMatchObject({ code: 'notAnEngine' });
  });

  it('is settled anew after a fault', async () => {
    let cut = true;
    await using peer = await answering((request, response) => {
      if (cut) request.socket.destroy();
      else response.end('[]');
      cut = false;
    });
    await expect(peer.engine.list(never)).rejects.toMatchObject({ code: 'lost' });
    await peer.engine.list(never);
    expect(peer.seen.filter((path) => path === '/_ping')).toHaveLength(2);
  });
});

describe('an answer', () => {
  it.each<[string, RequestListener, object]>([
    ['without JSON', (_, response) => response.end('<html>'), { code: 'notAnEngine' }],
    [
      'that breaks off',
      (request, response) => {
        response.writeHead(200, { 'content-length': '1000' }).write('[');
        setImmediate(() => request.socket.destroy());
      },
      { code: 'lost', message: expect.stringContaining('may have done') },
    ],
    [
      'in words',
      (_, response) => response.writeHead(500).end('{"message": "no space left"}'),
      { code: 'engine', message: 'the engine answered 500: no space left' },
    ],
    [
      'in other words',
      (_, response) => response.writeHead(502).end('bad gateway'),
      { message: expect.stringContaining('bad gateway') },
    ],
    ['without any', (_, response) => response.writeHead(500).end(), { message: expect.stringContaining('(no words)') }],
    ['that redirects', (_, response) => response.writeHead(301).end(), { code: 'engine' }],
    [
      'without end',
      (_, response) => {
        const more = () => response.write('x'.repeat(1_000_000), more);
        more();
      },
      { code: 'tooLarge' },
    ],
  ])('%s', async (_, listener, fault) => {
    await using peer = await answering(listener);
    await expect(peer.engine.list(never)).rejects.toMatchObject(fault);
  });

  it('of something that is not HTTP', async () => {
    const path = join(folder, 'ssh.sock');
    const server = createServer((socket) => socket.resume().end('SSH-2.0-x\r\n')).listen(path);
    await once(server, 'listening');
    await expect(createContainerEngine([path]).list(never)).rejects.toMatchObject({ code: 'notAnEngine' });
    server.close();
  });

  it('that holds nothing of what is expected is a container without anything', async () => {
    await using peer = await answering((_, response) => response.end('{"State": null, "Mounts": [7], "Config": []}'));
    expect(await peer.engine.inspect('x', never)).toMatchObject({ name: '', running: false, health: undefined });
  });

  it('is waited for until the signal', async () => {
    await using peer = await answering(() => undefined);
    await expect(peer.engine.list(AbortSignal.timeout(50))).rejects.toMatchObject({ code: 'stopped' });
  });
});
