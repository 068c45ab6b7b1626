import { describe, expect, it } from 'vitest';
import { policyFile, printed } from '../../test/tools/policy-fixtures.ts';
import type { MetricSource } from '../core/model/metric-source.ts';
import { loadPolicies } from './load.ts';

function load(...specs: string[]) {
  const documents = specs.map((spec, index) => {
    const kind = spec.includes('triggers:') ? 'RollbackPolicy' : 'MetricSource';
    return `apiVersion: revertd.dev/v1\nkind: ${kind}\nmetadata: { name: s${index} }\nspec: ${spec}\n`;
  });
  const result = loadPolicies([policyFile('f.yaml', documents.join('---\n'))], {
    revision: 'r',
    host: { dir: '/srv/app' },
    hostLabels: {},
  });
  if (!result.ok) throw new Error(printed(result).join('\n'));
  return { desired: result.desired, warnings: printed(result) };
}

function typeOf(spec: string): MetricSource['type'] | undefined {
  return load(spec).desired.metricSources['s0']?.type;
}

describe('a source', () => {
  const cases: readonly [string, string, unknown][] = [
    [
      'probes an address with TLS and a banner',
      '{ probe: { tcp: { address: "[::1]:993", tls: true, bannerMatches: "^\\\\* OK", timeout: 2s } } }',
      {
        kind: 'probe',
        probe: { kind: 'tcp', address: '[::1]:993', tls: {}, bannerMatches: '^\\* OK', timeoutMs: 2000 },
      },
    ],
    [
      'probes a unit',
      '{ interval: 5s, probe: { unit: { name: app.service } } }',
      { kind: 'probe', probe: { kind: 'unit', name: 'app.service', is: 'active', timeoutMs: 5000 } },
    ],
    [
      'probes with a body and a log-in',
      '{ probe: { http: { url: "http://app/", method: POST, body: { a: 1 }, auth: { bearer: { credential: t } } } } }',
      { probe: { body: { a: 1 }, auth: { kind: 'bearer', token: { credential: 't' } } } },
    ],
    ['reads the host', '{ host: {} }', { kind: 'host', units: [], labels: {}, timeoutMs: 10_000 }],
    [
      'reads units and chosen file systems',
      '{ host: { units: [app.service], filesystems: ["${host.dir}"] } }',
      { units: ['app.service'], filesystems: ['/srv/app'] },
    ],
    [
      'asks PostgreSQL',
      '{ sql: { postgres: { credential: dsn }, queries: [{ name: a, query: "SELECT 1 AS v", value: v, labels: [] }] } }',
      {
        database: { kind: 'postgres', dsn: { credential: 'dsn' } },
        queries: [{ name: 'a', query: 'SELECT 1 AS v', value: 'v', labels: [] }],
      },
    ],
    [
      'asks SQLite',
      '{ sql: { sqlite: { path: "${host.dir}/app.db" }, queries: [{ name: a, query: "WITH x AS (SELECT 1) SELECT * FROM x" }] } }',
      { database: { kind: 'sqlite', path: '/srv/app/app.db' } },
    ],
    [
      'runs a command',
      '{ command: { argv: [figures, --all], labels: { a: b }, limits: { bytes: 16MiB, samples: 9 } } }',
      { argv: ['figures', '--all'], labels: { a: 'b' }, limits: { bytes: 16 * 1024 * 1024, samples: 9 } },
    ],
    [
      'asks a Prometheus',
      '{ prometheus: { url: "https://mimir/prometheus", headers: { X-Scope-OrgID: a }, auth: { basic: { username: u, password: { env: P } } }, tls: { caFile: /ca.pem, certFile: /c.pem, keyFile: /k.pem } } }',
      {
        kind: 'prometheus',
        url: 'https://mimir/prometheus',
        headers: { 'X-Scope-OrgID': 'a' },
        auth: { kind: 'basic', username: 'u', password: { env: 'P' } },
        tls: { caFile: '/ca.pem', certFile: '/c.pem', keyFile: '/k.pem' },
        timeoutMs: 10_000,
        retries: 2,
      },
    ],
  ];
  it.each(cases)('%s', (_, spec, expected) => {
    expect(typeOf(spec)).toMatchObject(expected as object);
  });
});

describe('a trigger with a source', () => {
  const remote = '{ interval: 5s, prometheus: { url: "http://127.0.0.1:9090" } }';
  const trigger = (query: string) =>
    `{ triggers: [ { name: t, query: '${query}', above: 1, for: 10s, severity: warning, source: s0 } ] }`;

  it('names it, and its digest says so', () => {
    const own = '{ triggers: [ { name: t, query: a, above: 1, for: 10s, severity: warning } ] }';
    const { desired } = load(remote, trigger('a'), own);
    const [there, here] = ['s1', 's2'].map((name) => desired.policies[name]?.triggers[0]);
    expect(there?.source).toBe('s0');
    expect(here?.source).toBeUndefined();
    expect(there?.digest).not.toBe(here?.digest);
  });

  it('may ask for what only the server can evaluate', () => {
    const query = 'histogram_count(rate(requests[5m]))';
    expect(load(remote, trigger(query)).desired.policies['s1']?.triggers[0]?.query).toBe(query);
  });

  it('must still be PromQL', () => {
    expect(() => load(remote, trigger('rate('))).toThrow('E-QUERY');
  });

  it('is not doubted for the jobs and the intervals of its server, which are not known', () => {
    expect(load(remote, trigger('rate(a{job="elsewhere"}[1s])')).warnings).toEqual([]);
  });
});
