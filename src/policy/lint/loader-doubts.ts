/** What the loader doubts already, told by `lint` beside the rules: why, and how to mend it. */
export const LOADER_DOUBTS: Readonly<Record<string, { readonly why: string; readonly mend: string }>> = {
  'W-BASELINE': {
    why: 'A fault that comes slowly moves a baseline over minutes along with itself, and never reaches a multiple of it.',
    mend: 'let `over` be hours or days',
  },
  'W-COOLDOWN': {
    why: 'While a long ladder still verifies its last rung the next incident may already begin.',
    mend: 'make `cooldown` longer than all steps and verifications together',
  },
  'W-FOR': {
    why: 'One bad sample is enough to fire, whatever `for` says.',
    mend: 'make `for` at least twice the interval of the source, or sample more often',
  },
  'W-LIMIT': {
    why: 'The cooldown alone lets fewer rollbacks happen than the limit allows: it protects from nothing.',
    mend: 'make `limit.per` several times the cooldown',
  },
  'W-NO-JOB': {
    why: 'The query has no data, the trigger stays unknown, and nothing is watched.',
    mend: 'write the name of a MetricSource: it is the label `job` of all its series',
  },
  'W-NO-ROLE': {
    why: 'Nobody on this host can fill the slot, so that the approval can only time out.',
    mend: 'give the role to users or groups under `roles` of the configuration, or name another one',
  },
  'W-NOTHING-VERIFIED': {
    why: 'Every rung counts as a success, and the next one is never walked.',
    mend: 'leave `triggersClear` out, or add checks',
  },
  'W-QUERY-FILTER': {
    why: 'A comparison drops what is good; no data is not clear, so that the trigger fires once and never clears.',
    mend: 'leave the comparison to `above`, `below` or `outside`, or write `noData: clear`',
  },
  'W-SECRET': {
    why: 'What is once in git is known to everybody who may read the repository, for ever.',
    mend: 'name it: `{credential: NAME}`; and give it out anew',
  },
  'W-VARIANT-TYPES': {
    why: 'An application that reads a boolean does not expect a text, and fails when the flag is rolled back.',
    mend: 'give all variants values of one type',
  },
  'W-WINDOW': {
    why: 'A rate of fewer than two samples has no data.',
    mend: 'make the range at least four times the interval of the source',
  },
  'W-WITHIN': {
    why: 'The window still holds the bad time when the verification ends: a rung that helped counts as failed.',
    mend: 'make `within` longer than `settle` and the longest window together',
  },
  'W-YAML-BOOLEAN': {
    why: 'YAML 1.1 tools (PyYAML, Ansible, many linters) read a boolean where revertd reads text.',
    mend: 'put it in quotes; `revertd fmt` does',
  },
};
