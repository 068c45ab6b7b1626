import { expect, test } from 'vitest';
import { describeEvent } from './describe-event.ts';

test('a quarantine is told with the commit that was left', () => {
  const hold = {
    kind: 'quarantine',
    id: 'quarantine:code:0123456789ab',
    object: 'Target/code',
    since: 0,
    cause: 'guard/latency = 0.9 > 0.5',
    target: 'code',
    incident: 'INC-1',
    origin: { file: 'a.yaml', line: 1, column: 1 },
    commit: 'fedcba9876543210',
    tree: '0123456789abcdef',
  } as const;
  expect(describeEvent({ at: 0, type: 'hold.placed', hold })).toBe(
    'hold quarantine:code:0123456789ab (commit fedcba987654): guard/latency = 0.9 > 0.5',
  );
});
