/**
 * Rollback points of files and of a database, beside restic and beside `VACUUM INTO` with zstd.
 * `npm run bench:points -- [FILES] [MEGABYTES] [DATABASE_MEGABYTES] [RUNS] [FOLDERS]`
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Aim, aimsTable } from '../support/aims.ts';
import { asInstalled } from '../support/as-installed.ts';
import { report, table } from '../support/report.ts';
import { median } from '../support/statistics.ts';

const [files = 5_000, megabytes = 500, databaseMegabytes = 1_000, runs = 5, folders = 50] = process.argv
  .slice(2)
  .map(Number);
const folder = mkdtempSync(join(tmpdir(), 'revertd-bench-points-'));
const PROGRAM = join(import.meta.dirname, 'captured-process.ts');

type Row = Readonly<Record<string, number>>;

const installed = asInstalled();

/** Half of it is random, half is text: as configuration, code and uploads are together. */
function makeTree(at: string): void {
  const size = Math.round((megabytes * 1e6) / files);
  for (let index = 0; index < files; index += 1) {
    const under = join(at, `folder-${index % folders}`);
    mkdirSync(under, { recursive: true });
    const content =
      index % 2 === 0
        ? randomBytes(size)
        : Buffer.from(`line ${index} of some text\n`.repeat(Math.ceil(size / 12))).subarray(0, size);
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
  spawnSync('sync');
  const begun = performance.now();
  const { status, stderr, error } = spawnSync(program, args, { env, encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (status !== 0) throw new Error(`${what}: ${error?.message ?? stderr}`);
  return Math.round(performance.now() - begun);
}

/**
 * A name that was not used yet. Nothing is removed until the end: for a minute after thousands of files were removed, ext4
 * looks at each of their inodes before it gives out a new one, and whoever makes files then pays for it.
 */
function unused(name: string): string {
  return mkdtempSync(join(folder, `${name}-`));
}

function revertd(type: object): Row {
  const store = unused('store');
  spawnSync('sync');
  const program = dirname(installed.main);
  const flags = ['--disable-warning=ExperimentalWarning', ...installed.flags];
  const args = [...flags, PROGRAM, program, store, JSON.stringify(type)];
  const env = { ...process.env, ...installed.environment };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const row = JSON.parse(stdout) as Row;
  return { ...row, durable: row['restore'] ?? Number.NaN };
}

function restic(tree: string): Row {
  const repository = unused('restic');
  const env = {
    ...process.env,
    RESTIC_REPOSITORY: repository,
    RESTIC_PASSWORD: 'bench',
    RESTIC_CACHE_DIR: unused('cache'),
  };
  timed('restic init', 'restic', ['init', '-q'], env);
  const first = timed('restic backup', 'restic', ['backup', '-q', tree], env);
  const unchanged = timed('restic backup', 'restic', ['backup', '-q', tree], env);
  const target = unused('restored');
  const restore = timed('restic restore', 'restic', ['restore', '-q', 'latest', '--target', target], env);
  // It leaves what it wrote to the kernel. revertd answers for what it restored once the disk has it.
  const begun = performance.now();
  spawnSync('sync', ['-f', target]);
  return { first, unchanged, restore, durable: restore + Math.round(performance.now() - begun) };
}

function vacuum(path: string): Row {
  const copy = join(folder, 'vacuumed.db');
  for (const left of [copy, `${copy}.zst`]) rmSync(left, { force: true });
  spawnSync('sync');
  const begun = performance.now();
  const database = new DatabaseSync(path, { readOnly: true });
  database.prepare('VACUUM INTO ?').run(copy);
  database.close();
  const vacuumed = Math.round(performance.now() - begun);
  const begunZstd = performance.now();
  const { status } = spawnSync('zstd', ['-q', '-1', copy, '-o', `${copy}.zst`]);
  if (status !== 0) throw new Error('zstd failed');
  const compressed = Math.round(performance.now() - begunZstd);
  for (const left of [copy, `${copy}.zst`]) rmSync(left);
  return { first: vacuumed + compressed, vacuumed, compressed };
}

/** Each beside the other, several times: what else the machine does then hits both. */
function measured(peer: () => Row, own: () => Row): { readonly peer: Row; readonly own: Row } {
  const rounds = Array.from({ length: runs }, () => ({ peer: peer(), own: own() }));
  return { peer: mediansOf(rounds.map((round) => round.peer)), own: mediansOf(rounds.map((round) => round.own)) };
}

function mediansOf(rows: readonly Row[]): Row {
  const names = Object.keys(rows[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, median(rows.map((row) => row[name] ?? Number.NaN))]));
}

const COLUMNS = ['first', 'unchanged', 'restore', 'durable', 'idleRssMiB', 'captureRssMiB', 'rssMiB'] as const;

function tableOf(what: string, rows: readonly (readonly [string, Row])[]): string {
  const cells = rows.map(([name, row]) => [name, ...COLUMNS.map((column) => String(row[column] ?? ''))]);
  return table([what, 'first', 'unchanged', 'restore', 'durable', 'RSS idle', 'captured', 'restored, MiB'], cells);
}

function ratio(own: Row, peer: Row, name: string): number {
  return (own[name] ?? Number.NaN) / (peer[name] ?? Number.NaN);
}

try {
  const tree = join(folder, 'tree');
  makeTree(tree);
  const type = { kind: 'files', paths: [tree], exclude: [], oneFileSystem: false };
  const trees = measured(
    () => restic(tree),
    () => revertd(type),
  );
  const path = join(folder, 'bench.db');
  makeDatabase(path);
  const databases = measured(
    () => vacuum(path),
    () => revertd({ kind: 'sqlite', path }),
  );
  const part = { unit: '', digits: 2 };
  const aims: readonly Aim[] = [
    { what: 'first capture of files, of restic', atMost: 1, figure: ratio(trees.own, trees.peer, 'first'), ...part },
    { what: 'restore of files, of restic', atMost: 1, figure: ratio(trees.own, trees.peer, 'restore'), ...part },
    { what: 'unchanged files', atMost: 500, figure: trees.own['unchanged'] ?? Number.NaN, unit: ' ms', digits: 0 },
    {
      what: 'capture of a database, of VACUUM INTO and zstd',
      atMost: 1.3,
      figure: ratio(databases.own, databases.peer, 'first'),
      ...part,
    },
    {
      what: 'memory',
      atMost: 150,
      figure: Math.max(trees.own['rssMiB'] ?? Number.NaN, databases.own['rssMiB'] ?? Number.NaN),
      unit: ' MiB',
      digits: 0,
    },
  ];
  const text = [
    tableOf(`${files} files, ${megabytes} MB, ms, median of ${runs}`, [
      ['restic', trees.peer],
      ['revertd', trees.own],
    ]),
    tableOf(`SQLite, ${databaseMegabytes} MB, ms, median of ${runs}`, [
      ['VACUUM INTO, zstd -1', databases.peer],
      ['revertd', databases.own],
    ]),
    aimsTable(aims),
  ].join('\n');
  report(text, { trees, databases });
} finally {
  rmSync(folder, { recursive: true });
}
