import { join } from 'node:path';
import { type Roots, readIfThere, TICKS_PER_SECOND } from './figure.ts';

/** Assumed where only `statm` may be read: the size of a page on every machine that Node 24 is there for, but few. */
const PAGE_BYTES = 4096;

/** CPU time of a set of processes that come and go. `seconds` never falls; `byProcess` is by number and start time. */
export type ProcessTimes = { readonly seconds: number; readonly byProcess: ReadonlyMap<string, number> };

/** What the processes used since the times before is added; what one used between its last reading and its end is lost. */
export async function processTimes(
  { proc }: Roots,
  pids: readonly number[],
  before: ProcessTimes | undefined,
): Promise<ProcessTimes> {
  const read = await Promise.all(
    pids.map((pid) => readIfThere(join(proc, String(pid), 'stat')).catch(() => undefined)),
  );
  const byProcess = new Map(
    read.flatMap((stat, index) => {
      // The name stands in parentheses and may contain anything; see proc(5).
      const [, , , , , , , , , , , user, system, , , , , , , started] = (stat ?? '')
        .slice((stat ?? '').lastIndexOf(')') + 2)
        .split(' ');
      if (started === undefined) return [];
      return [[`${pids[index]} ${started}`, (Number(user) + Number(system)) / TICKS_PER_SECOND] as const];
    }),
  );
  const used = [...byProcess].map(([key, seconds]) => Math.max(0, seconds - (before?.byProcess.get(key) ?? 0)));
  return { seconds: used.reduce((sum, seconds) => sum + seconds, before?.seconds ?? 0), byProcess };
}

/** In bytes. Memory that processes share is divided among them where the kernel lets revertd see that, else counted for each. */
export async function processMemory({ proc }: Roots, pids: readonly number[]): Promise<number> {
  const read = pids.map(async (pid) => {
    const rollup = await readIfThere(join(proc, String(pid), 'smaps_rollup')).catch(() => undefined);
    const proportional = /^Pss:\s+(\d+) kB$/m.exec(rollup ?? '')?.[1];
    if (proportional !== undefined) return Number(proportional) * 1024;
    const statm = await readIfThere(join(proc, String(pid), 'statm')).catch(() => undefined);
    return Number(statm?.split(' ')[1] ?? 0) * PAGE_BYTES;
  });
  return (await Promise.all(read)).reduce((sum, bytes) => sum + bytes, 0);
}
