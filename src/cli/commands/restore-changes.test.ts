import { describe, expect, test } from 'vitest';
import type { PointDiff } from '../../daemon/diff-points.ts';
import type { DiffGroup } from '../../drivers/targets/captured-target.ts';
import { restoreChanges } from './restore-changes.ts';

const GROUP: DiffGroup = {
  name: '/etc/app',
  added: 2,
  removed: 1,
  changed: 1,
  items: [
    { kind: 'added', what: 'conf.d/new.conf', detail: '3 bytes' },
    { kind: 'added', what: 'conf.db', detail: '9 bytes' },
    { kind: 'removed', what: 'gone.conf', detail: '5 bytes' },
    {
      kind: 'changed',
      what: 'app.conf',
      detail: '9 → 10 bytes',
      lines: '--- app.conf\n+++ app.conf\n@@ -1,2 +1,3 @@ here\n same\n-good\n+bad\n+worse',
    },
  ],
  isCut: false,
};

function changes(paths: readonly string[], group: DiffGroup = GROUP): DiffGroup | undefined {
  const difference: PointDiff = { point: 'p1', with: 'live', targets: [{ target: 'app', diff: { groups: [group] } }] };
  return restoreChanges(difference, paths).targets[0]?.diff?.groups[0];
}

describe('what a restore would change', () => {
  test('is not what was added or removed, where it leaves that as it is', () => {
    const [changed] = [{ kind: 'changed', what: 'app.conf' }];
    expect(changes([], { ...GROUP, restores: 'changed' })).toMatchObject({
      added: 0,
      removed: 0,
      changed: 1,
      items: [changed],
    });
  });

  test('is the reverse of what is different live', () => {
    expect(changes([])).toMatchObject({
      added: 1,
      removed: 2,
      changed: 1,
      items: [
        { kind: 'removed', what: 'conf.d/new.conf' },
        { kind: 'removed', what: 'conf.db' },
        { kind: 'added', what: 'gone.conf', detail: '5 bytes' },
        {
          kind: 'changed',
          detail: 'since the point: 9 → 10 bytes',
          lines: '--- app.conf\n+++ app.conf\n@@ -1,3 +1,2 @@ here\n same\n+good\n-bad\n-worse',
        },
      ],
    });
  });

  test.each([
    ['conf.d', ['conf.d/new.conf']],
    ['/etc/app/conf.d/', ['conf.d/new.conf']],
    ['/etc/app', ['conf.d/new.conf', 'conf.db', 'gone.conf', 'app.conf']],
    ['/etc/application', []],
    ['app.conf', ['app.conf']],
  ])('below %s is only what lies there', (path, found) => {
    const group = changes([path]);
    expect(group?.items.map(({ what }) => what)).toEqual(found);
    expect((group?.added ?? 0) + (group?.removed ?? 0) + (group?.changed ?? 0)).toBe(found.length);
  });

  test('says so where not all was looked through', () => {
    expect(changes(['app.conf'], { ...GROUP, isCut: true, added: 5_000 })?.note).toContain('the first 4 differences');
  });
});
