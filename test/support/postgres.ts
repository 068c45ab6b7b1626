import { spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type PostgresServer = AsyncDisposable & {
  /** A connection string for a database of the server, as its superuser, over the private socket. */
  readonly dsn: (database?: string) => string;
  readonly folder: string;
  /** Stops it (SIGINT: at once, SIGQUIT: as a crash does) and starts it again. */
  readonly restart: (by: 'SIGINT' | 'SIGQUIT') => Promise<void>;
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
  const program = join(POSTGRES_BIN, 'postgres');
  const start = async () => {
    const server = spawn(program, argv, { ...identity, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
    await ready(server.stderr, ended);
    return { server, ended };
  };
  let running = await start();
  const stop = async (by: NodeJS.Signals) => {
    running.server.kill(by);
    await running.ended;
  };
  return {
    folder,
    restart: async (by) => {
      await stop(by);
      running = await start();
    },
    dsn: (database = 'postgres') => `postgres://tester@localhost/${database}?host=${encodeURIComponent(folder)}`,
    async [Symbol.asyncDispose]() {
      await stop('SIGINT');
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

/** Runs statements by psql and gives what they print, without headings. */
export function psql(dsn: string, ...statements: readonly string[]): string {
  if (POSTGRES_BIN === undefined) throw new Error('install the package postgresql');
  const commands = statements.flatMap((statement) => ['-c', statement]);
  const args = ['-X', '-q', '-t', '-A', '-v', 'ON_ERROR_STOP=1', '-d', dsn, ...commands];
  const done = spawnSync(join(POSTGRES_BIN, 'psql'), args, { encoding: 'utf8', env: {} });
  if (done.status !== 0) throw new Error(`psql: ${done.stderr}`);
  return done.stdout.trim();
}

/** Throws if a database that revertd made for itself is still on the server. */
export function refuseLeftovers(server: PostgresServer): void {
  const left = psql(server.dsn(), "SELECT datname FROM pg_database WHERE datname LIKE 'revertd%' ORDER BY 1");
  if (left !== '') throw new Error(`revertd left ${left} on the server`);
}
