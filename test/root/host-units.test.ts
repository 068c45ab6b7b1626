/** What the source `host` says of units, beside what systemd and the kernel's own files say of them. */
import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HostType, MetricSource } from '../../src/core/model/metric-source.ts';
import { hostSystemctl } from '../../src/drivers/systemctl.ts';
import { systemClock } from '../../src/metrics/clock.ts';
import { formatSeries } from '../../src/metrics/labels.ts';
import { host } from '../../src/metrics/samplers/host/index.ts';
import { done, property, refuseOutsideOfTheSandbox, until } from '../support/installed-host.ts';

const BUSY = 'revertd-busy.service';
const IDLE = 'revertd-idle.service';
const FOLDER = '/run/systemd/system';
const MEBIBYTE = 1024 * 1024;

/** It holds memory, works in a process of its own, and is started again when it is killed. */
const UNITS: Readonly<Record<string, string>> = {
  [BUSY]: `Restart=always\nRestartSec=100ms\nExecStart=${process.execPath} -e "const held = Buffer.alloc(${64 * MEBIBYTE}, 1); require('node:child_process').spawn('sh', ['-c', 'while :; do :; done']); setInterval(() => held.length, 1000)"`,
  [IDLE]: 'ExecStart=/bin/sleep 1000',
};

const type: HostType = { kind: 'host', units: [BUSY, IDLE], labels: {}, timeoutMs: 10_000 };
const origin = { file: 'metrics.yaml', line: 1, column: 1 };
const source: MetricSource = { name: 'units', origin, suspend: false, intervalMs: 15_000, type };
const secret = () => Promise.reject(new Error('no secrets here'));
const [sampler] = host.open(source, type, { clock: systemClock, secret, systemctl: hostSystemctl });

beforeAll(async () => {
  refuseOutsideOfTheSandbox();
  for (const [name, text] of Object.entries(UNITS)) await writeFile(join(FOLDER, name), `[Service]\n${text}\n`);
  await done(`systemctl daemon-reload && systemctl start ${BUSY}`);
});

afterAll(async () => {
  sampler?.close();
  await done(`systemctl stop ${BUSY} ${IDLE}`);
  for (const name of Object.keys(UNITS)) await rm(join(FOLDER, name));
  await done('systemctl daemon-reload');
});

async function sample(): Promise<(name: string, labels?: Readonly<Record<string, string>>) => number | undefined> {
  const outcome = await sampler?.sample(new AbortController().signal);
  expect(outcome?.kind).toBe('sampled');
  const samples = (outcome?.samples ?? []).map(({ labels: { job, instance, ...labels }, value }) => {
    expect([job, instance]).toEqual(['units', hostname()]);
    return [formatSeries(labels), value] as const;
  });
  const all = new Map(samples);
  return (name, labels = {}) => all.get(formatSeries({ __name__: name, ...labels }));
}

async function cgroupOf(unit: string): Promise<string> {
  return join('/sys/fs/cgroup', await property(unit, 'ControlGroup'));
}

async function cpuSeconds(): Promise<number> {
  return Number(await property(BUSY, 'CPUUsageNSec')) / 1e9;
}

/** What systemd says that the kernel charges to the unit, else what its processes hold, shared pages divided. */
async function memoryBytes(): Promise<number> {
  const folder = await cgroupOf(BUSY);
  if (existsSync(join(folder, 'memory.current'))) return Number(await property(BUSY, 'MemoryCurrent'));
  const pids = readFileSync(join(folder, 'cgroup.procs'), 'utf8').trim().split('\n');
  const held = pids.map((pid) =>
    Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]),
  );
  return held.reduce((sum, kibibytes) => sum + kibibytes * 1024, 0);
}

describe('what is sampled of a unit', () => {
  test('is the state that systemd says', async () => {
    for (const verb of ['start', 'stop']) {
      await done(`systemctl ${verb} ${IDLE}`);
      const value = await sample();
      const states = ['activating', 'active', 'deactivating', 'failed', 'inactive'];
      const shown = states.filter(
        (state) => value('node_systemd_unit_state', { name: IDLE, state, type: 'simple' }) === 1,
      );
      expect(shown).toEqual([await property(IDLE, 'ActiveState')]);
    }
  });

  test('is the CPU time that systemd counts, as it rises', async () => {
    const least = await until('it has worked', async () =>
      (await cpuSeconds()) > 0.2 ? await cpuSeconds() : undefined,
    );
    const before = await cpuSeconds();
    const seconds = (await sample())('systemd_unit_cpu_seconds_total', { name: BUSY });
    const after = await cpuSeconds();
    expect(before).toBeGreaterThanOrEqual(least);
    expect(seconds).toBeGreaterThanOrEqual(before);
    expect(seconds).toBeLessThanOrEqual(after);
  });

  test('is the memory that the kernel counts', async () => {
    await until('it holds what it takes', async () => ((await memoryBytes()) > 64 * MEBIBYTE ? true : undefined));
    const before = await memoryBytes();
    const bytes = (await sample())('systemd_unit_memory_bytes', { name: BUSY }) ?? 0;
    const after = await memoryBytes();
    const slack = 8 * MEBIBYTE;
    expect(bytes).toBeGreaterThan(Math.min(before, after) - slack);
    expect(bytes).toBeLessThan(Math.max(before, after) + slack);
  });

  test('is how often systemd has started it again', async () => {
    const name = 'systemd_service_restart_total';
    expect((await sample())(name, { name: BUSY })).toBe(0);
    for (const times of [1, 2]) {
      const pid = await property(BUSY, 'MainPID');
      await done(`kill -KILL ${pid}`);
      await until('it runs again', async () => {
        const isOther = (await property(BUSY, 'MainPID')) !== pid && (await property(BUSY, 'ActiveState')) === 'active';
        return isOther ? true : undefined;
      });
      expect(await property(BUSY, 'NRestarts')).toBe(String(times));
      expect((await sample())(name, { name: BUSY })).toBe(times);
    }
  });

  test('is nothing but its state and restarts while it does not run', async () => {
    await done(`systemctl stop ${BUSY}`);
    const value = await sample();
    expect(value('systemd_unit_memory_bytes', { name: BUSY })).toBeUndefined();
    expect(value('systemd_unit_cpu_seconds_total', { name: BUSY })).toBeUndefined();
    expect(value('systemd_service_restart_total', { name: BUSY })).toBe(Number(await property(BUSY, 'NRestarts')));
  });
});
