import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { PolicyFile } from '../core/model/revision.ts';
import { loadPolicies } from './load.ts';

const FILE = 'memory.good.yaml';

function fixture(name: string): PolicyFile {
  return { path: name, bytes: readFileSync(new URL(`../../test/fixtures/policy/${name}`, import.meta.url)) };
}

function loadGood(hostLabels: Readonly<Record<string, string>> = {}) {
  const host = { url: 'http://127.0.0.1:8080', dir: '/etc/memory' };
  const result = loadPolicies([fixture(FILE)], { revision: 'r1', host, hostLabels });
  expect(result).toMatchObject({ ok: true, warnings: [], documents: 6, files: 1 });
  if (!result.ok) throw new Error('the fixture must load');
  return result.desired;
}

describe('a good revision', () => {
  it('becomes sources with their times in ms and their variables filled in', () => {
    const { revision, metricSources } = loadGood();
    expect(revision).toBe('r1');
    expect(metricSources['memory-service']).toEqual({
      name: 'memory-service',
      origin: { file: FILE, line: 2, column: 1 },
      suspend: false,
      intervalMs: 5_000,
      type: {
        kind: 'scrape',
        targets: ['http://127.0.0.1:9464/metrics'],
        labels: { service: 'memory' },
        timeoutMs: 2_000,
        auth: { kind: 'bearer', token: { credential: 'metrics-token' } },
        limits: { bytes: 10 * 1024 * 1024, samples: 50_000 },
      },
    });
    expect(metricSources['memory-health']?.type).toEqual({
      kind: 'probe',
      probe: {
        kind: 'http',
        method: 'GET',
        url: 'http://127.0.0.1:8080/health',
        headers: {},
        status: [200, 204],
        bodyContains: 'ok',
        timeoutMs: 10_000,
      },
    });
  });

  it('becomes flags with the places of this host only', () => {
    const flag = loadGood().flags['enhanced-injection'];
    expect(flag).toMatchObject({
      state: 'ENABLED',
      variants: { on: true, off: false },
      defaultVariant: 'on',
      safeVariant: 'off',
      drift: 'repair',
    });
    expect(flag?.deliver).toHaveLength(1);
    expect(flag?.deliver[0]).toMatchObject({
      origin: { file: FILE, line: 29, column: 7 },
      document: { kind: 'envFile', path: '/etc/memory/memory.env' },
      entry: 'USE_ENHANCED_INJECTION',
    });
    expect(flag?.deliver[0]?.takeUp).toMatchObject([
      {
        kind: 'service',
        service: { kind: 'unit', unit: 'memory-system.service' },
        do: { kind: 'restart' },
        timeoutMs: 120_000,
      },
    ]);
  });

  it('keeps the places of a host that has the labels', () => {
    const place = loadGood({ config: 'file' }).flags['enhanced-injection']?.deliver[1];
    expect(place).toMatchObject({
      document: { kind: 'file', path: '/etc/memory/config.json' },
      entry: '/featureFlags/USE_ENHANCED_INJECTION',
    });
    expect(place?.takeUp).toMatchObject([
      {
        kind: 'service',
        service: { kind: 'pidFile', path: '/run/memory.pid' },
        do: { kind: 'signal', signal: 'SIGHUP' },
      },
    ]);
  });

  it('becomes policies with every default written out', () => {
    const policy = loadGood().policies['memory-injection'];
    expect(policy?.triggers).toMatchObject([
      {
        name: 'p95-latency',
        threshold: { kind: 'above', value: 0.5 },
        forMs: 30_000,
        clear: { threshold: { kind: 'below', value: 0.1 }, forMs: 60_000 },
        noData: 'hold',
        severity: 'critical',
        windowMs: 60_000,
      },
      { name: 'down', noData: 'fire', startAt: 'code', windowMs: 0 },
      { name: 'cache', threshold: { kind: 'outside', low: 0.2, high: 1 }, forMs: 0, severity: 'warning' },
    ]);
    expect(policy?.ladder[0]?.verify).toEqual({
      settleMs: 30_000,
      withinMs: 300_000,
      forMs: 0,
      triggersClear: true,
      checks: [],
      onInconclusive: 'ask',
    });
    expect(policy?.ladder[1]?.do).toMatchObject([
      { kind: 'setFlag', to: { kind: 'variant', variant: 'off' }, timeoutMs: 20_000 },
      {
        kind: 'run',
        argv: ['/usr/local/bin/redeploy', '--last-good'],
        repeatable: true,
        unless: [],
        timeoutMs: 180_000,
      },
      { kind: 'http', method: 'POST', status: [], repeatable: false, unless: [{ kind: 'unit', is: 'inactive' }] },
    ]);
    expect(policy).toMatchObject({
      match: { kind: 'any' },
      cooldownMs: 2_700_000,
      limit: { rollbacks: 2, perMs: 86_400_000 },
      rtoMs: 900_000,
      notify: ['oncall', 'pager'],
      release: { kind: 'after', spanMs: 7_200_000 },
    });
  });

  it('becomes notifiers', () => {
    expect(loadGood().notifiers).toMatchObject({
      oncall: {
        on: ['opened', 'resolved', 'exhausted'],
        type: { kind: 'webhook', url: { credential: 'oncall-webhook' } },
      },
      pager: { timeoutMs: 5_000, type: { kind: 'command', argv: ['/usr/local/bin/page', 'memory-team'] } },
    });
  });
});
