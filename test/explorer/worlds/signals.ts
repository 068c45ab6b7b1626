import { setFlagOff } from '../../support/policies.ts';
import { type SmallWorld, TICK_MS } from '../model/small-world.ts';
import { absence, desired, flag, once, policy, QUIET, rung, trigger, verify, weather } from './parts.ts';

const [LATENCY, ERRORS, UP] = ['guard/latency', 'guard/errors', 'ward/up'];
const ALL = [LATENCY, ERRORS, UP];

const lasting = verify({ forMs: TICK_MS, withinMs: 3 * TICK_MS });
const guard = policy('guard', {
  match: { kind: 'all' },
  triggers: [
    trigger({ clear: { threshold: { kind: 'below', value: 0.2 }, forMs: TICK_MS } }),
    trigger({ name: 'errors', digest: 'errors', noData: 'clear' }),
  ],
  ladder: [rung('flags', [setFlagOff()], { verify: lasting }), rung('last', [once()], { verify: lasting })],
});
const ward = policy('ward', {
  triggers: [trigger({ name: 'up', digest: 'up', noData: 'fire', forMs: 2 * TICK_MS })],
  ladder: [rung('flags', [setFlagOff()])],
});

export const SIGNALS: SmallWorld = {
  ...QUIET,
  name: 'signals',
  about: 'hysteresis, triggers that must all fire, and every kind of absence',
  revisions: [{ words: 'as in the beginning', desired: desired('rev-1', [flag()], [guard, ward]) }],
  weathers: [
    weather('all is clear', {}),
    weather('the latency breaches', { [LATENCY]: 'breached' }),
    weather('latency and errors breach', { [LATENCY]: 'breached', [ERRORS]: 'breached' }),
    weather('the latency is in between', { [LATENCY]: 'between' }),
    weather('up breaches', { [UP]: 'breached' }),
    absence('the queries give nothing', 'empty', ALL),
    absence('the source is down', 'down', ALL),
    absence('the queries give NaN', 'nan', ALL),
    absence('the queries fail', 'failed', ALL),
    absence('the source is silent', 'silent', ALL),
  ],
  coverMs: TICK_MS,
  moves: new Set(['kill']),
  incidents: 1,
  disturbances: 1,
};
