import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Figure, type Roots, readIfThere } from './figure.ts';
import { type ProcessTimes, processMemory, processTimes } from './process-use.ts';

/**
 * What a unit uses, from its control group; where a controller is not there (cgroup v1, a container), summed over
 * its processes. Keeps what it needs to let such a sum rise only.
 */
export type UnitUseReader = { readonly read: (name: string, controlGroup: string) => Promise<Figure[]> };

export function createUnitUseReader(roots: Roots): UnitUseReader {
  const summed = new Map<string, ProcessTimes>();
  return {
    read: async (name, controlGroup) => {
      const folders = hierarchies(roots).map((hierarchy) => join(hierarchy, controlGroup));
      const [folder = ''] = folders;
      const [memory, cpu] = await Promise.all([
        readIfThere(join(folder, 'memory.current')),
        readIfThere(join(folder, 'cpu.stat')),
      ]);
      const usage = /^usage_usec (\d+)$/m.exec(cpu ?? '')?.[1];
      const pids = memory !== undefined && usage !== undefined ? [] : await processesOf(folders);
      if (usage === undefined) summed.set(name, await processTimes(roots, pids, summed.get(name)));
      else summed.delete(name);
      const bytes = memory === undefined ? await processMemory(roots, pids) : Number(memory);
      const seconds = usage === undefined ? (summed.get(name)?.seconds ?? 0) : Number(usage) / 1e6;
      return [
        { name: 'systemd_unit_memory_bytes', labels: { name }, value: bytes },
        { name: 'systemd_unit_cpu_seconds_total', labels: { name }, value: seconds },
      ];
    },
  };
}

/** The unified hierarchy, alone or beside those of version 1, and systemd's own of version 1, which only groups. */
function hierarchies({ sys }: Roots): string[] {
  return ['', 'unified', 'systemd'].map((name) => join(sys, 'fs/cgroup', name));
}

/** From the first hierarchy that has any. */
async function processesOf(folders: readonly string[]): Promise<number[]> {
  for (const folder of folders) {
    const pids = await processesBelow(folder);
    if (pids.length > 0) return pids;
  }
  return [];
}

async function processesBelow(folder: string): Promise<number[]> {
  const own = ((await readIfThere(join(folder, 'cgroup.procs'))) ?? '').split('\n').filter(Boolean).map(Number);
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
  return [...own, ...(await Promise.all(folders.map(processesBelow))).flat()];
}
