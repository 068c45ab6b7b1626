import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadTests } from './load-tests.ts';
import { runTest } from './run-test.ts';

/** P1: the runbook's eight scenarios, over the pack that takes them on. */
const PACK = resolve(import.meta.dirname, '../../policies/memory-system');
const TEMPLATES = readdirSync(join(PACK, 'templates')).map((name) => `templates/${name}`);
const FILES = ['flags.yaml', 'injection.yaml', 'metrics.yaml', 'metrics-full.yaml', 'notifiers.yaml', ...TEMPLATES].map(
  (path) => ({
    path,
    bytes: readFileSync(join(PACK, path)),
  }),
);

/** Option C for the corruption of data: what it does needs a database, whom it asks does not. */
const CORRUPTION = `apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: memory-corruption }
spec:
  triggers: [{ name: corruption, query: max(memory_database_faults), above: 0, startAt: database }]
  ladder:
    - rung: flags
      do: [{ setFlag: { flag: enhanced-injection, to: safe } }]
    - rung: database
      dataLoss: { count: { memories: { query: sum(memory_rows_since_migration) } } }
      approval:
        roles: { engineering-manager: 1, dba: 1 }
        within: 15m
        override: { role: oncall, when: [{ query: { expr: 'max(probe_success{job="memory-health"})', below: 1 } }] }
      do: [{ run: { argv: [/usr/local/bin/rollback-004], repeatable: true } }]
      verify: { settle: 5s, within: 10m }
  notify: [oncall, engineering]
`;

const job = '{job="memory-service"}';
const STEADY = [
  ['memory_injection_seconds_bucket{job="memory-service", le="0.05"}', '0+10x900'],
  ['memory_injection_seconds_bucket{job="memory-service", le="+Inf"}', '0+10x900'],
  [`nodejs_heap_size_used_bytes${job}`, '500000x900'],
  [`memory_flag_sessions_active${job}`, '0x900'],
] as const;

type Series = readonly (readonly [series: string, values: string])[];

/** Three minutes of calm, then the scenario; `end` is how many intervals of 5 s it lasts before it is mended. */
const SCENARIOS = {
  'injection latency over 500 ms': (end: number): Series => [
    ['memory_injection_seconds_bucket{job="memory-service", le="0.05"}', `0+10x36 360x${end} 370+10x900`],
    ['memory_injection_seconds_bucket{job="memory-service", le="1"}', `0+10x36 370+10x${end} ${380 + 10 * end}+10x900`],
    [
      'memory_injection_seconds_bucket{job="memory-service", le="+Inf"}',
      `0+10x36 370+10x${end} ${380 + 10 * end}+10x900`,
    ],
  ],
  'failing connections of the database': counter('memory_database_connection_errors_total', 1),
  'an exhausted heap': (end: number): Series => [
    [`nodejs_heap_size_used_bytes${job}`, `500000x36 980000x${end} 500000x900`],
  ],
  'more than 10 errors of sharing in a minute': counter('memory_cross_agent_errors_total', 2),
  'timeouts of RAG': counter('memory_rag_timeouts_total', 1),
  'a cache that hits less than every second time': (end: number): Series => [
    [`memory_cache_lookups_total${job}`, '0+10x900'],
    [`memory_cache_hits_total${job}`, `0+9x36 ${9 * 36 + 3}+3x${end} ${9 * 37 + 3 * end}+9x900`],
  ],
  'some errors of injection': counter('memory_injection_errors_total', 1 / 4),
} as const;

/** A counter that stands still but for the time of the scenario. */
function counter(name: string, rise: number): (end: number) => Series {
  return (end) => [[`${name}${job}`, `0x36 ${rise}+${rise}x${end} ${rise * (end + 1)}x900`]];
}

type Name = keyof typeof SCENARIOS;

function run(
  series: Series,
  expectations: readonly object[],
  events: readonly object[] = [],
  more = '',
): readonly string[] {
  const named = new Set(series.map(([name]) => name.replace(/, le=.*/, '')));
  const steady = STEADY.filter(([name]) => !named.has(name.replace(/, le=.*/, '')));
  const input = [...steady, ...series].map(([name, values]) => ({ series: name, values }));
  const variables = {
    memoryMetricsUrl: 'http://127.0.0.1:9464/metrics',
    memoryUrl: 'http://127.0.0.1:8080',
    memoryEnvFile: '/etc/memory-system/env',
    memoryUnit: 'memory-system.service',
    memoryHeapLimitBytes: '1000000',
    memoryDatabase: '/var/lib/memory-system/memory.db',
    memoryDataFolder: '/var/lib/memory-system',
  };
  const host = { labels: { 'memory-flags': 'env-file' }, variables };
  const spec = { host, interval: '5s', input, ...(events.length === 0 ? {} : { events }), expect: expectations };
  const document = { apiVersion: 'revertd.dev/v1', kind: 'PolicyTest', metadata: { name: 'p1' }, spec };
  const text = `${more === '' ? '' : `${more}---\n`}${JSON.stringify(document)}`;
  const { tests, diagnostics } = loadTests([...FILES, { path: 'p1.yaml', bytes: Buffer.from(text) }], {
    variables: {},
    labels: {},
  });
  expect(diagnostics.map(({ message }) => message)).toEqual([]);
  return tests.flatMap((one) =>
    runTest(one).failures.map(
      ({ at, message, differences }) => `${at / 60_000} min: ${message} ${JSON.stringify(differences)}`,
    ),
  );
}

