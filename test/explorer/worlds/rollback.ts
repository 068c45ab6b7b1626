import { aRun, setFlagOff } from '../../support/policies.ts';
import { type SmallWorld, TICK_MS } from '../model/small-world.ts';
import {
  absence,
  DOCUMENT,
  desired,
  flag,
  once,
  policy,
  QUIET,
  restart,
  restore,
  rung,
  target,
  verify,
  weather,
} from './parts.ts';

const GUARD = 'guard/latency';
const WARD = 'ward/latency';

const code = target({ activate: [restart()] });
const guard = policy('guard', {
  ladder: [
    rung('flags', [setFlagOff()]),
    rung('code', [restore()], { onFailure: [aRun(['undo'])] }),
    rung('last', [once()]),
  ],
});
const ward = policy('ward', {
  ladder: [rung('flags', [setFlagOff()], { verify: verify({ onInconclusive: 'next' }) }), rung('code', [restore()])],
  release: { kind: 'after', spanMs: 3 * TICK_MS },
});
const rest = { targets: [code] };

export const ROLLBACK: SmallWorld = {
  ...QUIET,
  name: 'rollback',
  about: 'two policies that share a flag and a target, the one with three rungs',
  revisions: [
    { words: 'as in the beginning', desired: desired('rev-1', [flag()], [guard, ward], rest) },
    {
      words: 'the flag is off by default',
      desired: desired('rev-2', [flag({ defaultVariant: 'off', digest: 'flag-2' })], [guard, ward], rest),
    },
    { words: 'guard is suspended', desired: desired('rev-3', [flag()], [{ ...guard, suspend: true }, ward], rest) },
  ],
  checkouts: { code: { head: 'v1', tip: null } },
  weathers: [
    weather('all is clear', {}),
    weather('guard breaches', { [GUARD]: 'breached' }),
    weather('ward breaches', { [WARD]: 'breached' }),
    weather('both breach', { [GUARD]: 'breached', [WARD]: 'breached' }),
    absence('the queries give nothing', 'empty', [GUARD, WARD]),
    absence('the queries give NaN', 'nan', [GUARD, WARD]),
    absence('the source is silent', 'silent', [GUARD, WARD]),
  ],
  coverMs: TICK_MS,
  moves: new Set([
    'kill',
    'setBack',
    'halt',
    'commit',
    'override',
    'lift',
    'abort',
    'answer',
    'edit',
    'hide',
    'checkout',
  ]),
  outcomes: ['failed', 'unknown'],
  overrides: [{ flag: 'fast-path', variant: 'on', ttlMs: 2 * TICK_MS }],
  checkoutsByHand: [{ target: 'code', revision: 'v2' }],
  edits: [{ document: DOCUMENT, entry: 'FAST_PATH', value: 'maybe' }],
  disturbances: 1,
};
