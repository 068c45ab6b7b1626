import { aRun, setFlagOff } from '../../support/policies.ts';
import { type SmallWorld, TICK_MS } from '../model/small-world.ts';
import { absence, desired, flag, once, place, policy, QUIET, restart, rung, weather } from './parts.ts';

const GUARD = 'guard/latency';

const guard = policy('guard', {
  ladder: [
    rung('flags', [once('drain'), setFlagOff()], { onFailure: [once('refill')] }),
    rung('restart', [restart(), once('warm-up')], { onFailure: [aRun(['undo'])] }),
    rung('last', [once()]),
  ],
});

export const KILLS: SmallWorld = {
  ...QUIET,
  name: 'kills',
  about: 'a ladder of steps that must not be done twice, killed and failing anywhere',
  revisions: [
    {
      words: 'as in the beginning',
      desired: desired('rev-1', [flag({ deliver: [place('FAST_PATH', [aRun(['reload'])])] })], [guard]),
    },
  ],
  weathers: [
    weather('all is clear', {}),
    weather('guard breaches', { [GUARD]: 'breached' }),
    absence('the source is silent', 'silent', [GUARD]),
  ],
  coverMs: TICK_MS,
  moves: new Set(['kill', 'abort', 'halt']),
  outcomes: ['failed', 'unknown'],
  incidents: 1,
  disturbances: 2,
};
