import { describe, expect, test } from 'vitest';
import { aDatabase, aDesired, aPoint, aPointPolicy, aTarget } from '../../../test/support/policies.ts';
import { EMPTY_MEMORY, type Memory } from '../memory.ts';
import type { Point } from '../model/point.ts';
import type { PointPolicy } from '../model/point-policy.ts';
import type { Situation } from '../operator-commands.ts';
import {
  cancelPoint,
  pinPoint,
  prunePoint,
  prunePointsNow,
  takePoint,
  undeletePoint,
  unpinPoint,
  verifyPoints,
} from './point-commands.ts';

const DAY = 86_400_000;
const NOW = Date.parse('2026-11-21T12:00:00Z');
const BY_HAND = { kind: 'command', by: 'anna' } as const;

function situation(
  points: readonly Point[],
  policy: Partial<PointPolicy> = {},
  memory: Partial<Memory> = {},
): Situation {
  return {
    desired: aDesired({
      targets: { database: aDatabase(), code: aTarget() },
      pointPolicies: { nightly: aPointPolicy(policy) },
    }),
    memory: { ...EMPTY_MEMORY, points: Object.fromEntries(points.map((point) => [point.id, point])), ...memory },
    now: NOW,
    actor: 'anna',
  };
}

const OLD = aPoint(NOW - 2 * DAY);
const NEW = aPoint(NOW - DAY);
const PRUNED: Point = { ...OLD, state: 'pruned', pruned: { at: NOW, reason: '', deleteAt: NOW + DAY, was: 'valid' } };

test('a person may have older ones go than rules keep, but never a protected one, and never too many by mistake', () => {
  const points = [1, 2, 3, 4, 5, 6].map((days) => aPoint(NOW - days * DAY));
  const pinned = { ...aPoint(NOW - 9 * DAY), pinned: { by: 'anna', at: 0 } };
  const known = situation([...points, pinned], { retain: { last: 10 }, prune: { maxFraction: 0.5, graceMs: DAY } });
  const request = { confirm: false, olderThanMs: 5 * DAY };
  const ids = [points[4]?.id, points[5]?.id];
  expect(prunePointsNow(known, request)).toMatchObject([
    { points: ids.map((id) => ({ id, reason: 'a person prunes what is older than 5d', deleteAt: NOW + DAY })) },
  ]);
  expect(prunePointsNow(known, { ...request, immediately: true })).toMatchObject([
    { points: [{ deleteAt: NOW }, { deleteAt: NOW }] },
  ]);
  expect(() => prunePointsNow(known, { ...request, olderThanMs: DAY })).toThrow('more than 0.5 of them at once');
  const [all] = prunePointsNow(known, { confirm: true, olderThanMs: 1 });
  expect(all).toMatchObject({ points: [2, 3, 4, 5, 6].map((day) => ({ id: points[day - 1]?.id })) });
});

describe('a point is taken', () => {
  test('of a policy, by which it lives', () => {
    expect(takePoint(situation([]), { policy: 'nightly', cause: BY_HAND })).toMatchObject([
      { type: 'point.begun', point: { id: '20261121T120000Z-nightly', policy: 'nightly', targets: ['database'] } },
    ]);
  });

  test('of targets, under its own name and for its own time', () => {
    const request = { targets: ['database'], name: 'before upgrade', ttlMs: DAY, cause: BY_HAND };
    expect(takePoint(situation([]), request)).toMatchObject([
      { point: { id: '20261121T120000Z-before-upgrade', policy: null, name: 'before upgrade', ttlMs: DAY } },
    ]);
  });

  test('of no policy, for as long as the host says', () => {
    const points = { ttlMs: 3 * DAY, maxPoints: 10, compression: 'gzip' as const, prunesItself: true, pruneEveryMs: 0 };
    const { desired, ...rest } = situation([]);
    const host: Situation = { ...rest, desired: desired === null ? null : { ...desired, points } };
    expect(takePoint(host, { targets: ['database'], cause: BY_HAND })).toMatchObject([{ point: { ttlMs: 3 * DAY } }]);
    expect(takePoint(host, { policy: 'nightly', cause: BY_HAND })).toMatchObject([{ point: { ttlMs: null } }]);
    expect(takePoint(host, { targets: ['database'], ttlMs: DAY, cause: BY_HAND })).toMatchObject([
      { point: { ttlMs: DAY } },
    ]);
  });

  test('under an id of its own, also within the same second', () => {
    const first = { ...NEW, id: '20261121T120000Z-nightly' };
    expect(takePoint(situation([first]), { policy: 'nightly', cause: BY_HAND })).toMatchObject([
      { point: { id: '20261121T120000Z-nightly-2' } },
    ]);
  });

  test.each([
    [{ policy: 'nigtly' }, 'Did you mean nightly?'],
    [{ targets: ['databse'] }, 'Did you mean database?'],
    [{}, 'name a PointPolicy or a target'],
  ])('not with %j', (request, message) => {
    expect(() => takePoint(situation([]), { ...request, cause: BY_HAND })).toThrow(message);
  });

  test('not while everything is halted', () => {
    const halt = { since: 0, by: 'bert', reason: 'fire', noticedAt: 0 };
    expect(() => takePoint(situation([], {}, { halt }), { policy: 'nightly', cause: BY_HAND })).toThrow('halted');
  });
});

