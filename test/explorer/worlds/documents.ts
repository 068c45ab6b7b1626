import { aRun, setFlagOff } from '../../support/policies.ts';
import type { SmallWorld } from '../model/small-world.ts';
import { DOCUMENT, desired, flag, place, policy, QUIET, rung, weather } from './parts.ts';

const GUARD = 'guard/latency';

const guard = policy('guard', { ladder: [rung('flags', [setFlagOff(), setFlagOff('other')])] });
const fast = flag({ deliver: [place('FAST_PATH', [aRun(['reload']), aRun(['warm-up'])])] });
const other = flag({
  name: 'other',
  digest: 'other-1',
  drift: 'report',
  deliver: [place('OTHER', [aRun(['reload'])])],
});

export const DOCUMENTS: SmallWorld = {
  ...QUIET,
  name: 'documents',
  about: 'two flags in one document: adoption, drift, take-up, and a document that cannot be read',
  revisions: [
    { words: 'as in the beginning', desired: desired('rev-1', [fast, other], [guard]) },
    {
      words: 'the other flag is off by default',
      desired: desired('rev-2', [fast, { ...other, defaultVariant: 'off', digest: 'other-2' }], [guard]),
    },
    {
      words: 'the reload is another one',
      desired: desired('rev-3', [flag({ deliver: [place('FAST_PATH', [aRun(['kick'])])] }), other], [guard]),
    },
    { words: 'the fast path is gone', desired: desired('rev-4', [other], [guard]) },
  ],
  files: { [DOCUMENT]: { FAST_PATH: 'maybe' } },
  weathers: [weather('all is clear', {}), weather('guard breaches', { [GUARD]: 'breached' })],
  moves: new Set(['hide', 'edit', 'commit', 'kill']),
  outcomes: ['failed', 'unknown'],
  edits: [
    { document: DOCUMENT, entry: 'FAST_PATH', value: 'true' },
    { document: DOCUMENT, entry: 'OTHER', value: 'maybe' },
    { document: DOCUMENT, entry: 'OTHER', value: null },
  ],
  incidents: 1,
  disturbances: 2,
};
