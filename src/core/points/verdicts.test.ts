import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aPoint, aPointPolicy, aRecovery } from '../../../test/support/policies.ts';
import { isValid, type Point } from '../model/point.ts';
import type { PointPolicy } from '../model/point-policy.ts';
import { FAILED_SHOWN_MS, judgePoints, type Protections } from './verdicts.ts';

const DAY = 86_400_000;
const NOW = Date.parse('2026-11-21T12:00:00Z');
const NOBODY: Protections = new Map();

function judge(points: readonly Point[], policy: PointPolicy | null, now = NOW, protections = NOBODY) {
  const { verdicts } = judgePoints(points, policy === null ? {} : { [policy.name]: policy }, protections, now);
  return Object.fromEntries(verdicts);
}

/** By how many days ago each was begun, what becomes of it: its reasons, or `prune: …`. */
function words(daysAgo: readonly number[], policy: PointPolicy | null, change: Partial<Point> = {}): string[] {
  const points = daysAgo.map((days) => aPoint(NOW - days * DAY, change));
  const verdicts = judge(points, policy);
  return points.map(({ id }) => {
    const verdict = verdicts[id];
    return verdict?.kind === 'keep' ? verdict.reasons.join(' + ') : `prune: ${verdict?.reason}`;
  });
}

test('beyond the most that a host keeps, the oldest go that belong to no policy', () => {
  const loose = { policy: null };
  const points = [
    ...[1, 2, 3, 4].map((days) => aPoint(NOW - days * DAY, loose)),
    aPoint(NOW - 5 * DAY, { ...loose, pinned: { by: 'anna', at: 0 } }),
    aPoint(NOW - 6 * DAY),
  ];
  const policies = { nightly: aPointPolicy() };
  const { doomed } = judgePoints(points, policies, NOBODY, NOW, 2);
  expect(doomed).toEqual(
    [3, 2].map((index) => [points[index]?.id, expect.stringContaining('the host keeps at most 2')]).reverse(),
  );
  expect(judgePoints(points, policies, NOBODY, NOW).doomed).toEqual([]);
});

describe('a point is kept because', () => {
  test.each<[string, Partial<Point>, string]>([
    ['somebody pinned it', { pinned: { by: 'anna', at: 0, reason: 'audit' } }, 'pinned by anna: audit'],
    ['it is being captured', { state: 'capturing', snapshots: [] }, 'it is capturing'],
    ['it is not read again yet', { state: 'stored', verifiedAt: null }, 'it is stored'],
    [
      'its policy is gone',
      { policy: 'gone' },
      'orphaned: git no longer has PointPolicy gone, and prunes none of its points',
    ],
    ['it lives by no policy and has no end', { policy: null }, 'it has no end'],
    ['its own time to live is not over', { policy: null, ttlMs: 6 * DAY }, 'it lives until 2026-11-22T12:00:01.000Z'],
  ])('%s', (_what, change, reason) => {
    const old = aPoint(NOW - 5 * DAY, change);
    const others = [1, 2, 3].map((days) => aPoint(NOW - days * DAY));
    expect(judge([old, ...others], aPointPolicy())[old.id]).toMatchObject({ kind: 'keep', reasons: [reason] });
  });

  test('it is the newest valid one of a target, whatever its policy says', () => {
    const policy = aPointPolicy({ ttlMs: DAY });
    expect(words([3, 5], policy)).toEqual([
      'the newest valid point of database',
      'prune: its time to live ended at 2026-11-17T12:00:01.000Z',
    ]);
  });

  test('its time lies in the future; and then it takes no place of another', () => {
    const policy = aPointPolicy({ retain: { last: 1 } });
    expect(words([-1, 1, 2], policy)).toEqual([
      'its time lies in the future',
      'the newest valid point of database',
      'prune: no rule of PointPolicy nightly keeps it',
    ]);
  });

  test('an incident names it', () => {
    const points = [1, 2].map((days) => aPoint(NOW - days * DAY));
    const named = new Map([[points[1]?.id ?? '', ['INC-1 names it']]]);
    const verdicts = judge(points, aPointPolicy({ retain: { last: 1 } }), NOW, named);
    expect(verdicts[points[1]?.id ?? '']).toMatchObject({ kind: 'keep', reasons: ['INC-1 names it'] });
  });

  test('its policy is suspended', () => {
    expect(words([1, 400], aPointPolicy({ suspend: true, ttlMs: DAY }))[1]).toBe('PointPolicy nightly is suspended');
  });
});

describe('the reasons of the rules', () => {
  test.each<[PointPolicy['retain'], string]>([
    [{ last: 2 }, 'last'],
    [{ hourly: 2 }, 'hourly 2026-11-20 13h'],
    [{ daily: 2 }, 'daily 2026-11-20'],
    [{ weekly: 2 }, 'the oldest, while weekly is not met'],
    [{ monthly: 1, daily: 2 }, 'daily 2026-11-20'],
    [{ within: { years: 0, months: 0, days: 2, ms: 0 } }, 'within'],
  ])('%j', (retain, reason) => {
    expect(words([0, 1], aPointPolicy({ retain, timezone: 'Europe/Berlin' }))[1]).toBe(reason);
  });
});

