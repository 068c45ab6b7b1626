import { aRun, aService, setFlagOff } from '../../support/policies.ts';
import type { SmallWorld } from '../model/small-world.ts';
import { absence, desired, flag, policy, QUIET, restore, rung, target, weather } from './parts.ts';

const GUARD = 'guard/latency';

const guard = policy('guard', {
  ladder: [rung('code', [restore()], { onFailure: [aRun(['undo'])] }), rung('flags', [setFlagOff()])],
  release: { kind: 'onFix', target: 'code' },
});
const code = target({
  track: { remote: 'origin', ref: 'main', intervalMs: 5_000 },
  activate: [aService('app.service', 'restart')],
});
const stopped = { ...code, quiesce: [aService('app.service', 'stop')] };

export const CODE: SmallWorld = {
  ...QUIET,
  name: 'code',
  about: 'a checkout that follows what is pushed, goes back in a rung, and is moved by hand',
  revisions: [
    { words: 'as in the beginning', desired: desired('rev-1', [flag()], [guard], { targets: [stopped] }) },
    { words: 'the target is gone', desired: desired('rev-2', [flag()], [guard]) },
  ],
  checkouts: { code: { head: 'v1', tip: 'v1' } },
  weathers: [
    weather('all is clear', {}),
    weather('guard breaches', { [GUARD]: 'breached' }),
    absence('the queries give nothing', 'empty', [GUARD]),
  ],
  moves: new Set(['push', 'checkout', 'kill', 'lift', 'commit', 'halt', 'hide']),
  outcomes: ['failed', 'unknown'],
  pushes: [
    { target: 'code', revision: 'v2' },
    { target: 'code', revision: 'v3' },
  ],
  checkoutsByHand: [
    { target: 'code', revision: 'v2' },
    { target: 'code', revision: 'v0' },
  ],
  incidents: 1,
  disturbances: 2,
};