const OFF = { 'enhanced-injection': 'off', 'cross-agent-sharing': 'off', 'hierarchical-tiers': 'off' };
const ON = { 'enhanced-injection': 'on', 'cross-agent-sharing': 'on', 'hierarchical-tiers': 'on' };
const policy = 'memory-system';

describe('P1: critical, so it is rolled back at once (option A)', () => {
  test.each<Name>([
    'injection latency over 500 ms',
    'failing connections of the database',
    'an exhausted heap',
    'more than 10 errors of sharing in a minute',
  ])('%s', (name) => {
    const failures = run(SCENARIOS[name](36), [
      { at: '3m', nothing: true },
      { within: '4m30s', rungs: ['flags'], flags: OFF },
      { within: '16m', incidents: [{ policy, phase: 'resolved' }] },
    ]);
    expect(failures).toEqual([]);
  });
});

describe('P1: a warning, so people have 30 minutes to mend it', () => {
  const WARNINGS: Name[] = [
    'timeouts of RAG',
    'a cache that hits less than every second time',
    'some errors of injection',
  ];

  test.each(WARNINGS)('%s, and they do', (name) => {
    const failures = run(SCENARIOS[name](240), [
      { within: '6m', incidents: [{ policy, phase: 'fixing-forward', rung: 'flags' }], flags: ON },
      { at: '22m', incidents: [{ policy, phase: 'fixing-forward' }], rungs: [], actions: [], flags: ON },
      { within: '26m', incidents: [{ policy, phase: 'resolved' }], rungs: [], actions: [], flags: ON },
    ]);
    expect(failures).toEqual([]);
  });

  test.each(WARNINGS)('%s, and they do not: option A', (name) => {
    const failures = run(SCENARIOS[name](500), [
      { within: '6m', incidents: [{ policy, phase: 'fixing-forward' }] },
      { at: '33m', incidents: [{ policy, phase: 'fixing-forward' }], rungs: [], flags: ON },
      { within: '36m', rungs: ['flags'], flags: OFF },
    ]);
    expect(failures).toEqual([]);
  });
});

describe('P1, P2: corrupted data, so the database goes back (option C)', () => {
  const faults: Series = [
    [`memory_database_faults${job}`, '0x36 3x60 0x900'],
    [`memory_rows_since_migration${job}`, '1234x900'],
    ['probe_success{job="memory-health"}', '1x900'],
  ];
  const asks = {
    within: '4m',
    incidents: [{ policy: 'memory-corruption', phase: 'awaiting-approval', rung: 'database' }],
  };
  const database = (by: string, ...roles: string[]) => ({ incident: 'INC-1', by, roles });

  test('once the engineering manager and the DBA have agreed, and not before', () => {
    const events = [
      { at: '5m', approve: database('eve', 'engineering-manager') },
      { at: '5m', approve: { ...database('eve', 'dba'), refused: true } },
      { at: '5m', approve: { ...database('root', 'dba'), refused: true } },
      { at: '6m', approve: database('dan', 'dba') },
    ];
    const failures = run(
      faults,
      [
        { ...asks, rungs: [], actions: [], flags: ON },
        { at: '5m55s', rungs: [], actions: [] },
        { within: '6m30s', rungs: ['database'], actions: [{ run: { argv: ['/usr/local/bin/rollback-004'] } }] },
        { within: '16m', incidents: [{ policy: 'memory-corruption', phase: 'resolved' }] },
      ],
      events,
      CORRUPTION,
    );
    expect(failures).toEqual([]);
  });

  test('by the one on call alone only when the service is down altogether', () => {
    const down: Series = [...faults.slice(0, 2), ['probe_success{job="memory-health"}', '1x60 0x20 1x900']];
    const alone = { ...database('cat', 'oncall'), override: true };
    const failures = run(
      down,
      [
        { ...asks, rungs: [] },
        { at: '4m50s', rungs: [] },
        { within: '5m45s', incidents: [{ policy: 'memory-corruption' }], rungs: ['database'] },
      ],
      [
        { at: '4m', approve: { ...alone, refused: true } },
        { at: '5m30s', approve: alone },
      ],
      CORRUPTION,
    );
    expect(failures).toEqual([]);
  });
});
