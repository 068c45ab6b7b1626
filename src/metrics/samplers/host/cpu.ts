import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Figure, type Roots, TICKS_PER_SECOND } from './figure.ts';

/** The columns of /proc/stat, in their order. Guest time is in user and nice already. */
const MODES = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const;

/** A larger step back is a CPU that was taken out and put back; see node_exporter's cpu collector. */
const JITTER_SECONDS = 3;

export type CpuReader = { readonly read: () => Promise<Figure[]> };

/** The CPU time since the boot by CPU and mode, and when the boot was. */
export function createCpuReader({ proc }: Roots): CpuReader {
  const highest = new Map<string, number>();
  return {
    read: async () => {
      const lines = (await readFile(join(proc, 'stat'), 'utf8')).split('\n');
      const boot = lines.find((line) => line.startsWith('btime '))?.slice('btime '.length);
      const cpus = lines.flatMap((line) => cpuFigures(line, highest));
      return boot === undefined ? cpus : [...cpus, { name: 'node_boot_time_seconds', value: Number(boot) }];
    },
  };
}

function cpuFigures(line: string, highest: Map<string, number>): Figure[] {
  const [, cpu, columns] = /^cpu(\d+) (.*)$/.exec(line) ?? [];
  if (cpu === undefined || columns === undefined) return [];
  const ticks = columns.trim().split(/\s+/).map(Number);
  return MODES.map((mode, index) => {
    const value = rising(highest, `${cpu} ${mode}`, (ticks[index] ?? 0) / TICKS_PER_SECOND);
    return { name: 'node_cpu_seconds_total', labels: { cpu, mode }, value };
  });
}

/** The kernel's idle and iowait step back a little at times, which a rate would take for a restart of the counter. */
function rising(highest: Map<string, number>, key: string, value: number): number {
  const before = highest.get(key) ?? 0;
  const kept = value < before && before - value <= JITTER_SECONDS ? before : value;
  highest.set(key, kept);
  return kept;
}
