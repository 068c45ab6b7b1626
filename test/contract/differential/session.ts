import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Answer } from './api-answer.ts';
import { askAll } from './ask.ts';
import { type Case, casesOf } from './cases.ts';
import { type Exporter, startExporter } from './exporter.ts';
import { createShape } from './exposed-metrics.ts';
import { dump, Prometheus } from './prometheus.ts';
import { generateQueries } from './queries.ts';
import { type RecordedSeries, recordingOf } from './recording.ts';

export const LOOKBACK_MS = 8_000;
export const SUBQUERY_STEP_MS = 1_000;

const INTERVAL_MS = 200;
/** Of the target that is always there: 42 seconds of samples. */
const SCRAPES = 210;
/** Queries with a negative offset look ahead, and have to find there what is compared. */
const LONGEST_GLANCE_AHEAD_MS = 1_500;
/** When one target is removed. */
const REMOVED_AT = 120;

export type Programs = { readonly prometheus: string; readonly promtool: string };

export type Session = {
  readonly recorded: readonly RecordedSeries[];
  readonly asked: readonly { readonly one: Case; readonly answer: Answer }[];
};

/** Has Prometheus scrape for a while and answer every case; what it stored is read when it has ended. */
export async function record(programs: Programs, folder: string): Promise<Session> {
  await using stable = await startExporter(createShape(1, [83], true), () => ({ kind: 'answer' }));
  await using failing = await startExporter(createShape(2, [31, 140], false), failAtTimes);
  await using refusing = await startExporter(createShape(3, [], false), refuseAtTimes);
  await using leaving = await startExporter(createShape(4, [], false), () => ({ kind: 'answer' }));
  const jobs = [
    { name: 'shop', targetsFile: join(folder, 'shop.json') },
    { name: 'rest', targetsFile: join(folder, 'rest.json') },
  ] as const;
  writeTargets(jobs[0].targetsFile, [stable, failing]);
  writeTargets(jobs[1].targetsFile, [refusing, leaving]);
  const times = { intervalMs: INTERVAL_MS, lookbackMs: LOOKBACK_MS, defaultStepMs: SUBQUERY_STEP_MS };
  await using prometheus = await Prometheus.start({ program: programs.prometheus, folder, ...times, jobs });

  await scraped(stable, REMOVED_AT);
  writeTargets(jobs[1].targetsFile, [refusing]);
  await scraped(stable, SCRAPES);
  const end = Date.now();
  // What is asked for has to be settled: no scrape that began before may still be on its way.
  await scraped(stable, SCRAPES + 5);

  const samples = await prometheus.samples(end);
  const cases = casesOf(generateQueries(), spanOf(samples, end - LONGEST_GLANCE_AHEAD_MS));
  const answers = await askAll(prometheus, cases);
  await prometheus.stop();
  const asked = cases.flatMap((one, i) => {
    const answer = answers[i];
    return answer === undefined ? [] : [{ one, answer }];
  });
  return { recorded: recordingOf(samples, await dump(programs.promtool, prometheus.data), end), asked };
}

function failAtTimes(scrape: number): { kind: 'fail' | 'answer' } {
  return { kind: scrape % 31 > 26 ? 'fail' : 'answer' };
}

function refuseAtTimes(scrape: number): { kind: 'answer' } | { kind: 'refuse'; forMs: number } {
  return scrape % 45 === 40 ? { kind: 'refuse', forMs: 1_500 } : { kind: 'answer' };
}

function spanOf(samples: Awaited<ReturnType<Prometheus['samples']>>, to: number) {
  const scrapes = [...new Set(samples.flatMap(({ times }) => times))].sort((a, b) => a - b);
  return { from: scrapes[0] ?? 0, to, scrapes, lookbackMs: LOOKBACK_MS };
}

/** Replaced in one step, as Prometheus watches the file. */
function writeTargets(file: string, exporters: readonly Exporter[]): void {
  writeFileSync(`${file}.new`, JSON.stringify([{ targets: exporters.map(({ address }) => address) }]));
  renameSync(`${file}.new`, file);
}

async function scraped(exporter: Exporter, times: number): Promise<void> {
  while (exporter.scrapes() < times) await pause(50);
}
