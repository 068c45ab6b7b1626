import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createFakeSystemctl } from '../../../../test/support/fake-systemctl.ts';
import { ManualClock } from '../../../../test/support/manual-clock.ts';
import type { HostType, MetricSource } from '../../../core/model/metric-source.ts';
import { type Systemctl, SystemdError, type UnitProperties } from '../../../drivers/systemctl.ts';
import { formatSeries } from '../../labels.ts';
import type { Outcome, Sampler } from '../../sampler.ts';
import type { Roots } from './figure.ts';
import { createFilesystemReader } from './filesystems.ts';
import { host, openHost } from './index.ts';

const FIXTURE = join(import.meta.dirname, '../../../../test/fixtures/host');
const ROOTS: Roots = { proc: join(FIXTURE, 'proc'), sys: join(FIXTURE, 'sys') };
const NO_SECRETS = () => Promise.reject(new Error('no secrets here'));

function systemctlOf(units: Readonly<Record<string, Partial<UnitProperties>>>): Systemctl {
  const fake = createFakeSystemctl({});
  const show = async (name: string, signal: AbortSignal) => {
    if (units[name] === undefined) throw new SystemdError('noSystemd', 'this host was not booted with systemd');
    return { ...(await fake.show(name, signal)), loadState: 'loaded', ...units[name] };
  };
  return { ...fake, show };
}

const UNITS = {
  'app.service': {
    activeState: 'active',
    type: 'notify',
    controlGroup: '/system.slice/app.service',
    restarts: 3,
  },
  'old.service': { activeState: 'reloading', type: 'simple', controlGroup: '/system.slice/old.service' },
  'off.service': { activeState: 'inactive', type: 'simple' },
};

function open(changes: Partial<HostType> = {}, roots = ROOTS): Sampler {
  const type: HostType = { kind: 'host', units: [], labels: { team: 'a' }, timeoutMs: 5000, ...changes };
  const origin = { file: 'metrics.yaml', line: 1, column: 1 };
  const source: MetricSource = { name: 'host', origin, suspend: false, intervalMs: 5000, type };
  const clock = new ManualClock(1_800_000_000_500);
  return openHost(source, type, { clock, secret: NO_SECRETS, systemctl: systemctlOf(UNITS) }, roots);
}

function sample(sampler: Sampler): Promise<Outcome> {
  return sampler.sample(new AbortController().signal);
}

function values({ samples }: Outcome): Record<string, number> {
  return Object.fromEntries(
    samples.map(({ labels: { job, instance, team, ...others }, value }) => {
      expect([job, instance, team]).toEqual(['host', hostname(), 'a']);
      return [formatSeries(others), value];
    }),
  );
}

