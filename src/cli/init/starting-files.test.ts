import { describe, expect, it } from 'vitest';
import { formatPolicy } from '../../policy/fmt/format-policy.ts';
import { lintPolicies } from '../../policy/lint/lint.ts';
import { loadTests } from '../../policytest/load-tests.ts';
import { runTest } from '../../policytest/run-test.ts';
import { type Answers, QUESTIONS } from './answers.ts';
import { asPolicyFiles, startingFiles } from './starting-files.ts';

function answers(service: string, flag: string, notify: string): Answers {
  return {
    ...QUESTIONS.service.read(service),
    metricsUrl: QUESTIONS.metrics.read(QUESTIONS.metrics.usual),
    flag: QUESTIONS.flag.read(flag),
    notify: QUESTIONS.notify.read(notify),
  };
}

const CASES = [
  ['the usual answers', answers('app.service', '/etc/app/env#NEW_FEATURE', 'oncall-webhook')],
  [
    'a flag in JSON, and an address',
    answers('shop@eu', '/etc/shop/config.json#/features/newPricing', 'https://chat.example.com/a?b'),
  ],
  ['names that YAML would misread', answers('on.service', '/etc/a b: "c"#NO', '/usr/local/bin/page')],
  ['names of digits and dots', answers('1.5.service', '/etc/app/env#X_1', '1')],
] as const;

describe.each(CASES)('a repository of %s', (_what, given) => {
  const files = startingFiles(given);
  // As `init` writes them.
  const policies = asPolicyFiles(files).map((file) => {
    const formatted = formatPolicy(file);
    if (!formatted.ok) throw new Error(JSON.stringify(formatted.diagnostics));
    return { path: file.path, bytes: new TextEncoder().encode(formatted.text) };
  });

  it('is valid, and lint doubts nothing', () => {
    const result = lintPolicies(policies, { revision: 'r', host: {}, hostLabels: {} });
    expect(result).toMatchObject({ ok: true, findings: [], silenced: [] });
  });

  it('has tests, which pass', () => {
    const { tests, diagnostics } = loadTests(policies, { variables: {}, labels: {} });
    expect(diagnostics).toEqual([]);
    expect(tests.map((test) => runTest(test).failures)).toEqual([[], []]);
  });

  it('has a README and a workflow, which is YAML', () => {
    expect(files.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['README.md', '.github/workflows/policies.yaml']),
    );
    const workflow = files.find(({ path }) => path.endsWith('policies.yaml'));
    expect(formatPolicy({ path: 'w.yaml', bytes: Buffer.from(workflow?.text ?? '') })).toMatchObject({ ok: true });
    for (const command of ['validate', 'lint', 'fmt', 'test']) expect(workflow?.text).toContain(`revertd ${command} .`);
  });
});
