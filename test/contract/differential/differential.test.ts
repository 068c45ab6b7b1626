/**
 * The same queries over the same samples, by Debian's Prometheus 2.42 and by us. Prometheus scrapes targets that restart,
 * vanish, fail and refuse; its raw samples are replayed into a store, and every answer is compared.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FUNCTIONS } from '../../../src/promql/functions.ts';
import { labelsKey } from '../../../src/promql/labels.ts';
import { findProgram } from '../../support/peer-process.ts';
import { type Comparison, compareCase } from './comparison.ts';
import { loadEvaluators } from './evaluators.ts';
import { generateQueries } from './queries.ts';
import { replay, storedSeries } from './replay.ts';
import { LOOKBACK_MS, record, type Session, SUBQUERY_STEP_MS } from './session.ts';

const prometheus = findProgram('prometheus');
const promtool = findProgram('promtool');
const installed = prometheus !== undefined && promtool !== undefined;

/** Newer than 2.42, at least for classic histograms. */
const NEWER = ['first_over_time', 'histogram_fraction'];

test('the queries have every function that both sides know, several hundred in all', () => {
  const queries = generateQueries();
  const expected = Object.entries(FUNCTIONS)
    .filter(([name, signature]) => !signature.experimental && !signature.unsupported && !NEWER.includes(name))
    .map(([name]) => name);
  expect(expected.filter((name) => !queries.some((query) => query.includes(`${name}(`)))).toEqual([]);
  expect(queries.length).toBeGreaterThan(600);
});

describe.skipIf(!installed)('against Prometheus 2.42 (needs the package prometheus)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'revertd-differential-'));
  let session: Session;
  let comparisons: Comparison[] = [];

  beforeAll(async () => {
    session = await record({ prometheus: prometheus ?? '', promtool: promtool ?? '' }, folder);
    const settings = { lookbackMs: LOOKBACK_MS, defaultStepMs: SUBQUERY_STEP_MS };
    const means = { store: replay(session.recorded), evaluators: await loadEvaluators(), settings };
    comparisons = session.asked.map(({ one, answer }) => compareCase(one, answer, means));
  }, 118_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('the samples have restarts, gaps, ends, NaN and infinities', () => {
    const { recorded } = session;
    const values = recorded.flatMap(({ samples }) => [...samples.values()]);
    expect(recorded.length).toBeGreaterThan(200);
    expect(values.length).toBeGreaterThan(10_000);
    expect(values.some(Number.isNaN)).toBe(true);
    expect(values).toContain(Number.POSITIVE_INFINITY);
    expect(values).toContain(Number.NEGATIVE_INFINITY);
    expect(recorded.filter(({ markers }) => markers.size > 1).length).toBeGreaterThan(50);
    const work = recorded.filter(({ labels }) => labels['__name__'] === 'work_seconds_total');
    expect(work.filter(({ samples }) => falls([...samples.values()])).length).toBe(2);
  });

  test('the store ends series exactly where Prometheus wrote staleness markers', () => {
    const { recorded } = session;
    const store = replay(recorded);
    const stored = ['shop', 'rest'].flatMap((source) => store.seriesOf(source).map(storedSeries));
    const ours = new Map(stored.map((series) => [labelsKey(series.labels), series]));
    expect(ours.size).toBe(recorded.length);
    for (const theirs of recorded) expect(ours.get(labelsKey(theirs.labels))).toEqual(theirs);
  });

  test('most queries find something, and some fail on both sides', () => {
    const kinds = session.asked.map(({ answer }) => answer);
    const empty = kinds.filter(
      (answer) =>
        (answer.kind === 'vector' && answer.elements.length === 0) ||
        (answer.kind === 'matrix' && answer.series.length === 0),
    );
    expect(kinds.length).toBeGreaterThan(7_000);
    expect(empty.length).toBeLessThan(kinds.length / 4);
    expect(kinds.filter(({ kind }) => kind === 'failed').length).toBeGreaterThan(30);
  });

  test('no answer differs without an explanation, and few differ at all', async ({ annotate }) => {
    const tally = Object.groupBy(comparisons, (one) => (one.kind === 'explained' ? one.why : one.kind));
    const counts = Object.entries(tally).map(([what, all]) => `${all?.length ?? 0} ${what}`);
    await annotate(counts.join('; '));
    expect(comparisons.flatMap((one) => (one.kind === 'unexplained' ? [describeFault(one)] : []))).toEqual([]);
    expect(tally['same']?.length).toBeGreaterThan(comparisons.length * 0.9);
  });
});

function falls(values: readonly number[]): boolean {
  return values.some((value, i) => value < (values[i - 1] ?? 0));
}

function describeFault({ one, what }: Extract<Comparison, { kind: 'unexplained' }>): string {
  const when = one.kind === 'instant' ? `at ${one.at}` : `from ${one.from} to ${one.to} step ${one.stepMs}`;
  return `${one.query} ${when}: ${what}`;
}
