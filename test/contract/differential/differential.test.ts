/**
 * The same queries over the same samples, by Debian's Prometheus 2.42 and by us. Prometheus scrapes targets that restart,
 * vanish, fail and refuse; its raw samples are replayed into a store, and every answer is compared.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { labelsKey } from '../../../src/promql/labels.ts';
import { findProgram } from '../../support/peer-process.ts';
import { type Comparison, compareCase } from './comparison.ts';
import { DELAYED_PREFIX } from './exposed-metrics.ts';
import type { RecordedSeries } from './recording.ts';
import { replay, storedSeries } from './replay.ts';
import { LOOKBACK_MS, record, type Session, SUBQUERY_STEP_MS } from './session.ts';

const prometheus = findProgram('prometheus');
const promtool = findProgram('promtool');
const installed = prometheus !== undefined && promtool !== undefined;

describe.skipIf(!installed)('against Prometheus 2.42 (needs the package prometheus)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'revertd-differential-'));
  let session: Session;
  let comparisons: Comparison[] = [];

  beforeAll(async () => {
    session = await record({ prometheus: prometheus ?? '', promtool: promtool ?? '' }, folder);
    const store = replay(session.recorded);
    const settings = { lookbackMs: LOOKBACK_MS, defaultStepMs: SUBQUERY_STEP_MS };
    comparisons = session.asked.map(({ one, answer }) => compareCase(one, answer, store, settings));
  }, 115_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('the run has what it is about: restarts, gaps, ends, NaN, infinities', () => {
    const { recorded } = session;
    const values = recorded.flatMap(({ samples }) => [...samples.values()]);
    expect(recorded.length).toBeGreaterThan(200);
    expect(values.length).toBeGreaterThan(10_000);
    expect(values.some(Number.isNaN)).toBe(true);
    expect(values).toContain(Number.POSITIVE_INFINITY);
    expect(values).toContain(Number.NEGATIVE_INFINITY);
    expect(recorded.filter(({ markers }) => markers.size > 1).length).toBeGreaterThan(50);
    const restarted = recorded.filter(
      ({ labels, samples }) => labels['__name__'] === 'work_seconds_total' && falls(samples),
    );
    expect(restarted.length).toBe(2);
  });

  test('the store ends series exactly where Prometheus wrote staleness markers', () => {
    const { recorded } = session;
    const store = replay(recorded);
    const stored = ['shop', 'rest'].flatMap((source) => store.seriesOf(source).map(storedSeries));
    const ours = new Map(stored.map((series) => [labelsKey(series.labels), series]));
    expect(ours.size).toBe(recorded.length);
    for (const theirs of recorded) expect(ours.get(labelsKey(theirs.labels))).toEqual(theirs);
  });

  test('no answer differs without an explanation', () => {
    const unexplained = comparisons.flatMap((comparison) =>
      comparison.kind === 'unexplained' ? [describeOne(comparison)] : [],
    );
    const tally = Object.groupBy(comparisons, (c) => (c.kind === 'explained' ? c.why : c.kind));
    process.stdout.write(
      `${JSON.stringify(Object.fromEntries(Object.entries(tally).map(([k, v]) => [k, v?.length])))} recorded ${session.recorded.length}\n`,
    );
    for (const u of unexplained) process.stdout.write(`${u}\n`);
    expect(unexplained).toEqual([]);
  });
});

function falls(samples: RecordedSeries['samples']): boolean {
  const values = [...samples.values()];
  return values.some((value, i) => value < (values[i - 1] ?? 0));
}

function describeOne({ one, what }: Extract<Comparison, { kind: 'unexplained' }>): string {
  return `${one.query} ${one.kind === 'instant' ? `@ ${one.at}` : 'over the whole span'}: ${what}`;
}
void DELAYED_PREFIX;
