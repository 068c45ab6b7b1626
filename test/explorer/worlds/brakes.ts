import { aRun, setFlagOff } from '../../support/policies.ts';
import { type SmallWorld, TICK_MS } from '../model/small-world.ts';
import { absence, desired, flag, policy, QUIET, rung, weather } from './parts.ts';

const GUARD = 'guard/latency';
const WARD = 'ward/latency';

const limit = { rollbacks: 2, perMs: 8 * TICK_MS };
const guard = policy('guard', { ladder: [rung('flags', [setFlagOff(), aRun(['fix'])])], limit });
const ward = policy('ward', { ladder: [rung('flags', [setFlagOff()])], cooldownMs: TICK_MS });

export const BRAKES: SmallWorld = {
  ...QUIET,
  name: 'brakes',
  about: 'cooldown and limit of two policies that share a flag, over several incidents',
  revisions: [{ words: 'as in the beginning', desired: desired('rev-1', [flag()], [guard, ward]) }],
  weathers: [
    weather('all is clear', {}),
    weather('guard breaches', { [GUARD]: 'breached' }),
    weather('ward breaches', { [WARD]: 'breached' }),
    absence('the source is silent', 'silent', [GUARD, WARD]),
  ],
  moves: new Set(['kill', 'setBack', 'abort', 'halt']),
  incidents: 3,
  disturbances: 1,
};
