/**
 * Rollback points of files and of a database, beside restic and beside `VACUUM INTO` with zstd.
 * `npm run bench:points -- [FILES] [MEGABYTES] [DATABASE_MEGABYTES]`
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const [files = 5_000, megabytes = 500, databaseMegabytes = 1_000] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), 'revertd-bench-points-'));
const PROGRAM = join(import.meta.dirname, 'captured-process.ts');

type Row = Readonly<Record<string, number | string>>;

/** Half of it is random, half is text: as configuration, code and uploads are together. */
function makeTree(at: string): void {
  const size = Math.round((megabytes * 1e6) / files);
  for (let index = 0; index < files; index += 1) {
    const under = join(at, `folder-${index % 50}`);
    mkdirSync(under, { recursive: true });
    const content =
      index % 2 === 0
        ? randomBytes(size)
        : Buffer.from(`line ${index} of some text\n`.repeat(size / 20)).subarray(0, size);
    writeFileSync(join(under, `file-${index}`), content);
  }
}

function makeDatabase(path: string): void {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b BLOB)');
  const insert = database.prepare(
    "INSERT INTO t (a, b) VALUES (hex(randomblob(200)) || printf('%0500d', 1), randomblob(600))",
  );
  while (statSync(path).size < databaseMegabytes * 1e6) {
    database.exec('BEGIN');
    for (let index = 0; index < 20_000; index += 1) insert.run();
    database.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)');
  }
  database.close();
}

function timed(what: string, program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): number {
  const begun = performance.now();
  const { status, stderr, error } = spawnSync(program, args, { env, encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (status !== 0) throw new Error(`${what}: ${error?.message ?? stderr}`);
  return Math.round(performance.now() - begun);
}

function revertd(store: string, type: object): Row {
  const args = ['--disable-warning=ExperimentalWarning', PROGRAM, store, JSON.stringify(type)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Row;
}

function restic(tree: string): Row {
  const repository = join(folder, 'restic');
  const env = {
    ...process.env,
    RESTIC_REPOSITORY: repository,
    RESTIC_PASSWORD: 'bench',
    RESTIC_CACHE_DIR: join(folder, 'cache'),
  };
  timed('restic init', 'restic', ['init', '-q'], env);
  const first = timed('restic backup', 'restic', ['backup', '-q', tree], env);
  const unchanged = timed('restic backup', 'restic', ['backup', '-q', tree], env);
  const restore = timed(
    'restic restore',
    'restic',
    ['restore', '-q', 'latest', '--target', join(folder, 'restored')],
    env,
  );
  return { first, unchanged, restore };
}

function vacuum(path: string): Row {
  const copy = join(folder, 'vacuumed.db');
  const begun = performance.now();
  const database = new DatabaseSync(path, { readOnly: true });
  database.prepare('VACUUM INTO ?').run(copy);
  database.close();
  const vacuumed = Math.round(performance.now() - begun);
  const compressed = timed('zstd', 'zstd', ['-q', '-1', copy, '-o', `${copy}.zst`]);
  return { first: vacuumed + compressed, vacuumed, compressed };
}

function print(what: string, row: Row): void {
  process.stdout.write(`${what.padEnd(28)} ${JSON.stringify(row)}\n`);
}

try {
  const tree = join(folder, 'tree');
  makeTree(tree);
  process.stdout.write(`${files} files, ${megabytes} MB, ms\n`);
  print('restic', restic(tree));
  print(
    'revertd',
    revertd(join(folder, 'points'), { kind: 'files', paths: [tree], exclude: [], oneFileSystem: false }),
  );
  rmSync(tree, { recursive: true });
  const path = join(folder, 'bench.db');
  makeDatabase(path);
  process.stdout.write(`SQLite, ${databaseMegabytes} MB, ms\n`);
  print('VACUUM INTO and zstd -1', vacuum(path));
  print('revertd', revertd(join(folder, 'database'), { kind: 'sqlite', path }));
} finally {
  rmSync(folder, { recursive: true });
}
