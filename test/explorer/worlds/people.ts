import { aRun, setFlagOff } from '../../support/policies.ts';
import { type SmallWorld, TICK_MS } from '../model/small-world.ts';
import { absence, DOCUMENT, desired, flag, place, policy, QUIET, rung, verify, weather } from './parts.ts';

const GUARD = 'guard/latency';

const guard = policy('guard', { ladder: [rung('flags', [setFlagOff()]), rung('run', [aRun(['fix'])])] });
const hasty = policy('guard', {
  ladder: [rung('flags', [setFlagOff()], { verify: verify({ onInconclusive: 'done' }) })],
  release: { kind: 'manual' },
});
const delivered = flag({ deliver: [place('FAST_PATH', [aRun(['reload'])])] });

export const PEOPLE: SmallWorld = {
  ...QUIET,
  name: 'people',
  about: 'overrides, lifts, halts, commits and hands in files, all over one flag and one policy',
  revisions: [
    { words: 'as in the beginning', desired: desired('rev-1', [delivered], [guard]) },
    {
      words: 'the flag is off by default',
      desired: desired('rev-2', [{ ...delivered, defaultVariant: 'off', digest: 'flag-2' }], [guard]),
    },
    { words: 'the policy is another one', desired: desired('rev-3', [delivered], [hasty]) },
    { words: 'the flag is suspended', desired: desired('rev-4', [{ ...delivered, suspend: true }], [guard]) },
    { words: 'the flag and the policy are gone', desired: desired('rev-5', [], []) },
  ],
  weathers: [
    weather('all is clear', {}),
    weather('guard breaches', { [GUARD]: 'breached' }),
    absence('the queries give nothing', 'empty', [GUARD]),
  ],
  moves: new Set(['halt', 'commit', 'override', 'lift', 'abort', 'edit', 'kill']),
  overrides: [
    { flag: 'fast-path', variant: 'on', ttlMs: 2 * TICK_MS },
    { flag: 'fast-path', variant: 'off', ttlMs: null },
  ],
  edits: [
    { document: DOCUMENT, entry: 'FAST_PATH', value: 'maybe' },
    { document: DOCUMENT, entry: 'FAST_PATH', value: null },
  ],
  incidents: 2,
  disturbances: 2,
};
