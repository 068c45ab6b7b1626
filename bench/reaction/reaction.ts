/**
 * From a metric that turns bad to what is done about it. First beside Prometheus and Alertmanager, everything at one second;
 * then revertd alone, from the last byte of the scrape that shows it. Usage: npm run bench:reaction -- [FLIPS] [FAST_FLIPS]
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { aimsTable } from '../support/aims.ts';
import { asInstalled } from '../support/as-installed.ts';
import { report, table } from '../support/report.ts';
import { percentile } from '../support/statistics.ts';
import { type Flip, openStage, type Stage } from './flips.ts';
import { startPeers, startRevertd } from './guarded.ts';

const SETTLE_MS = 8_000;
const FAST_INTERVAL_MS = 200;
/** Policies that take turns; each has resolved its incident and cooled down before its next turn. */
const FAST_METRICS = 36;
/** Between two flips, in which the incident before is closed and its report written: by the next scrape but one. */
const REST_MS = FAST_INTERVAL_MS + 50;

const [flips = 40, fastFlips = 200] = process.argv.slice(2).map(Number);
const installed = asInstalled();
const folder = mkdtempSync(join(tmpdir(), 'revertd-bench-'));
try {
  await compare();
  await measureScrapeToAction();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function compare(): Promise<void> {
  const here = own('beside');
  await using stage = await openStage(flips);
  await using _peers = await startPeers(here, stage.url, flips);
  await using _revertd = startRevertd(installed, here, stage.url, flips, 1000);
  process.stderr.write(`${flips} flips at intervals of 1 s\n`);
  await pause(SETTLE_MS);
  await play(
    stage,
    flips,
    { intervalMs: 1000, restMs: 0 },
    ({ actedAt, alertedAt }) => actedAt !== undefined && alertedAt !== undefined,
  );
  const ours = spread(stage.flips.map((flip) => (flip.actedAt ?? NaN) - flip.at));
  const theirs = spread(stage.flips.map((flip) => (flip.alertedAt ?? NaN) - flip.at));
  const row = (name: string, { min, p50, p95, max }: Spread): string[] => [
    name,
    ...[min, p50, p95, max].map((ms) => ms.toFixed(0)),
    (p50 / theirs.p50).toFixed(2),
  ];
  const head = [`metric flipped to action, ${flips} flips, ms`, 'min', 'median', 'p95', 'max', 'ratio'];
  const rows = [row('Prometheus + Alertmanager', theirs), row('revertd', ours)];
  const aim = { what: 'median, of theirs', atMost: 0.65, figure: ours.p50 / theirs.p50, unit: '', digits: 2 };
  report(`${table(head, rows)}\n${aimsTable([aim])}`, { bench: 'reaction', flips, theirs, ours });
}

async function measureScrapeToAction(): Promise<void> {
  await using stage = await openStage(FAST_METRICS);
  await using _revertd = startRevertd(installed, own('alone'), stage.url, FAST_METRICS, FAST_INTERVAL_MS);
  process.stderr.write(`${fastFlips} flips at intervals of ${FAST_INTERVAL_MS} ms\n`);
  await pause(SETTLE_MS);
  await play(
    stage,
    fastFlips,
    { intervalMs: FAST_INTERVAL_MS, restMs: REST_MS },
    ({ actedAt }) => actedAt !== undefined,
  );
  const ours = spread(stage.flips.map((flip) => (flip.actedAt ?? NaN) - (flip.shownAt ?? NaN)));
  const head = [`scrape's last byte to action, ${fastFlips} flips, ms`, 'min', 'median', 'p95', 'p99', 'max'];
  const cells = [ours.min, ours.p50, ours.p95, ours.p99, ours.max].map((ms) => ms.toFixed(1));
  const aim = { what: "p99 from the scrape's last byte", atMost: 20, figure: ours.p99, unit: ' ms', digits: 1 };
  const text = `${table(head, [['revertd', ...cells]])}\n${aimsTable([aim])}`;
  report(text, { bench: 'scrape-to-action', flips: fastFlips, ours });
}

type Pace = { readonly intervalMs: number; readonly restMs: number };

/** One flip after the other, each at any point of the interval. */
async function play(stage: Stage, count: number, pace: Pace, isDone: (flip: Flip) => boolean): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    await pause(pace.restMs + Math.random() * pace.intervalMs);
    const flip = stage.flip();
    await stage.until(flip, isDone);
    flip.healed = true;
  }
}

type Spread = Readonly<Record<'min' | 'p50' | 'p95' | 'p99' | 'max', number>>;

function spread(values: readonly number[]): Spread {
  return {
    min: percentile(values, 0),
    p50: percentile(values, 0.5),
    p95: percentile(values, 0.95),
    p99: percentile(values, 0.99),
    max: percentile(values, 1),
  };
}

function own(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}
