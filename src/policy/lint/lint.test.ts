import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { policyFile } from '../../../test/tools/policy-fixtures.ts';
import type { PolicyFile } from '../../core/model/revision.ts';
import { type Finding, lintPolicies, SILENCEABLE } from './lint.ts';
import { LINT_RULES } from './registry.ts';
import { SILENCE_RULES } from './silence-rules.ts';

const FOLDER = new URL('../../../test/fixtures/lint/', import.meta.url);
const OPTIONS = { revision: 'r', host: undefined, hostLabels: {} } as const;

/** By rule: what is found in its bad fixture. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'bad-silence': [
    '6:5 a silence needs a reason: `disable=one-sample-decides -- REASON`',
    '8:5 there is no rule `one-sample-decide`; did you mean `one-sample-decides`?',
    '10:59 this silences nothing; write `# revertd-lint disable=RULE -- REASON`',
  ],
  'cannot-clear': [
    '10:23 the trigger "t0" never clears: the query does not get below that value',
    '15:23 the trigger "t1" never clears: the query does not get above that value',
  ],
  'captured-without-checks': ['3:19 a rung restores "data", and no check says whether it is intact then'],
  'counter-without-rate': [
    '7:14 the counter `errors_total` is compared as it stands, without rate or increase',
    '11:14 the counter `app_seconds_bucket` is compared as it stands, without rate or increase',
    '15:14 the counter `errors_total` is compared as it stands, without rate or increase',
  ],
  'empty-ratio': [
    '7:14 the ratio has no data while `sum(rate(errors_total[5m]))` has no series',
    '11:14 the ratio has no data while `100 * sum(rate(requests_total{code="500"}[5m]))` has no series',
    '15:14 the ratio has no data while `sum(rate(requests_total{code="200"}[5m]))` has no series',
  ],
  'env-file-not-reread': ['9:16 nothing makes the new value of SLOW_PATH effective: the place has no `then`'],
  'first-rung-loses-data': [
    '10:11 the first rung "database" loses data: it runs `pg_restore --clean --dbname=app /backup/app.dump`',
    '11:11 the first rung "database" loses data: it runs `psql app -c TRUNCATE jobs`',
    '12:11 the first rung "database" loses data: it runs `rm -rf /var/cache/app`',
    '13:11 the first rung "database" loses data: it runs `git -C /srv/app reset --hard HEAD~1`',
    '14:11 the first rung "database" loses data: it sends DELETE',
  ],
  'float-equality': [
    '7:14 `==` compares `rate(requests_total[5m])`, which is not a whole number',
    '11:14 `==` compares `0.5`, which is not a whole number',
  ],
  'good-points-are-gone': ['25:43 points of "data" are kept for 30m, and count as good after 1h10m'],
  'inconclusive-counts': ['10:33 the rung "flags" counts as a success when nothing is known'],
  'keeps-one-point': [
    '13:8 "short" takes a point every 1d and keeps none for longer than 12h',
    '22:11 "within" takes a point every 1d and keeps none for longer than 1d',
    '31:11 "last" takes a point every 5m and keeps none for longer than 5m',
  ],
  'no-limit': ['4:1 the policy "p" has no `limit`'],
  'nobody-hears': ['19:11 no notifier of the policy "p" hears `asking`, `exhausted`, `braked`, `warning`'],
  'nothing-to-go-back-to': ['25:33 no PointPolicy takes points of "data" before something goes wrong'],
  'nothing-verified': [
    '8:13 nothing verifies the rung "flags": the policy has no critical trigger, and it has no checks',
    '10:13 nothing verifies the rung "restart": the policy has no critical trigger, and it has no checks',
  ],
  'nothing-watches-down': ['5:3 no trigger of these policies fires when a service does not answer at all'],
  'one-sample-decides': [
    '6:13 the trigger "t0" rolls back upon a single sample',
    '9:13 the trigger "t1" rolls back upon a single sample',
  ],
  'percent-mix-up': [
    '8:14 the query gives a share, which is hardly ever beyond 1; 5 looks like a percentage',
    '12:14 the query gives a percentage; 0.05 of it is less than one percent',
    '17:14 the query gives a share, which is hardly ever beyond 1; 50 looks like a percentage',
    '21:14 the query gives a percentage; 0.9 of it is less than one percent',
  ],
  'points-never-read': ['10:1 no point of "nightly" is read again after it was stored'],
  'policies-disagree': [
    '21:46 the flag "fast-path" is set to "on" here, and to safe by the policy "p" (policies-disagree.bad.yaml:1)',
  ],
  'quantile-without-le': [
    '7:14 `sum` drops the label `le`, which `histogram_quantile` needs',
    '11:14 `sum` drops the label `le`, which `histogram_quantile` needs',
    '15:14 the quantile 95 is not between 0 and 1',
  ],
  'quiesced-without-steps': ['14:16 "nightly" is quiesced, and no target of it has `quiesce`'],
  'rate-of-gauge': [
    '7:14 `rate` is taken of `process_resident_memory_bytes`, which is a gauge by its name',
    '11:14 `increase` is taken of `connections_active`, which is a gauge by its name',
  ],
  'rate-of-sum': ['7:14 `rate` is taken of `sum(…)` over a subquery'],
  'released-too-soon': ['13:30 latches are lifted after 30m, the cooldown lasts 1h'],
  'repeated-loss': [
    '10:61 a step that loses data is repeatable: it runs `dropdb app`',
    '12:85 a step that loses data is repeatable: it runs `pg_restore --dbname=app /backup/app.dump`',
  ],
  'restore-never-tried': ['14:11 no point of "nightly" is ever restored for trial'],
  'rto-out-of-reach': [
    '12:8 `rto` (10m) is shorter than the fastest recovery (10m30s: `for`, `settle` and `verify.for` together)',
  ],
  'safe-is-default': ['7:16 the flag "slow-path" is "off" already, so a rollback to safe changes nothing'],
  'secret-in-the-clear': [
    '10:47 this looks like a secret that is written out',
    '10:90 this looks like a secret that is written out',
    '11:24 this looks like a secret that is written out',
    '11:94 this looks like a secret that is written out',
  ],
  'short-for': [
    '9:12 `for` (20s) is shorter than two scrapes of its source (one every 15s)',
    '13:12 `for` (1m30s) is shorter than two scrapes of its source (one every 1m)',
  ],
  'short-range': [
    '7:14 `rate` over 45s sees 3 scrapes: its source is sampled every 15s',
    '11:14 `increase` over 30s sees 2 scrapes: its source is sampled every 15s',
  ],
  'sides-never-match': [
    '7:14 the sides of `/` keep different labels: job and none',
    '11:14 the sides of `-` keep different labels: job, zone and zone',
  ],
  'start-at-of-warning': ['7:91 the trigger "queue" is a warning, so that `startAt` has no effect'],
  suspended: ['12:12 "p" is suspended'],
  'tells-nobody': ['4:1 the policy "p" has no `notify`', '15:1 the policy "q" has no `notify`'],
  'threshold-out-of-range': [
    '8:14 the query is always from 0 to 1, so `> 1` is never true: the trigger cannot fire',
    '12:14 the query is always from 0 to 1, so `< 2` is always true: the trigger always breaches',
    '16:14 the query is always from 0 to 1, so `> 5` is never true: the trigger cannot fire',
    '20:14 the query is always 0 or more, so `< 0` is never true: the trigger cannot fire',
    '24:16 the query is always from 0 to 1, so `outside 0…1` is never true: the trigger cannot fire',
    '29:54 the query is always from 0 to 1, so `> 1` is never true: the check cannot succeed',
    '29:111 the query is always 0 or more, so `> -1` is always true: the check cannot fail',
  ],
  'unencrypted-webhook': ['5:19 the notifier "chat" sends over http to chat.example.com'],
  'unreached-rung': ['9:13 the rung "flags" is never reached: every critical trigger starts later'],
  'unrehearsed-loss': ['10:13 the rung "data" of "p" loses data, and no Drill rehearses it'],
  'unused-notifier': ['15:19 no policy or drill notifies "status-page"'],
  'unused-silence': ['6:5 `one-sample-decides` would find nothing in line 7'],
  'unused-source': ['3:19 no trigger has `source: mimir`'],
};

function fixture(name: string): PolicyFile {
  return { path: name, bytes: readFileSync(new URL(name, FOLDER)) };
}

/** What a rule finds in a fixture that is loaded beside the base of all. */
function found(rule: string, kind: 'good' | 'bad'): readonly Finding[] {
  const file = `${rule}.${kind}.yaml`;
  const result = lintPolicies([fixture('base.yaml'), fixture(file)], OPTIONS);
  if (!result.ok) throw new Error(`${file} is not valid: ${JSON.stringify(result.diagnostics)}`);
  return result.findings.filter((finding) => finding.file === file && finding.rule === rule);
}

