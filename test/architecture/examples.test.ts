import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { parseDocument, visit } from 'yaml';
import { createProgram } from '../../src/cli/program.ts';

const FOLDER = join(import.meta.dirname, '../../examples/ci');
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.yml'));
const PROGRAM = createProgram('0', { out() {}, err() {}, colour: false, isTty: false }, () => undefined);

/** Every line of every text of a document that runs revertd. */
function callsIn(text: string): string[] {
  const calls: string[] = [];
  visit(parseDocument(text), {
    Scalar(_key, { value }) {
      const lines = typeof value === 'string' ? value.split('\n') : [];
      calls.push(...lines.filter((line) => line.startsWith('revertd ')));
    },
  });
  return calls;
}

function optionsOf(command: Command): string[] {
  return [...command.options, ...PROGRAM.options].map(({ long }) => long ?? '');
}

describe.each(FILES)('examples/ci/%s', (name) => {
  const text = readFileSync(join(FOLDER, name), 'utf8');

  test('is YAML without a fault or a doubt', () => {
    const { errors, warnings } = parseDocument(text, { strict: true, uniqueKeys: true });
    expect([...errors, ...warnings]).toEqual([]);
  });

  test('validates, plans and keeps the plan, with commands and options that there are', () => {
    const calls = callsIn(text).map((line) => line.split(' '));
    expect(new Set(calls.map(([, command]) => command))).toEqual(new Set(['validate', 'plan']));
    for (const [, name, ...rest] of calls) {
      const command = PROGRAM.commands.find((one) => one.name() === name);
      const known = command === undefined ? [] : optionsOf(command);
      expect(rest.filter((word) => word.startsWith('--') && !known.includes(word))).toEqual([]);
    }
    expect(text).toMatch(/plan\.md[^]*plan\.json/);
  });
});

test('there is an example for GitHub and one for GitLab', () => {
  expect(FILES.sort()).toEqual(['github-actions.yml', 'gitlab-ci.yml']);
});
