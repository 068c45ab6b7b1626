import { describe, expect, test } from 'vitest';
import type { ShownPlan } from '../server/shown-plan.ts';
import { code, prose, table } from './markdown.ts';
import { planMarkdown } from './plan-markdown.ts';

const ORIGIN = { file: 'flags.yaml', line: 4, column: 1 };

function aPlan(change: Partial<ShownPlan> = {}): ShownPlan {
  return {
    schemaVersion: 1,
    host: 'shop-1',
    version: '0.1.0',
    revision: '0123456789abcdef0123456789abcdef01234567',
    at: 0,
    complete: true,
    actions: [],
    withheld: [],
    holds: [],
    outlook: [],
    conditions: [],
    points: { begun: [], pruned: [], deleted: [] },
    requeueAt: null,
    ...change,
  };
}

const NASTY = 'a|b `x` <img src=x> [y](http://evil.example) @team #1 \u001b[31mred\u001b[0m\n# head';

describe('a plan in Markdown', () => {
  test('without anything to do is a heading and a line', () => {
    expect(planMarkdown(aPlan())).toBe(
      [
        '<!-- revertd-plan -->\n### revertd plan for `shop-1`',
        '**0 to create, 0 to change, 0 to prune, 0 rollbacks, 0 held.** Revision `0123456789ab`, observed 1970-01-01T00:00:00.000Z, revertd 0.1.0.',
      ].join('\n\n'),
    );
  });

  test('shows changes, actions and holds in tables, and folds the rest', () => {
    const text = planMarkdown(
      aPlan({
        actions: [
          {
            kind: 'report',
            key: 'report:INC-1',
            sign: '>',
            reason: 'INC-1 is closed',
            losesData: false,
            preconditions: [],
            origin: ORIGIN,
            incident: 'INC-1',
          },
        ],
        outlook: [{ object: 'Flag/a', what: 'it is lifted', on: 'revertd resume', next: [] }],
        comparison: {
          from: 'aaaaaaaaaaaaaaaa',
          to: 'bbbbbbbbbbbbbbbb',
          changes: [
            {
              object: 'Flag/a',
              kind: 'changed',
              origin: ORIGIN,
              fields: [{ field: 'defaultVariant', before: 'on', after: 'off', origin: ORIGIN }],
            },
          ],
        },
      }),
    );
    expect(text).toContain('| `~` | `Flag/a` | `defaultVariant` | `flags.yaml:4` |');
    expect(text).toContain('| `Flag/a` | `defaultVariant` | `on` | `off` | `flags.yaml:4` |');
    expect(text).toContain('| `>` | `write the report of INC-1` | INC-1 is closed | `flags.yaml:4` |');
    expect(text).toContain('<details><summary>What would follow (1)</summary>');
  });

  test('lets nothing out of its cell, and nothing be markup, a mention or a terminal’s colour', () => {
    const text = planMarkdown(
      aPlan({
        conditions: [{ type: 'Drift', object: NASTY, message: NASTY, needsAttention: true }],
        outlook: [{ object: NASTY, what: NASTY, next: [NASTY] }],
      }),
    );
    expect(text).not.toContain('\u001b');
    expect(text.split('\n').filter((line) => line.startsWith('# '))).toEqual([]);
    const outside = text.replaceAll(/(?<!\\)``.*?``/g, '');
    expect(outside).not.toMatch(/(?<!\\)<img|(?<!\\)\[y|(?<!\\)#1|@team/);
    for (const line of text.split('\n').filter((one) => one.startsWith('| Drift'))) {
      expect(line.replaceAll('\\|', '').split('|')).toHaveLength(5);
    }
  });
});

describe('the parts of Markdown', () => {
  test.each([
    ['plain', '`plain`'],
    ['a`b', '``a`b``'],
    ['`b', '`` `b ``'],
    ['a|b', '`a\\|b`'],
    ['', ''],
  ])('code(%j) is %j', (text, span) => {
    expect(code(text)).toBe(span);
  });

  test.each([
    ['a_b*c', 'a\\_b\\*c'],
    ['one\ntwo', 'one two'],
    ['<b>', '\\<b\\>'],
  ])('prose(%j) is %j', (text, shown) => {
    expect(prose(text)).toBe(shown);
  });

  test('a long table says how much is left out', () => {
    const rows = Array.from({ length: 75 }, (_, index) => [String(index)]);
    expect(table(['n'], rows)).toMatch(/\| 59 \|\n\n… and 15 more$/);
  });
});
