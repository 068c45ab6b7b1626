/**
 * What a year leaves behind, and how it slows revertd down.
 * `npm run bench:growth -- [POINTS] [OPERATIONS] [READINGS]`; the figures that the issue names take 3 GB and some minutes.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect } from '../../src/library/daemon-client.ts';
import { STORE_FILE } from '../../src/store/database.ts';
import { Store } from '../../src/store/store.ts';
import { pidWithin, spawnBounded } from '../../test/support/peer-process.ts';
import { makeRepository } from '../../test/tools/git-repository.ts';
import { aimsTable } from '../support/aims.ts';
import { asInstalled } from '../support/as-installed.ts';
import { usageOf } from '../support/process-usage.ts';
import { report } from '../support/report.ts';
import { median, percentile } from '../support/statistics.ts';
import { makeYear } from './year.ts';

const [points = 10_000, operations = 1_000_000, readings = 10_000_000] = process.argv.slice(2).map(Number);
const DAY_MS = 86_400_000;
const REPEATS = 15;
const CLEANUPS = 300;
/** So long the socket is asked again and again; the daemon cleans up once a minute. */
const WATCHED_MS = Number(process.env['WATCHED_MS'] ?? 75_000);

const installed = asInstalled();
const folder = mkdtempSync(join(tmpdir(), 'revertd-growth-'));
const data = join(folder, 'data');
const config = join(folder, 'revertd.yaml');

function policies(): string {
  const documents = [
    { kind: 'Target', metadata: { name: 'settings' }, spec: { files: { paths: [join(folder, 'settings')] } } },
    { kind: 'PointPolicy', metadata: { name: 'hourly' }, spec: { targets: ['settings'], retain: { last: points } } },
  ];
  return documents.map((one) => JSON.stringify({ apiVersion: 'revertd.dev/v1', ...one })).join('\n---\n');
}

function prepare(): number {
  const git = makeRepository(join(folder, 'policies'));
  git.commit({ 'policies.yaml': policies() }, 'Keep points');
  const history = `history: { keep: 30d, maxRows: 4000000 }`;
  const source = `source: { url: ${JSON.stringify(join(folder, 'policies'))}, branch: main }`;
  writeFileSync(config, [source, `dataDir: ${JSON.stringify(data)}`, history].join('\n'));
  makeYear(data, { points, operations, readings }, Date.now());
  spawnSync('sync');
  return statSync(join(data, STORE_FILE)).size;
}

type Batch = { readonly wallMs: number; readonly cpuMs: number };

/** Deletes what is too old, a batch at a time as the daemon does, and answers how long each took. */
function cleanUp(): Batch[] {
  const store = new Store(data);
  const batches: Batch[] = [];
  for (let turn = 0; turn < CLEANUPS; turn += 1) {
    const begun = performance.now();
    const used = process.cpuUsage();
    if (store.history.compact(Date.now(), { keepMs: 30 * DAY_MS, mostRows: 4_000_000 }) === 0) break;
    const { user, system } = process.cpuUsage(used);
    batches.push({ wallMs: performance.now() - begun, cpuMs: (user + system) / 1_000 });
  }
  store.close();
  return batches;
}

type Run = {
  readonly readyMs: number;
  readonly readyCpuMs: number;
  readonly commandMs: number;
  readonly answerMs: number;
  readonly longestMs: number;
};

async function runDaemon(): Promise<Run> {
  const command = [...installed.flags, installed.main, 'run', '--config', config];
  const begun = performance.now();
  const child = spawnBounded(process.execPath, command, 600, ['ignore', 'ignore', 'pipe'], installed.environment);
  if (child.stderr === null) throw new Error('the daemon has no log');
  const ready = Promise.withResolvers<number>();
  let follows = (): void => undefined;
  const inForce = new Promise<void>((resolve) => {
    follows = resolve;
  });
  const log: string[] = [];
  child.on('exit', (code, signal) => {
    if (code !== 0) process.stderr.write(`the daemon ended (${code ?? signal}):\n${log.slice(-5).join('\n')}\n`);
  });
  createInterface(child.stderr).on('line', (line) => {
    log.push(line);
    if (line.includes('"revertd runs"')) ready.resolve(performance.now() - begun);
    if (line.includes('"revision.accepted"')) follows();
  });
  const readyMs = await ready.promise;
  const readyCpuMs = usageOf(pidWithin(child)).cpuMs;
  await inForce;
  const socket = join(data, 'control.sock');
  const client = await connect(socket);
  if (client === undefined) throw new Error('no daemon answers');
  const answerMs = median(await times(() => client.get('status')));
  const commandMs = median(
    await times(async () => {
      spawnSync(process.execPath, [installed.main, 'status', '--config', config], { stdio: 'ignore' });
    }),
  );
  const longestMs = percentile(await times(() => ask(socket), WATCHED_MS), 1);
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
  return { readyMs, readyCpuMs, commandMs, answerMs, longestMs };
}

/** Over a connection of its own, as a command does. */
async function ask(socket: string): Promise<void> {
  const client = await connect(socket);
  if (client === undefined) throw new Error('no daemon answers');
  await client.get('holds');
}

async function times(act: () => Promise<unknown>, forMs = 0): Promise<number[]> {
  const taken: number[] = [];
  const until = performance.now() + forMs;
  while (taken.length < REPEATS || performance.now() < until) {
    const begun = performance.now();
    await act();
    taken.push(performance.now() - begun);
  }
  return taken;
}

try {
  const bytes = prepare();
  const run = await runDaemon();
  const batches = cleanUp();
  const figures = {
    points,
    operations,
    readings,
    bytes,
    ...run,
    cleanups: batches.length,
    cleanUpCpuMs: median(batches.map(({ cpuMs }) => cpuMs)),
    longestCleanUpMs: Math.max(0, ...batches.map(({ wallMs }) => wallMs)),
    longestCleanUpCpuMs: Math.max(0, ...batches.map(({ cpuMs }) => cpuMs)),
  };
  const ms = (what: string, atMost: number, figure: number) => ({ what, atMost, figure, unit: ' ms', digits: 0 });
  const aims = [
    ms('ready after its start', 1_000, run.readyMs),
    ms('CPU time until then', 1_000, run.readyCpuMs),
    ms('revertd status, the whole command', 200, run.commandMs),
    ms('its answer alone', 200, run.answerMs),
    ms('longest turn of 75 s with a cleanup', 100, run.longestMs),
    ms('longest batch of a cleanup', 100, figures.longestCleanUpMs),
    ms('CPU time of the longest', 100, figures.longestCleanUpCpuMs),
  ];
  report(
    `${points} points, ${operations} operations, ${readings} readings: ${(bytes / 1e9).toFixed(2)} GB\n${aimsTable(aims)}`,
    figures,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
