import type { ApprovalRule } from '../../../src/core/model/approval.ts';
import { ORIGIN, setFlagOff } from '../../support/policies.ts';
import { LOSS_KEY, type SmallWorld, TICK_MS } from '../model/small-world.ts';
import { absence, desired, flag, once, policy, QUIET, rung, verify, weather } from './parts.ts';

const GUARD = 'guard/latency';

const approval: ApprovalRule = { roles: { manager: 1, dba: 1 }, withinMs: 3 * TICK_MS, onTimeout: 'escalate' };
const rows = { key: LOSS_KEY, origin: ORIGIN, kind: 'query', expr: 'rows' } as const;
const dataLoss = { counts: [{ label: 'rows', measure: rows }] };
const guard = policy('guard', {
  ladder: [
    rung('flags', [setFlagOff()], { verify: verify({ onInconclusive: 'next' }) }),
    rung('restore', [once('drop'), once('load')], { approval, dataLoss }),
  ],
});

export const APPROVAL: SmallWorld = {
  ...QUIET,
  name: 'approval',
  about: 'a rung that loses data, and people who agree, refuse, or are too late',
  revisions: [
    { words: 'as in the beginning', desired: desired('rev-1', [flag()], [guard]) },
    { words: 'the policy is suspended', desired: desired('rev-2', [flag()], [{ ...guard, suspend: true }]) },
  ],
  weathers: [
    weather('all is clear', {}),
    weather('guard breaches', { [GUARD]: 'breached' }),
    absence('the queries give nothing', 'empty', [GUARD]),
  ],
  moves: new Set(['grow', 'kill', 'halt', 'abort', 'commit', 'setBack']),
  outcomes: ['failed', 'unknown'],
  losses: [100, 250],
  people: [
    { name: 'mia', isPerson: true, roles: ['manager', 'dba'] },
    { name: 'dan', isPerson: true, roles: ['dba'] },
  ],
  incidents: 1,
  disturbances: 2,
};
