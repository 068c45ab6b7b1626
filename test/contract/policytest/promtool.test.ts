import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatDuration } from '../../../src/core/units.ts';
import { loadTests } from '../../../src/policytest/load-tests.ts';
import { TestRun } from '../../../src/policytest/run-test.ts';
import { findProgram } from '../../support/peer-process.ts';
import { seeded } from '../differential/seeded.ts';

/** Debian's package `prometheus` has it. */
const hasPromtool = findProgram('promtool') !== undefined;

const THRESHOLD = 5.3;
const TICKS = 60;
/** Both sides know the whole window from here on. */
const QUIET = 6;

/** One series and the rule that judges it: with unbroken data both tools must fire at the same instants. */
type Case = {
  readonly name: string;
  readonly values: readonly number[];
  readonly query: string;
  readonly forMs: number;
  readonly keepMs: number;
};

function generate(count: number, intervalMs: number, seed: number): readonly Case[] {
  const random = seeded(seed);
  const pick = (below: number): number => Math.floor(random() * below);
  return Array.from({ length: count }, (_, index) => {
    const name = `m${index}`;
    const values = Array.from({ length: QUIET }, () => 1);
    while (values.length < TICKS) {
      const value = random() < 0.5 ? 9 : 1;
      for (let left = 1 + pick(7); left > 0; left -= 1) values.push(value);
    }
    // No sample stands at the window's edge, on which Prometheus 2 and 3 differ.
    const window = formatDuration(intervalMs * (2 + pick(3)) + 1_000);
    const query = [name, `avg_over_time(${name}[${window}])`, `max_over_time(${name}[${window}])`, `abs(${name})`][
      pick(4)
    ];
    const forMs = [0, 1, 2, 3.5, 5][pick(5)] ?? 0;
    const keepMs = [0, 1, 2, 3.5][pick(4)] ?? 0;
    return {
      name,
      values: values.slice(0, TICKS),
      query: query ?? name,
      forMs: forMs * intervalMs,
      keepMs: keepMs * intervalMs,
    };
  });
}

/** By case, the numbers of the values at which its trigger fires. */
function firingHere(cases: readonly Case[], intervalMs: number): ReadonlyMap<string, readonly number[]> {
  const triggers = cases.map(({ name, query, forMs, keepMs }) => ({
    name,
    query,
    above: THRESHOLD,
    for: `${forMs}ms`,
    clear: { below: THRESHOLD - 0.01, for: `${keepMs}ms` },
    severity: 'warning',
  }));
  const document = (kind: string, spec: object): string =>
    JSON.stringify({ apiVersion: 'revertd.dev/v1', kind, metadata: { name: 'generated' }, spec });
  const spec = {
    interval: `${intervalMs}ms`,
    input: cases.map(({ name, values }) => ({ series: name, values: values.join(' ') })),
    expect: [{ at: `${(TICKS - 1) * intervalMs}ms`, incidents: [] }],
  };
  const text = `${document('RollbackPolicy', { triggers })}\n---\n${document('PolicyTest', spec)}\n`;
  const loaded = loadTests([{ path: 'a.yaml', bytes: Buffer.from(text) }], { variables: {}, labels: {} });
  expect(loaded.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const firing = new Map<string, number[]>(cases.map(({ name }) => [name, []]));
  for (const one of loaded.tests) {
    const result = new TestRun(one, (host) => {
      const tick = (host.now - one.startAt) / intervalMs;
      for (const [name, ticks] of firing) {
        if (host.memory.triggers[`generated/${name}`]?.state === 'firing') ticks.push(tick);
      }
    }).run();
    expect(result.failures).toEqual([]);
  }
  return firing;
}

describe.skipIf(!hasPromtool)('with unbroken data (needs the package prometheus)', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'revertd-promtool-'));
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  /** Promtool says whether its alerts are those that are given; it prints the ones that are not. */
  function runPromtool(
    cases: readonly Case[],
    intervalMs: number,
    firing: ReadonlyMap<string, readonly number[]>,
  ): string {
    const rules = cases.map(({ name, query, forMs, keepMs }) => ({
      alert: name,
      expr: `${query} > ${THRESHOLD}`,
      for: `${forMs}ms`,
      keep_firing_for: `${keepMs}ms`,
    }));
    const interval = `${intervalMs}ms`;
    const alert_rule_test = cases.flatMap(({ name }) =>
      Array.from({ length: TICKS }, (_, tick) => {
        const exp_alerts = firing.get(name)?.includes(tick) === true ? [{ exp_labels: {} }] : [];
        return { alertname: name, eval_time: `${tick * intervalMs}ms`, exp_alerts };
      }),
    );
    const input_series = cases.map(({ name, values }) => ({ series: name, values: values.join(' ') }));
    writeFileSync(join(folder, 'rules.yaml'), JSON.stringify({ groups: [{ name: 'generated', interval, rules }] }));
    writeFileSync(
      join(folder, 'tests.yaml'),
      JSON.stringify({
        rule_files: ['rules.yaml'],
        evaluation_interval: interval,
        tests: [{ interval, input_series, alert_rule_test }],
      }),
    );
    const { stdout, stderr } = spawnSync('promtool', ['test', 'rules', 'tests.yaml'], {
      cwd: folder,
      encoding: 'utf8',
    });
    return `${stdout}${stderr}`;
  }

  test.each([
    [5_000, 1],
    [15_000, 2],
    [60_000, 3],
  ])('120 series every %d ms fire when promtool says so', (intervalMs, seed) => {
    const cases = generate(120, intervalMs, seed);
    const firing = firingHere(cases, intervalMs);
    const fired = [...firing.values()].filter((ticks) => ticks.length > 0 && ticks.length < TICKS);
    expect(fired.length).toBeGreaterThan(60);
    expect(runPromtool(cases, intervalMs, firing)).toMatch(/^Unit Testing: {2}tests\.yaml\n {2}SUCCESS\n*$/);
  });

  test('promtool notices a difference', () => {
    const cases = generate(5, 15_000, 4);
    const firing = new Map(cases.map(({ name }) => [name, [0]]));
    expect(runPromtool(cases, 15_000, firing)).toContain('FAILED');
  });
});
