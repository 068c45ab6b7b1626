import { expect, test } from 'vitest';
import type { TargetDifference } from '../../daemon/diff-points.ts';
import { diffText } from './points-diff.ts';

function text(...targets: TargetDifference[]): string {
  return diffText({ point: 'p1', with: 'live', targets }, { colour: false });
}

test('what is added, removed and changed is told by group, with its lines', () => {
  const items = [
    { kind: 'changed', what: 'app.conf', detail: '10 → 12 bytes', lines: '-mode=good\n+mode=bad\n' },
    { kind: 'removed', what: 'old.conf', detail: '' },
  ] as const;
  const group = { name: '/etc/app', added: 0, removed: 1, changed: 7, items, isCut: true };
  expect(text({ target: 'settings', diff: { groups: [group] } })).toBe(
    [
      'p1 → live',
      '',
      'settings',
      '  /etc/app: 0 added, 1 removed, 7 changed',
      '    ~ app.conf  10 → 12 bytes',
      '        -mode=good',
      '        +mode=bad',
      '    - old.conf',
      '    and 6 more',
    ].join('\n'),
  );
});

test('nothing different is said, and so is what cannot be compared', () => {
  expect(text({ target: 'a', diff: { groups: [] } })).toContain('a: nothing is different');
  expect(text({ target: 'b', fault: 'git no longer has target b' })).toContain('b: git no longer has target b');
});

test('names cannot steer the terminal', () => {
  const items = [{ kind: 'added', what: 'a\u001b[2Jb\nc', detail: '' }] as const;
  const group = { name: 'x', added: 1, removed: 0, changed: 0, items, isCut: false };
  expect(text({ target: 't', diff: { groups: [group] } })).toContain('+ a\\x1b[2Jb\\x0ac');
});
