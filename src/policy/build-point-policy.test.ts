import { describe, expect, test } from 'vitest';
import type { PointPolicy } from '../core/model/point-policy.ts';
import { formatDiagnostic } from './format-diagnostic.ts';
import { loadPolicies } from './load.ts';

const HEAD = 'apiVersion: revertd.dev/v1\nkind: PointPolicy\nmetadata: { name: nightly }\n';
const TARGET = `---
apiVersion: revertd.dev/v1
kind: Target
metadata: { name: app-db }
spec: { sqlite: { path: /data/app.db } }
`;

function load(spec: string, others = TARGET) {
  const bytes = Buffer.from(`${HEAD}spec: ${spec}\n${others}`);
  return loadPolicies([{ path: 'points.yaml', bytes }], { revision: 'r1', host: {}, hostLabels: {} });
}

function built(spec: string): PointPolicy | undefined {
  const result = load(spec);
  return result.ok ? result.desired.pointPolicies?.['nightly'] : undefined;
}

function faults(spec: string, others?: string): string[] {
  const result = load(spec, others);
  return result.ok ? [] : result.diagnostics.map((one) => `${one.code} ${one.message}`);
}

test('what is not said has its usual value', () => {
  expect(built('{ targets: [app-db], ttl: 30d }')).toMatchObject({
    consistency: 'live',
    timezone: 'UTC',
    take: { schedule: null, before: [], after: [] },
    ttlMs: 30 * 86_400_000,
    retain: {},
    prune: { maxFraction: 0.5, graceMs: 86_400_000 },
    compression: 'zstd',
    verify: null,
  });
});

test('what is said stands as it is said', () => {
  const spec = `
  targets: [app-db]
  consistency: quiesced
  timezone: Europe/Berlin
  take: { schedule: "0 2 * * *", before: [rollback, revision], after: [revision] }
  ttl: 400d
  retain: { last: 3, hourly: 24, daily: 30, weekly: 8, monthly: 12, within: 2d12h, maxPoints: 1000, maxBytes: 10GiB }
  prune: { maxFraction: 0.2, grace: 1h }
  compression: gzip
  verify: { schedule: "0 4 * * 0", restoreTest: true }`;
  expect(built(spec)).toMatchObject({
    consistency: 'quiesced',
    take: { schedule: '0 2 * * *', before: ['rollback', 'revision'], after: ['revision'] },
    retain: {
      last: 3,
      hourly: 24,
      daily: 30,
      weekly: 8,
      monthly: 12,
      within: { years: 0, months: 0, days: 2, ms: 12 * 3_600_000 },
      maxPoints: 1000,
      maxBytes: 10 * 1024 ** 3,
    },
    prune: { maxFraction: 0.2, graceMs: 3_600_000 },
    verify: { schedule: '0 4 * * 0', restoreTest: true },
  });
});

describe('refused is', () => {
  test.each([
    ['{ targets: [app-db] }', 'E-RETAIN it is not said how long points live'],
    ['{ targets: [app-db], retain: {} }', 'E-RETAIN `retain` is empty'],
    ['{ targets: [app-db], ttl: 30d, retain: { monthly: 12 } }', 'E-RETAIN `monthly: 12` keeps points for up to 372d'],
    ['{ targets: [app-db], ttl: 12h, retain: { within: 1d } }', 'E-RETAIN `within: 1d` keeps points for up to 1d'],
    ['{ targets: [app-db], ttl: 1s }', 'E-RANGE `ttl` must be at least 1m'],
    ['{ targets: [app-db], retain: { within: 0s } }', 'E-RANGE `within` must be at least 1s'],
    ['{ targets: [app-db], ttl: 1d, timezone: Europe/Berln }', 'E-SCHEDULE there is no time zone "Europe/Berln"'],
    ['{ targets: [app-db], ttl: 1d, take: { schedule: "0 25 * * *" } }', 'E-SCHEDULE the schedule "0 25 * * *"'],
    [
      '{ targets: [app-db], ttl: 1d, verify: { schedule: "0 0 31 2 *" } }',
      'E-SCHEDULE the schedule "0 0 31 2 *" never comes',
    ],
    ['{ targets: [app-bd], ttl: 1d }', 'E-NO-TARGET there is no Target called "app-bd"; did you mean "app-db"?'],
    ['{ targets: [app-db], ttl: 1d, retain: { maxBytes: 0B } }', 'E-UNIT `maxBytes` is not a size'],
  ])('%s', (spec, expected) => {
    expect(faults(spec)).toEqual([expect.stringContaining(expected)]);
  });

  test('no checkout: a point notes its revision', () => {
    const checkout = TARGET.replace('sqlite: { path: /data/app.db }', 'git: { path: /srv/app }');
    expect(faults('{ targets: [app-db], ttl: 1d }', checkout)).toEqual([]);
  });
});

test('as much as the ceiling is not beyond it', () => {
  expect(faults('{ targets: [app-db], ttl: 24h, retain: { within: 24h, hourly: 24 } }')).toEqual([]);
});

test('its faults stand where the value stands', () => {
  const result = load('{ targets: [app-db], ttl: 30d, retain: { monthly: 12 } }');
  if (result.ok) throw new Error('it was loaded');
  expect(result.diagnostics.map((one) => formatDiagnostic(one).split('\n')[0])).toEqual([
    expect.stringContaining('points.yaml:4:57 error[E-RETAIN]'),
  ]);
});
