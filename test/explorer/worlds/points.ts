import { takeKey } from '../../../src/core/model/point-policy.ts';
import { aDatabase, aPoint, aPointPolicy, aRestore } from '../../support/policies.ts';
import { type SmallWorld, TICK_MS } from '../model/small-world.ts';
import { desired, policy, QUIET, rung, weather } from './parts.ts';

const GUARD = 'guard/latency';

const guard = policy('guard', {
  ladder: [rung('data', [aRestore({ target: 'database', to: { kind: 'latestValid' }, timeoutMs: TICK_MS })])],
});
/** All but the newest one expire with the next tick, so that whatever is kept is kept by a guard. */
const nightly = aPointPolicy({
  take: { schedule: '0 2 * * *', before: ['rollback'], after: [] },
  retain: { last: 2 },
  ttlMs: TICK_MS,
  prune: { maxFraction: 0.5, graceMs: TICK_MS },
});
const rest = { targets: [aDatabase()], pointPolicies: [nightly] };

export const POINTS: SmallWorld = {
  ...QUIET,
  name: 'points',
  about: 'points by schedule and before a rung that goes back to one; damage, retention, and restores by hand',
  revisions: [{ words: 'as in the beginning', desired: desired('rev-1', [], [guard], rest) }],
  files: {},
  points: (now) => [aPoint(now - 1_000)],
  schedules: [takeKey('nightly')],
  dues: 1,
  weathers: [weather('all is clear', {}), weather('guard breaches', { [GUARD]: 'breached' })],
  moves: new Set(['kill', 'verify', 'pin', 'putBack', 'prune']),
  outcomes: ['failed', 'unknown'],
  incidents: 1,
  disturbances: 1,
};