/** A copy of the fixtures that a test may change. */
async function copied(): Promise<Roots> {
  const folder = await mkdtemp(join(tmpdir(), 'revertd-host-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(FIXTURE, folder, { recursive: true });
  return { proc: join(folder, 'proc'), sys: join(folder, 'sys') };
}

describe('the host', () => {
  it('has the figures of the kernel under the names of node_exporter', async () => {
    const outcome = await sample(open());
    expect(outcome.kind).toBe('sampled');
    expect(values(outcome)).toMatchObject({
      up: 1,
      node_time_seconds: 1_800_000_000.5,
      node_boot_time_seconds: 1_799_000_000,
      'node_cpu_seconds_total{cpu="0", mode="user"}': 100.25,
      'node_cpu_seconds_total{cpu="1", mode="idle"}': 5000,
      'node_cpu_seconds_total{cpu="1", mode="steal"}': 0.07,
      node_memory_MemTotal_bytes: 8_000_000 * 1024,
      node_memory_MemAvailable_bytes: 5_000_000 * 1024,
      node_memory_Active_anon_bytes: 1000 * 1024,
      node_memory_HugePages_Total: 2,
      node_load1: 0.5,
      node_load5: 0.25,
      node_load15: 0.1,
      node_pressure_cpu_waiting_seconds_total: 1.5,
      node_pressure_io_waiting_seconds_total: 2,
      node_pressure_io_stalled_seconds_total: 1,
      node_pressure_memory_waiting_seconds_total: 0.000_001,
      node_pressure_memory_stalled_seconds_total: 0,
    });
    expect(values(outcome)).not.toHaveProperty('node_pressure_cpu_stalled_seconds_total');
  });

  it('has its file systems, but the virtual ones', async () => {
    const names = Object.keys(values(await sample(open())));
    const shown = names.filter((name) => name.startsWith('node_filesystem_readonly'));
    expect(shown).toEqual([
      'node_filesystem_readonly{device="/dev/vda1", fstype="ext4", mountpoint="/"}',
      'node_filesystem_readonly{device="tmpfs", fstype="tmpfs", mountpoint="/tmp"}',
    ]);
    const failed = names.filter((name) => name.startsWith('node_filesystem_device_error'));
    expect(failed).toContain(
      'node_filesystem_device_error{device="/dev/sdb1", fstype="xfs", mountpoint="/no such place"}',
    );
  });

  it('has the file systems that hold the wanted paths, of whatever type', async () => {
    const outcome = await sample(open({ filesystems: ['/var/lib/containers/storage/overlay/x', '/etc', '/usr'] }));
    const shown = Object.keys(values(outcome)).filter((name) => name.startsWith('node_filesystem_device_error'));
    expect(shown).toEqual([
      'node_filesystem_device_error{device="overlay", fstype="overlay", mountpoint="/var/lib/containers/storage/overlay"}',
      'node_filesystem_device_error{device="/dev/vda1", fstype="ext4", mountpoint="/"}',
    ]);
  });

  it('has counters that do not step back a little', async () => {
    const roots = await copied();
    const sampler = open({}, roots);
    const name = 'node_cpu_seconds_total{cpu="0", mode="idle"}';
    const seen: unknown[] = [];
    for (const ticks of [10_000, 9_900, 10_100, 20]) {
      await writeFile(join(roots.proc, 'stat'), `cpu0 1 1 1 ${ticks} 1 1 1 1 0 0\n`);
      seen.push(values(await sample(sampler))[name]);
    }
    expect(seen).toEqual([100, 100, 101, 0.2]);
  });

  it('is data also when a part of it cannot be read', async () => {
    const roots = await copied();
    await rm(join(roots.proc, 'meminfo'));
    await rm(join(roots.proc, 'pressure'), { recursive: true });
    const outcome = await sample(open({}, roots));
    expect(outcome).toMatchObject({ fault: { code: 'unreadable', message: expect.stringContaining('memory cannot') } });
    expect(values(outcome)).toMatchObject({ up: 1, node_load1: 0.5 });
  });
});

describe('a file system that hangs', () => {
  it('is left out until it has answered, and holds nothing up', async () => {
    const { promise: answer, resolve: comeBack } = Promise.withResolvers<void>();
    const usage = { bsize: 10, blocks: 4, bfree: 3, bavail: 2, files: 9, ffree: 8 };
    let asked = 0;
    const reader = createFilesystemReader(
      ROOTS,
      ['/tmp/x', '/etc'],
      async ({ mountpoint }) => {
        if (mountpoint === '/tmp') asked++;
        if (mountpoint === '/tmp') await answer;
        return usage;
      },
      1,
    );
    const figures = async () =>
      Object.fromEntries(
        (await reader.read()).map(({ name, labels, value }) => [`${labels?.['mountpoint']} ${name}`, value]),
      );
    const hanging = await figures();
    expect(hanging).toMatchObject({ '/tmp node_filesystem_device_error': 1, '/ node_filesystem_device_error': 0 });
    expect(hanging).toMatchObject({
      '/ node_filesystem_size_bytes': 40,
      '/ node_filesystem_free_bytes': 30,
      '/ node_filesystem_avail_bytes': 20,
      '/ node_filesystem_files': 9,
      '/ node_filesystem_files_free': 8,
    });
    await figures();
    expect(asked).toBe(1);
    comeBack();
    await answer;
    await new Promise(setImmediate);
    expect(await figures()).toMatchObject({ '/tmp node_filesystem_device_error': 0 });
  });
});

describe('a unit', () => {
  it('has what its control group used', async () => {
    const outcome = await sample(open({ units: ['app.service', 'off.service'] }));
    expect(outcome.kind).toBe('sampled');
    expect(values(outcome)).toMatchObject({
      'node_systemd_unit_state{name="app.service", state="active", type="notify"}': 1,
      'node_systemd_unit_state{name="app.service", state="failed", type="notify"}': 0,
      'systemd_service_restart_total{name="app.service"}': 3,
      'systemd_unit_memory_bytes{name="app.service"}': 4096,
      'systemd_unit_cpu_seconds_total{name="app.service"}': 1.5,
      'node_systemd_unit_state{name="off.service", state="inactive", type="simple"}': 1,
    });
    expect(values(outcome)).not.toHaveProperty('systemd_unit_memory_bytes{name="off.service"}');
  });

  it('has what its processes used where a controller is missing, as a counter that only rises', async () => {
    const roots = await copied();
    const sampler = open({ units: ['old.service'] }, roots);
    const before = values(await sample(sampler));
    expect(before).toMatchObject({
      'node_systemd_unit_state{name="old.service", state="active", type="simple"}': 1,
      // 100 KiB in proportion, and two pages of a process that shows no more.
      'systemd_unit_memory_bytes{name="old.service"}': 100 * 1024 + 2 * 4096,
      'systemd_unit_cpu_seconds_total{name="old.service"}': 3 + 2,
    });
    // One ends, and its number is taken by another; the other goes on for a second.
    await writeFile(join(roots.proc, '41/stat'), stat(41, 30, 20, 999));
    await writeFile(join(roots.proc, '42/stat'), stat(42, 150, 150, 700));
    const after = values(await sample(sampler));
    expect(after['systemd_unit_cpu_seconds_total{name="old.service"}']).toBe(5 + 0.5 + 1);
  });

  it('that cannot be asked for is told, and the host is still there', async () => {
    const outcome = await sample(open({ units: ['unknown.service', 'app.service'] }));
    const message = 'unknown.service: this host was not booted with systemd';
    expect(outcome).toMatchObject({ kind: 'failed', fault: { code: 'systemd_noSystemd', message } });
    expect(values(outcome)).toMatchObject({ up: 1, 'systemd_service_restart_total{name="app.service"}': 3 });
  });
});

function stat(pid: number, user: number, system: number, started: number): string {
  return `${pid} (a ) b) S 1 1 1 0 -1 0 0 0 0 0 ${user} ${system} 0 0 20 0 1 0 ${started} 0 0\n`;
}

describe('this machine', () => {
  it('has plausible figures', async () => {
    const type: HostType = { kind: 'host', units: [], filesystems: ['/'], labels: { team: 'a' }, timeoutMs: 5000 };
    const origin = { file: 'metrics.yaml', line: 1, column: 1 };
    const source: MetricSource = { name: 'host', origin, suspend: false, intervalMs: 5000, type };
    const clock = new ManualClock(Date.now());
    const [sampler] = host.open(source, type, { clock, secret: NO_SECRETS, systemctl: systemctlOf({}) });
    if (sampler === undefined) throw new Error('expected a sampler');
    const outcome = await sample(sampler);
    expect(outcome.kind).toBe('sampled');
    const found = values(outcome);
    expect(found['node_memory_MemAvailable_bytes']).toBeGreaterThan(1e6);
    expect(found['node_memory_MemAvailable_bytes']).toBeLessThan(found['node_memory_MemTotal_bytes'] ?? 0);
    expect(found['node_cpu_seconds_total{cpu="0", mode="idle"}']).toBeGreaterThan(0);
    expect(found['node_boot_time_seconds']).toBeLessThan(found['node_time_seconds'] ?? 0);
    expect(found['node_load1']).toBeGreaterThanOrEqual(0);
    const size = Object.entries(found).find(([name]) => name.startsWith('node_filesystem_size_bytes'));
    expect(size?.[1]).toBeGreaterThan(1e6);
  });
});
