import { spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type PostgresServer = AsyncDisposable & {
  /** A connection string for a database of the server, as its superuser, over the private socket. */
  readonly dsn: (database?: string) => string;
  readonly folder: string;
};

const PARENT = '/usr/lib/postgresql';

/** The folder with `initdb` and `postgres` of the newest version that Debian's package `postgresql` installed, if any. */
export const POSTGRES_BIN: string | undefined = existsSync(PARENT)
  ? readdirSync(PARENT)
      .sort((one, other) => Number(other) - Number(one))
      .map((version) => join(PARENT, version, 'bin'))
      .find((bin) => existsSync(join(bin, 'initdb')))
  : undefined;

/** A server of its own on a private socket, without TCP. It refuses to run as root, so then it runs as `postgres`. */
export async function startPostgres(): Promise<PostgresServer> {
  if (POSTGRES_BIN === undefined) throw new Error('install the package postgresql');
  const folder = mkdtempSync(join(tmpdir(), 'revertd-pg-'));
  const identity = identityFor(folder);
  const data = join(folder, 'data');
  const init = ['-D', data, '-U', 'tester', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C'];
  const made = spawnSync(join(POSTGRES_BIN, 'initdb'), init, { ...identity, cwd: folder, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
  const argv = ['-D', data, '-k', folder, '-c', 'listen_addresses=', '-c', 'fsync=off'];
  const server = spawn(join(POSTGRES_BIN, 'postgres'), argv, {
    ...identity,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  await ready(server.stderr, ended);
  return {
    folder,
    dsn: (database = 'postgres') => `postgres://tester@localhost/${database}?host=${encodeURIComponent(folder)}`,
    async [Symbol.asyncDispose]() {
      server.kill('SIGINT');
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

function identityFor(folder: string): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const [uid = 0, gid = 0] = ['-u', '-g'].map((flag) =>
    Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout),
  );
  chownSync(folder, uid, gid);
  return { uid, gid };
}

async function ready(messages: NodeJS.ReadableStream, ended: Promise<void>): Promise<void> {
  let said = '';
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  messages.setEncoding('utf8').on('data', (piece: string) => {
    said = (said + piece).slice(-10_000);
    if (said.includes('database system is ready to accept connections')) resolve();
  });
  void ended.then(() => reject(new Error(`postgres ended: ${said}`)));
  await promise;
}