test('a count keeps so many, and the rest is pruned', () => {
  const kept = words([0, 1, 2, 3, 4], aPointPolicy({ retain: { daily: 3 } }));
  expect(kept.filter((text) => text.startsWith('prune'))).toHaveLength(2);
});

test('only valid points count: one that failed takes nobody’s place, and is shown for a week', () => {
  const failed = aPoint(NOW - DAY, { state: 'failed', snapshots: [], failure: 'disk full', completedAt: null });
  const points = [failed, ...[2, 3].map((days) => aPoint(NOW - days * DAY))];
  const verdicts = judge(points, aPointPolicy({ retain: { last: 2 } }));
  expect(Object.values(verdicts).map(({ kind }) => kind)).toEqual(['keep', 'keep', 'keep']);
  const later = judge(points, aPointPolicy({ retain: { last: 2 } }), failed.createdAt + FAILED_SHOWN_MS);
  expect(later[failed.id]).toMatchObject({ kind: 'prune', reason: 'it is failed, and was shown for 7d' });
});

test('what was only recovered of a damaged database takes no place, is never the newest, and lives by its time alone', () => {
  const [snapshot] = aPoint(NOW).snapshots;
  if (snapshot === undefined) throw new Error('a point has a snapshot');
  const snapshots = [{ ...snapshot, recovered: aRecovery() }];
  const recovered = aPoint(NOW - DAY, { snapshots, ttlMs: 3 * DAY });
  const [newest, older] = [aPoint(NOW - 2 * DAY), aPoint(NOW - 3 * DAY)];
  const policy = aPointPolicy({ retain: { last: 1, maxPoints: 1 } });
  const verdicts = judge([recovered, newest, older], policy);
  expect(verdicts[recovered.id]).toEqual({
    kind: 'keep',
    guarded: false,
    reasons: ['it is what could be recovered of a damaged database; it lives until 2026-11-23T12:00:01.000Z'],
  });
  expect(verdicts[newest.id]).toMatchObject({ reasons: ['the newest valid point of database'] });
  expect(verdicts[older.id]).toMatchObject({ kind: 'prune' });
  expect(judge([recovered], policy, NOW + 3 * DAY)[recovered.id]).toMatchObject({ kind: 'prune' });
});

test('time to live counts from completion', () => {
  const policy = aPointPolicy({ ttlMs: DAY, retain: {} });
  const slow = aPoint(NOW - 2 * DAY, { completedAt: NOW - DAY + 1 });
  const points = [slow, aPoint(NOW - 1)];
  expect(judge(points, policy)[slow.id]).toMatchObject({ kind: 'keep' });
  expect(judge(points, policy, NOW + 1)[slow.id]).toMatchObject({ kind: 'prune' });
});

describe('limits', () => {
  test('of points let the oldest go', () => {
    expect(words([0, 1, 2], aPointPolicy({ retain: { daily: 9, maxPoints: 2 } }))[2]).toBe(
      'prune: PointPolicy nightly keeps at most 2 points, and newer ones go before it',
    );
  });

  test('of bytes count what each point added to the store, and protected ones too', () => {
    const points = [0, 1, 2].map((days) => aPoint(NOW - days * DAY));
    const pinned = points.map((point, index) => (index === 2 ? { ...point, pinned: { by: 'anna', at: 0 } } : point));
    const policy = aPointPolicy({ retain: { maxBytes: 150 } });
    expect(Object.values(judge(pinned, policy)).map(({ kind }) => kind)).toEqual(['keep', 'prune', 'keep']);
  });
});

test('says until when time alone changes nothing', () => {
  const policy = aPointPolicy({ ttlMs: 3 * DAY, retain: {} });
  const points = [aPoint(NOW - DAY), aPoint(NOW - 2 * DAY), aPoint(NOW + 5)];
  const first = judgePoints(points, { nightly: policy }, NOBODY, NOW);
  expect(first.until).toBe(NOW + 5);
  expect(judgePoints(points, { nightly: policy }, NOBODY, NOW + 5).until).toBe(NOW + DAY + 1_000);
});

const anyPoint = fc
  .record({
    at: fc.integer({ min: 0, max: 400 * 24 }).map((hours) => NOW - hours * 3_600_000),
    state: fc.constantFrom('valid', 'valid', 'valid', 'stored', 'validating', 'invalid', 'failed', 'pruned'),
    policy: fc.constantFrom('nightly', 'nightly', 'hourly', 'gone', null),
    targets: fc.constantFrom(['database'], ['files'], ['database', 'files']),
    pinned: fc.constantFrom(null, null, null, { by: 'anna', at: 0 }),
    ttlMs: fc.constantFrom(null, null, 30 * DAY),
  })
  .map(({ at, state, ...change }) =>
    aPoint(at, { ...change, state: state as Point['state'], ...(state === 'valid' ? {} : { verifiedAt: null }) }),
  );

