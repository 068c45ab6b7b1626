/** The host's figures beside those of Debian's node_exporter, on the machine that the test runs on. */
import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { HostType, MetricSource } from '../../../src/core/model/metric-source.ts';
import { systemClock } from '../../../src/metrics/clock.ts';
import { parseExposition } from '../../../src/metrics/exposition/parse.ts';
import { SeriesTable } from '../../../src/metrics/exposition/series-table.ts';
import { formatSeries } from '../../../src/metrics/labels.ts';
import { host } from '../../../src/metrics/samplers/host/index.ts';
import { createFakeSystemctl } from '../../support/fake-systemctl.ts';
import { unusedPort } from '../../support/loopback.ts';
import { findProgram, PeerProcess } from '../../support/peer-process.ts';

const exporter = findProgram('prometheus-node-exporter');
const COLLECTORS = ['cpu', 'meminfo', 'filesystem', 'loadavg', 'pressure', 'stat', 'time'];
const FAMILIES = /^node_(cpu_seconds_total|memory_|filesystem_|load|pressure_|boot_time_seconds|time_seconds)/;
const FIXED = /^node_(memory_MemTotal_bytes|boot_time_seconds|filesystem_(size_bytes|files|readonly|device_error))\b/;

/** The default of node_exporter itself; Debian's build leaves out /mnt, /media and /run as well. */
const PLACES_LEFT_OUT = '^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)';

async function theirs(): Promise<Map<string, number>> {
  const address = `127.0.0.1:${await unusedPort()}`;
  const collectors = COLLECTORS.map((name) => `--collector.${name}`);
  const argv = [
    '--collector.disable-defaults',
    ...collectors,
    `--collector.filesystem.mount-points-exclude=${PLACES_LEFT_OUT}`,
    `--web.listen-address=${address}`,
  ];
  await using process = new PeerProcess(exporter ?? '', argv);
  await process.ready(`http://${address}/metrics`);
  const text = await (await fetch(`http://${address}/metrics`)).text();
  const samples = parseExposition(text, new SeriesTable(), { format: 'text', limit: 100_000 });
  return new Map(samples.map(({ labels, value }) => [formatSeries(labels), value]));
}

async function ours(): Promise<Map<string, number>> {
  const type: HostType = { kind: 'host', units: [], labels: {}, timeoutMs: 10_000 };
  const origin = { file: 'metrics.yaml', line: 1, column: 1 };
  const source: MetricSource = { name: 'host', origin, suspend: false, intervalMs: 15_000, type };
  const secret = () => Promise.reject(new Error('no secrets here'));
  const [sampler] = host.open(source, type, { clock: systemClock, secret, systemctl: createFakeSystemctl({}) });
  const outcome = await sampler?.sample(new AbortController().signal);
  const pairs = (outcome?.samples ?? []).map(({ labels: { job, instance, ...labels }, value }) => {
    expect([job, instance]).toEqual(['host', hostname()]);
    return [formatSeries(labels), value] as const;
  });
  return new Map(pairs);
}

describe.skipIf(exporter === undefined)('beside node_exporter (needs the package prometheus-node-exporter)', () => {
  it('the host has the same series, and the same figures where they do not move', async () => {
    const [their, our] = [await theirs(), await ours()];
    const names = (series: Map<string, number>) => [...series.keys()].filter((name) => FAMILIES.test(name)).sort();
    expect(names(our)).toEqual(names(their));
    expect(names(our).length).toBeGreaterThan(50);
    const fixed = (series: Map<string, number>) => Object.fromEntries([...series].filter(([name]) => FIXED.test(name)));
    expect(fixed(our)).toEqual(fixed(their));
    for (const [name, value] of our) {
      if (!/^node_(cpu_seconds_total|pressure_)/.test(name)) continue;
      // Counters of the same kernel, read a moment later.
      expect({ name, ahead: value - (their.get(name) ?? 0) >= -0.5 && value - (their.get(name) ?? 0) < 60 }).toEqual({
        name,
        ahead: true,
      });
    }
  });
});
