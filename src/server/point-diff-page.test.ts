import { expect, test } from 'vitest';
import type { DiffItem } from '../drivers/targets/captured-target.ts';
import { pointDiffPage } from './point-diff-page.ts';

const EVIL = '<script>alert(1)</script>"\'&';

function anItem(change: Partial<DiffItem> = {}): DiffItem {
  return { kind: 'changed', what: 'app.conf', detail: '9 → 10 bytes', ...change };
}

function pageOf(items: readonly DiffItem[], counts = { added: 0, removed: 0, changed: items.length }): string {
  const group = { name: 'settings', ...counts, items, isCut: false };
  return pointDiffPage({ point: 'p1', with: 'live', targets: [{ target: 'settings', diff: { groups: [group] } }] }, 0);
}

test('nothing that a target holds becomes markup, and nothing steers', () => {
  const page = pointDiffPage(
    {
      point: EVIL,
      with: EVIL,
      targets: [
        { target: EVIL, fault: EVIL },
        {
          target: 'settings',
          diff: {
            groups: [
              {
                name: EVIL,
                added: 1,
                removed: 0,
                changed: 0,
                items: [anItem({ what: `a\u202eb\u0000${EVIL}`, detail: EVIL, lines: `+${EVIL}\n-${EVIL}\n ${EVIL}` })],
                isCut: false,
                note: EVIL,
              },
            ],
          },
        },
      ],
    },
    0,
  );
  expect(page).not.toMatch(/<script|alert\(1\)<\/script>|https?:|\u202e/i);
  expect(page).not.toContain('\u0000');
  expect(page).toContain(String.raw`a\u202eb\x00&lt;script&gt;`);
  expect(page.split('&lt;script&gt;').length).toBeGreaterThan(8);
});

test('what is short is open, what is long is folded, and what is not shown is counted', () => {
  expect(pageOf([anItem({ lines: '-a\n+b' })])).toMatch(/<details open><summary><strong>settings[\s\S]*<details open>/);
  expect(pageOf([anItem({ lines: Array.from({ length: 13 }, () => '+x').join('\n') })])).toMatch(
    /<li><details><summary>/,
  );
  const many = pageOf(
    Array.from({ length: 200 }, () => anItem()),
    { added: 0, removed: 0, changed: 5_000 },
  );
  expect(many).toMatch(/<details><summary><strong>settings/);
  expect(many).toContain('and 4800 more');
});

test('targets without a difference say so', () => {
  expect(pageOf([])).toContain('Nothing is different.');
});
