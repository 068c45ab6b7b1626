import { setFlagOff } from '../../support/policies.ts';
import { type SmallWorld, TICK_MS } from '../model/small-world.ts';
import { absence, desired, flag, once, policy, QUIET, rung, weather } from './parts.ts';

const GUARD = 'guard/latency';

const guard = policy('guard', {
  ladder: [rung('flags', [setFlagOff()]), rung('last', [once()])],
  cooldownMs: 3 * TICK_MS,
  release: { kind: 'after', spanMs: 3 * TICK_MS },
});

export const CLOCK: SmallWorld = {
  ...QUIET,
  name: 'clock',
  about: 'a clock that is set back, under the daemon and while it is away',
  revisions: [{ words: 'as in the beginning', desired: desired('rev-1', [flag()], [guard]) }],
  weathers: [
    weather('all is clear', {}),
    weather('guard breaches', { [GUARD]: 'breached' }),
    absence('the queries give nothing', 'empty', [GUARD]),
    absence('the source is silent', 'silent', [GUARD]),
  ],
  moves: new Set(['setBack', 'killAndSetBack', 'kill', 'override', 'halt']),
  outcomes: ['failed'],
  overrides: [{ flag: 'fast-path', variant: 'on', ttlMs: 3 * TICK_MS }],
  afterKill: 'copy',
  incidents: 2,
  disturbances: 2,
};
