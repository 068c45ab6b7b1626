import type { Notifier } from '../../../src/core/model/notifier.ts';
import { ORIGIN, setFlagOff } from '../../support/policies.ts';
import { type SmallWorld, TICK_MS } from '../model/small-world.ts';
import { desired, flag, policy, QUIET, rung, weather } from './parts.ts';

const GUARD = 'guard/latency';

const pager: Notifier = {
  name: 'pager',
  origin: ORIGIN,
  suspend: false,
  on: ['opened', 'escalated', 'resolved', 'exhausted', 'aborted'],
  timeoutMs: 10_000,
  type: { kind: 'command', argv: ['page'] },
};
const escalate = [{ afterMs: 2 * TICK_MS, notify: ['pager'] }];
const guard = policy('guard', { ladder: [rung('flags', [setFlagOff()])], notify: ['pager'], escalate });

export const MESSAGES: SmallWorld = {
  ...QUIET,
  name: 'messages',
  about: 'messages and reports that fail, are repeated, and hold up nothing',
  revisions: [
    { words: 'as in the beginning', desired: desired('rev-1', [flag()], [guard], { notifiers: [pager] }) },
    { words: 'the pager is gone', desired: desired('rev-2', [flag()], [guard]) },
  ],
  weathers: [weather('all is clear', {}), weather('guard breaches', { [GUARD]: 'breached' })],
  moves: new Set(['kill', 'halt', 'commit', 'abort']),
  outcomes: ['failed'],
  prompt: new Set(),
  incidents: 1,
  disturbances: 2,
};
