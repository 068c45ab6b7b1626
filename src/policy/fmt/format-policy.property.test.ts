import { assert, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { policyFile } from '../../../test/tools/policy-fixtures.ts';
import { laidOut } from '../../../test/tools/random-yaml.ts';
import { parseYaml } from '../parse-yaml.ts';
import { commentsIn } from './comments.ts';
import { formatPolicy } from './format-policy.ts';

function format(text: string): string {
  const formatted = formatPolicy(policyFile('a.yaml', text));
  if (!formatted.ok) throw new Error(`not formatted: ${JSON.stringify(formatted.diagnostics)}\n${text}`);
  return formatted.text;
}

function values(text: string): readonly unknown[] {
  return parseYaml('a.yaml', text).documents.map(({ value }) => value);
}

function comments(text: string): readonly string[] {
  return commentsIn(text)
    .map((comment) => comment.text)
    .sort();
}

describe('any layout', () => {
  it('becomes the canonical one, which says the same with the same comments and stays as it is', () => {
    assert(
      property(laidOut, (text) => {
        const once = format(text);
        expect(values(once)).toEqual(values(text));
        expect(comments(once)).toEqual(comments(text));
        expect(format(once)).toBe(once);
      }),
      { numRuns: 200 },
    );
  });
});