const RULES = [...LINT_RULES.map(({ id }) => id), ...Object.values(SILENCE_RULES).map(({ id }) => id)].sort();

describe('a rule', () => {
  it('has a bad fixture, a good one and an expectation', () => {
    const fixtures = ['bad', 'good'].flatMap((kind) => RULES.map((rule) => `${rule}.${kind}.yaml`));
    expect(readdirSync(FOLDER).sort()).toEqual(['base.yaml', ...fixtures].sort());
    expect(Object.keys(EXPECTED)).toEqual(RULES);
  });

  it('is the name of its file, and in the registry', () => {
    const files = readdirSync(new URL('rules/', import.meta.url)).map((file) => file.replace(/\.ts$/, ''));
    expect(LINT_RULES.map(({ id }) => id)).toEqual(files.sort());
  });

  it.each(RULES)('%s finds what is doubtful', (rule) => {
    const lines = found(rule, 'bad').map(({ line, column, message }) => `${line}:${column} ${message}`);
    expect(lines).toEqual(EXPECTED[rule]);
  });

  it.each(RULES)('%s leaves alone what looks like it', (rule) => {
    expect(found(rule, 'good')).toEqual([]);
  });

  it.each([...LINT_RULES, ...Object.values(SILENCE_RULES)].map((rule) => [rule.id, rule] as const))(
    '%s says why, and how to mend it',
    (_id, { title, why, mend }) => {
      expect(title).toMatch(/^[a-z`].*[^.]$/);
      expect(why).toMatch(/^[A-Z`].*\.$/);
      expect(mend).toMatch(/^[a-z`].*[^.]$/);
    },
  );
});

const TRIGGER = '{ name: slow, query: app_latency_seconds, above: 0.5 }';

/** A policy whose only trigger is upon one sample, with comments around it. */
function policy({ above = '', behind = '', top = '' }: { above?: string; behind?: string; top?: string }): string {
  const head = `${top}apiVersion: revertd.dev/v1\nkind: RollbackPolicy\nmetadata: { name: p }\nspec:\n`;
  const ladder = '  ladder:\n    - rung: flags\n      do: [{ setFlag: { flag: fast-path, to: safe } }]\n';
  return `${head}  triggers:\n${above}    - ${TRIGGER}${behind}\n${ladder}  limit: { rollbacks: 2, per: 24h }\n  notify: [oncall]\n`;
}

function rulesIn(text: string): readonly string[] {
  const result = lintPolicies([fixture('base.yaml'), policyFile('a.yaml', text)], OPTIONS);
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  const own = result.findings.filter(({ file, rule }) => file === 'a.yaml' && rule !== 'nothing-watches-down');
  return own.map(({ rule }) => rule);
}

describe('a silence', () => {
  const silence = '# revertd-lint disable=one-sample-decides -- the exporter averages';

  it.each([
    ['above the line', { above: `    ${silence}\n` }],
    ['above it, with another comment and a blank line between', { above: `    ${silence}\n    # and more\n\n` }],
    ['behind it', { behind: ` ${silence}` }],
    ['with several rules', { above: `    ${silence.replace('=', '=short-for, ')}\n` }],
    ['with a dash', { above: `    ${silence.replace('--', '—')}\n` }],
  ])('holds %s', (_where, comments) => {
    expect(rulesIn(policy(comments))).toEqual([]);
  });

  it.each([
    ['above the whole document', { top: `${silence}\n` }],
    ['of another rule', { above: '    # revertd-lint disable=no-limit -- it is harmless\n' }],
  ])('does not hold %s, and is found to be unused', (_where, comments) => {
    expect([...rulesIn(policy(comments))].sort()).toEqual(['one-sample-decides', 'unused-silence']);
  });

  it.each([
    ['without a reason', 'disable=one-sample-decides'],
    ['with an empty reason', 'disable=one-sample-decides --  '],
    ['of a rule that there is not', 'disable=everything -- because'],
    ['in other words', 'ignore one-sample-decides -- because'],
  ])('does not hold %s, which is found', (_what, words) => {
    expect([...rulesIn(policy({ above: `    # revertd-lint ${words}\n` }))].sort()).toEqual([
      'bad-silence',
      'one-sample-decides',
    ]);
  });

  it('holds for what the loader doubts', () => {
    const doubted = policy({}).replace('fast-path, to: safe', 'fast-path, to: { variant: off }');
    expect(rulesIn(doubted)).toEqual(['one-sample-decides', 'W-YAML-BOOLEAN']);
    const silenced = doubted.replace(
      '      do: [',
      '      # revertd-lint disable=W-YAML-BOOLEAN -- we use YAML 1.2\n      do: [',
    );
    expect(rulesIn(silenced)).toEqual(['one-sample-decides']);
  });

  it('is no silence within a text', () => {
    const text = policy({}).replace(
      'metadata: { name: p }',
      `metadata:\n  name: p\n  annotations: { a: "${silence}" }`,
    );
    expect(rulesIn(text)).toEqual(['one-sample-decides']);
  });

  it('is told with what it silences', () => {
    const result = lintPolicies(
      [fixture('base.yaml'), policyFile('a.yaml', policy({ behind: ` ${silence}` }))],
      OPTIONS,
    );
    expect(result).toMatchObject({ silenced: [{ rule: 'one-sample-decides', reason: 'the exporter averages' }] });
  });
});

describe('what the loader doubts', () => {
  it('is explained and can be silenced, each code of it', () => {
    const folder = new URL('../', import.meta.url);
    const sources = readdirSync(folder).filter((file) => /^[\w-]+\.ts$/.test(file));
    const codes = sources.flatMap(
      (file) => readFileSync(new URL(file, folder), 'utf8').match(/(?<=')W-[A-Z-]+(?=')/g) ?? [],
    );
    expect(SILENCEABLE.filter((rule) => rule.startsWith('W-')).sort()).toEqual([...new Set(codes)].sort());
  });

  it('is not linted as long as the policies are faulty', () => {
    const result = lintPolicies([policyFile('a.yaml', policy({}))], OPTIONS);
    expect(result).toMatchObject({ ok: false, diagnostics: [{ code: 'E-NO-FLAG' }, { code: 'E-NO-NOTIFIER' }] });
  });
});