const anyPoints = fc
  .array(anyPoint, { maxLength: 40 })
  .map((points) => points.map((point, index) => ({ ...point, id: `${point.id}-${index}` })));

const anyPolicy = fc.record({
  ttlMs: fc.constantFrom(null, DAY, 90 * DAY),
  retain: fc.record(
    {
      last: fc.integer({ min: 1, max: 4 }),
      hourly: fc.integer({ min: 1, max: 9 }),
      daily: fc.integer({ min: 1, max: 9 }),
      weekly: fc.integer({ min: 1, max: 9 }),
      monthly: fc.integer({ min: 1, max: 9 }),
      within: fc.integer({ min: 1, max: 30 }).map((days) => ({ years: 0, months: 0, days, ms: 0 })),
      maxPoints: fc.integer({ min: 1, max: 20 }),
      maxBytes: fc.integer({ min: 1, max: 3_000 }),
    },
    { requiredKeys: [] },
  ),
});

const anyPolicies = fc.tuple(anyPolicy, anyPolicy).map(([one, other]) => ({
  nightly: aPointPolicy(one),
  hourly: aPointPolicy({ ...other, name: 'hourly', timezone: 'America/St_Johns' }),
}));

function prunedIds(points: readonly Point[], policies: Readonly<Record<string, PointPolicy>>, now: number): string[] {
  const { verdicts } = judgePoints(points, policies, NOBODY, now);
  return [...verdicts].flatMap(([id, { kind }]) => (kind === 'prune' ? [id] : [])).sort();
}

describe('whatever the points and policies are', () => {
  test('the newest valid point of every target survives', () => {
    fc.assert(
      fc.property(anyPoints, anyPolicies, fc.integer({ min: -400, max: 4_000 }), (points, policies, days) => {
        const now = NOW + days * DAY;
        const gone = new Set(prunedIds(points, policies, now));
        const lost = ['database', 'files'].filter((target) => {
          const valid = points.filter((point) => isValid(point) && point.targets.includes(target));
          const seen = valid.filter(({ createdAt }) => createdAt <= now);
          const newest = Math.max(...seen.map(({ createdAt }) => createdAt));
          const best = seen.filter(({ createdAt }) => createdAt === newest);
          return [valid, best].some((some) => some.length > 0 && some.every(({ id }) => gone.has(id)));
        });
        expect(lost).toEqual([]);
      }),
    );
  });

  test('an earlier time prunes nothing more', () => {
    fc.assert(
      fc.property(
        anyPoints,
        anyPolicies,
        fc.integer({ min: 0, max: 500 * 24 }),
        fc.integer({ min: -20 * 24, max: 20 * 24 }),
        (points, policies, backHours, hours) => {
          const now = NOW + hours * 3_600_000;
          const later = new Set(prunedIds(points, policies, now));
          const earlier = prunedIds(points, policies, now - backHours * 3_600_000);
          expect(earlier.filter((id) => !later.has(id))).toEqual([]);
        },
      ),
    );
  });

  test('the order of points does not matter, and asking again gives the same', () => {
    fc.assert(
      fc.property(anyPoints, anyPolicies, fc.nat(), (points, policies, turn) => {
        const shift = points.length === 0 ? 0 : turn % points.length;
        const others = [...points.slice(shift), ...points.slice(0, shift)].reverse();
        const byId = (some: readonly Point[]) => Object.fromEntries(judgePoints(some, policies, NOBODY, NOW).verdicts);
        expect(byId(others)).toEqual(byId(points));
        expect(byId(points)).toEqual(byId(points));
      }),
    );
  });

  test('pruning once leaves nothing to prune', () => {
    fc.assert(
      fc.property(anyPoints, anyPolicies, (points, policies) => {
        const gone = new Set(prunedIds(points, policies, NOW));
        const rest = points.map((point): Point => (gone.has(point.id) ? { ...point, state: 'pruned' } : point));
        expect(prunedIds(rest, policies, NOW)).toEqual([]);
      }),
    );
  });

  test('nothing changes before the boundary that is told', () => {
    fc.assert(
      fc.property(anyPoints, anyPolicies, fc.double({ min: 0, max: 1, noNaN: true }), (points, policies, part) => {
        const { until } = judgePoints(points, policies, NOBODY, NOW);
        const last = until === null ? NOW + 4_000 * DAY : until - 1;
        const between = NOW + Math.floor((last - NOW) * part);
        expect(prunedIds(points, policies, between)).toEqual(prunedIds(points, policies, NOW));
      }),
    );
  });
});