test('a point that is not there is answered with the nearest one', () => {
  expect(() => pinPoint(situation([NEW]), '20261120T120000Z-nighly', undefined)).toThrow(`Did you mean ${NEW.id}?`);
});

test('a point is pinned with a reason, and unpinned once', () => {
  expect(pinPoint(situation([NEW]), NEW.id, 'audit')).toEqual([
    { type: 'point.pinned', point: NEW.id, by: 'anna', reason: 'audit' },
  ]);
  expect(() => unpinPoint(situation([NEW]), NEW.id)).toThrow('is not pinned');
  expect(() => pinPoint(situation([PRUNED]), PRUNED.id, undefined)).toThrow('points undelete');
});

test('only what was pruned is brought back', () => {
  expect(undeletePoint(situation([PRUNED]), PRUNED.id)).toEqual([
    { type: 'point.undeleted', point: PRUNED.id, by: 'anna' },
  ]);
  expect(() => undeletePoint(situation([NEW]), NEW.id)).toThrow('is valid, not pruned');
});

test('only what is being captured is given up', () => {
  const creating: Point = { ...NEW, state: 'creating' };
  expect(cancelPoint(situation([creating]), NEW.id)).toMatchObject([
    { type: 'point.cancelled', point: NEW.id },
    { type: 'point.dropped' },
  ]);
  expect(cancelPoint(situation([{ ...NEW, state: 'capturing' }]), NEW.id)).toMatchObject([{ type: 'point.cancelled' }]);
  expect(() => cancelPoint(situation([NEW]), NEW.id)).toThrow('there is nothing to cancel');
});

test('points are read again, those that failed are not', () => {
  const failed: Point = { ...OLD, state: 'failed' };
  expect(verifyPoints(situation([failed, NEW]), { points: [], rehearse: true })).toMatchObject([
    { points: [NEW.id], rehearse: true },
  ]);
  expect(() => verifyPoints(situation([failed]), { points: [failed.id], rehearse: false })).toThrow('is failed');
});

describe('pruning by hand', () => {
  const many = [1, 2, 3, 4].map((days) => aPoint(NOW - days * DAY));

  test('is refused where more would go at once than the policy allows, unless it is confirmed', () => {
    const asked = situation(many, { retain: { last: 1 } });
    expect(() => prunePointsNow(asked, { confirm: false })).toThrow('would lose 3 of 4 points');
    expect(prunePointsNow(asked, { confirm: true })).toMatchObject([{ type: 'points.pruned', points: { length: 3 } }]);
    expect(prunePointsNow(asked, { confirm: true, policy: 'other' })).toEqual([]);
  });

  test('never takes the newest valid point of a target, nor a pinned one', () => {
    const [newest, second] = many;
    const pinned = { ...(second ?? NEW), pinned: { by: 'bert', at: 0 } };
    expect(() => prunePoint(situation(many), newest?.id ?? '')).toThrow('the newest valid point of database');
    expect(() => prunePoint(situation([...many, pinned]), pinned.id)).toThrow('pinned by bert');
  });

  test('takes one point that only its policy keeps', () => {
    expect(prunePoint(situation([OLD, NEW]), OLD.id)).toEqual([
      {
        type: 'points.pruned',
        points: [{ id: OLD.id, reason: 'a person pruned it', deleteAt: NOW + 3_600_000 }],
      },
    ]);
  });
});
