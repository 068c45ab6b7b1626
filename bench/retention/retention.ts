/**
 * How long it takes to decide what becomes of ten thousand points, each with its reason: the aim is 100 ms.
 * `node bench/retention/retention.ts [POINTS]`
 */
import { isValid, type Point, pointId } from '../../src/core/model/point.ts';
import type { PointPolicy } from '../../src/core/model/point-policy.ts';
import { judgePoints } from '../../src/core/points/verdicts.ts';

const HOUR_MS = 3_600_000;
const NOW = Date.parse('2026-11-21T12:00:00Z');
const ROUNDS = 15;

const count = Number(process.argv[2] ?? 10_000);

const POLICY: PointPolicy = {
  name: 'hourly',
  origin: { file: 'bench.yaml', line: 1, column: 1 },
  suspend: false,
  targets: ['database', 'files'],
  consistency: 'live',
  timezone: 'Europe/Berlin',
  take: { schedule: '0 * * * *', before: [], after: [] },
  ttlMs: null,
  retain: {
    last: 3,
    hourly: 24,
    daily: 30,
    weekly: 8,
    monthly: 12,
    within: { years: 0, months: 0, days: 2, ms: 0 },
    maxPoints: 1_000,
  },
  prune: { maxFraction: 0.5, graceMs: 24 * HOUR_MS },
  compression: 'zstd',
  verify: null,
  copies: [],
};

function pointAt(createdAt: number): Point {
  return {
    id: pointId(createdAt, POLICY.name, {}),
    metadata: {},
    policy: POLICY.name,
    cause: { kind: 'schedule' },
    targets: POLICY.targets,
    createdAt,
    completedAt: createdAt + 60_000,
    ttlMs: null,
    state: 'valid',
    snapshots: POLICY.targets.map((target) => ({
      target,
      type: 'files',
      manifest: `${target}@${createdAt}`,
      from: createdAt,
      to: createdAt + 60_000,
      bytes: 1e9,
      storedBytes: 1e6,
      compression: 'zstd',
      encrypted: false,
      fingerprint: `${createdAt}`,
    })),
    pinned: null,
    failure: null,
    verifiedAt: createdAt + 120_000,
    verify: null,
    pruned: null,
  };
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

const points = Array.from({ length: count }, (_, index) => pointAt(NOW - index * HOUR_MS));
const times: number[] = [];
let kept = 0;
for (let round = 0; round < ROUNDS; round += 1) {
  const begun = performance.now();
  const { verdicts } = judgePoints(points, { hourly: POLICY }, new Map(), NOW);
  times.push(performance.now() - begun);
  kept = [...verdicts.values()].filter(({ kind }) => kind === 'keep').length;
}
const sorted = times.toSorted((a, b) => a - b);
const show = (ms: number | undefined): string => (ms ?? 0).toFixed(1).padStart(7);
print(`${points.filter(isValid).length} points, ${kept} kept`);
print(
  `first  ${show(times[0])} ms\nmedian ${show(sorted[Math.floor(ROUNDS / 2)])} ms\nworst  ${show(sorted.at(-1))} ms`,
);
