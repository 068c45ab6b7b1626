import { describe, expect, it } from 'vitest';
import { badFixtures, faultsOf } from '../../test/tools/policy-fixtures.ts';

/** By fixture: every line that is printed of it. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'alert-rule-annotations': [
    '26:7 error[E-UNKNOWN-KEY] unknown key `annotations`; annotations belong to the policy, in its `metadata`',
  ],
  'alert-rule-expr': ['23:7 error[E-UNKNOWN-KEY] unknown key `expr`; here it is called `query`'],
  'alert-rule-name': ['22:7 error[E-UNKNOWN-KEY] unknown key `alert`; here it is called `name`'],
  'check-url-bare': [
    '29:26 error[E-TYPE] `checks[0]` must be a mapping; found the text "http://127.0.0.1/health"; for example { http: { url: "http://127.0.0.1:8080/health/deep", status: 200 } }',
  ],
  'checks-mapping': [
    '29:25 error[E-TYPE] `checks` must be a list of checks; found a mapping; put "- " before each item',
  ],
  'clear-number': [
    '26:14 error[E-TYPE] `clear` must be a mapping; found the number 0.3; for example { below: 0.1, for: 1m }',
  ],
  'cooldown-number': ['30:13 error[E-UNIT] `cooldown` has no unit: found 1800, write 1800s or 1800ms'],
  'do-mapping': ['28:11 error[E-TYPE] `do` must be a list of steps; found a mapping; put "- " before each item'],
  'enabled-key': [
    '21:3 error[E-UNKNOWN-KEY] unknown key `enabled`; what is there is in force; write `suspend: true` to keep it and do nothing',
  ],
  'flag-enabled': ['6:19 error[E-TYPE] `defaultVariant` must be a variant name such as on; found true; write "true"'],
  'flag-value': [
    '4:1 error[E-MISSING-KEY] `variants` is missing in `spec`',
    '4:1 error[E-MISSING-KEY] `defaultVariant` is missing in `spec`; for example `defaultVariant: on`',
    '5:3 error[E-UNKNOWN-KEY] unknown key `value`; write its values as `variants: { "on": true, "off": false }`, and `defaultVariant`',
  ],
  'hosts-list': [
    '21:10 error[E-TYPE] `hosts` must be a mapping; found a list; for example { matchLabels: { role: memory } }',
  ],
  'label-number': ['19:44 error[E-TYPE] `version` must be a text; found the number 1.2; write "1.2"'],
  'ladder-of-names': [
    '27:7 error[E-TYPE] `ladder[0]` must be a mapping; found the text "fast-path"; for example { rung: flags, do: [{ setFlag: { flag: enhanced-injection, to: safe } }] }',
  ],
  'limit-misspelled': ['30:12 error[E-UNKNOWN-KEY] unknown key `count`; here it is called `rollbacks`'],
  'limit-text': [
    '30:10 error[E-TYPE] `limit` must be a mapping; found the text "2/24h"; for example { rollbacks: 2, per: 24h }',
  ],
  'match-expressions': [
    '21:12 error[E-UNKNOWN-KEY] unknown key `matchExpressions`; write `matchLabels: { role: web }`, all of which must be there',
  ],
  'name-with-slash': [
    '19:19 error[E-NAME] "shop/slow" cannot be a name (`name`): names are up to 63 letters, digits, ".", "_" and "-", beginning and ending with a letter or digit',
  ],
  namespace: [
    '19:25 error[E-UNKNOWN-KEY] unknown key `namespace`; there are no namespaces; names are unique within a kind, and `labels` group',
  ],
  'notify-mapping': [
    '29:12 error[E-TYPE] `notify[0]` must be a name such as memory-injection; found a mapping; a text that begins with { needs quotes',
  ],
  'on-text': ['16:7 error[E-TYPE] `on` must be a list of topics; found the text "opened"; write [opened]'],
  'operator-text': [
    '24:14 error[E-TYPE] `above` must be a number; found the text "> 0.5"; write the number alone: `above` and `below` say the rest',
  ],
  'place-text': [
    '9:7 error[E-TYPE] `deliver[0]` must be a mapping; found the text "/etc/app.env"; for example { envFile: { path: /etc/memory.env, key: USE_ENHANCED_INJECTION } }',
  ],
  'query-arguments-swapped': [
    '23:34 error[E-QUERY] the query is not right: expected scalar in argument 1 of histogram_quantile(), got instant vector; the quantile comes first: `histogram_quantile(0.95, x)`',
  ],
  'query-by-without-parenthesis': [
    '23:21 error[E-QUERY] the query is not right: unexpected job, expected label names separated by commas; labels stand in parentheses: `sum by (job) (x)`',
  ],
  'query-grafana-variable': [
    '23:35 error[E-QUERY] the query is not right: unexpected $, expected a duration such as 5m and ]; variables of Grafana are not known here; write a duration such as 5m',
  ],
  'query-label-unquoted': [
    '23:22 error[E-QUERY] the query is not right: unexpected app, expected one of = != =~ !~ and a quoted value',
  ],
  'query-logical-operator': [
    '23:23 error[E-QUERY] the query is not right: unexpected &, expected an expression; write `and`',
  ],
  'query-missing-parenthesis': ['23:17 error[E-QUERY] the query is not right: unclosed ('],
  'query-percent': [
    '23:30 error[E-QUERY] the query is not right: unexpected end of the query, expected an expression; a percentage is a number: 0.9 of a share, or 90 of 100',
  ],
  'query-range-with-space': [
    '23:37 error[E-QUERY] the query is not right: unexpected m, expected a duration such as 5m and ]; a duration has no space in it: [5m]',
  ],
  'query-rate-without-range': [
    '23:19 error[E-QUERY] the query is not right: expected range vector in argument 1 of rate(), got instant vector; a range is missing: `rate(x[5m])`',
  ],
  'query-single-equals': [
    '23:17 error[E-QUERY] the query is not right: unexpected =, expected an operator or the end of the query; equality is written ==',
  ],
  'query-sql': [
    '23:21 error[E-QUERY] the query is not right: unexpected value, expected an operator or the end of the query; this is SQL; a MetricSource of type `sql` makes a metric of it',
  ],
  'rung-name-key': ['27:7 error[E-UNKNOWN-KEY] unknown key `name`; here it is called `rung`'],
  'secret-env-dollar': [
    '15:26 error[E-NAME] "$ONCALL" is not an environment variable name; expected an environment variable name such as USE_ENHANCED_INJECTION',
  ],
  'secret-nested': [
    '15:33 error[E-TYPE] `credential` must be a text; found a mapping; a text that begins with { needs quotes',
  ],
  'secret-text': ['15:19 error[E-URL] `url` is not an http or https address: found "credential:oncall"'],
  'severity-page': ['26:17 error[E-VALUE] `severity` must be critical or warning; found the text "page"'],
  'step-flag-text': [
    '28:23 error[E-TYPE] `setFlag` must be a mapping; found the text "fast-path"; for example { flag: enhanced-injection, to: safe }',
  ],
  'step-restart': [
    '28:14 error[E-UNKNOWN-KEY] unknown key `restart`; write `service: { unit: app.service, do: restart }`',
  ],
  'step-to-false': [
    '28:46 error[E-TYPE] `to` must be `safe` or {variant: NAME}; found false; name the variant: {variant: "off"}',
  ],
  'step-to-variant-bare': [
    '28:46 error[E-VALUE] `to` must be `safe` or {variant: NAME}; found the text "off"; write {variant: "off"}',
  ],
  'step-value': ['28:42 error[E-UNKNOWN-KEY] unknown key `value`; write `to: safe` or `to: { variant: NAME }`'],
  'threshold-key': ['24:7 error[E-UNKNOWN-KEY] unknown key `threshold`; write `above: 0.5` or `below: 0.5`'],
  'webhook-text': [
    '15:12 error[E-TYPE] `webhook` must be a mapping; found the text "https://chat.example.com/hook"; for example { url: "https://hooks.example.com/revertd", secret: { credential: webhook-secret } }',
  ],
};

describe('what people bring along from other tools', () => {
  it('has an expectation for every fixture', () => {
    expect(badFixtures('habits')).toEqual(Object.keys(EXPECTED).sort());
  });

  it.each(Object.entries(EXPECTED))('%s', (name, lines) => {
    expect(faultsOf('habits', name)).toEqual({ refused: true, lines });
  });
});
