import { readFileSync } from 'node:fs';

/** Ticks a second in /proc, which Linux has fixed for user space. */
const TICKS_PER_SECOND = 100;
const KIB = 1024;

export type Usage = {
  readonly cpuMs: number;
  /** Resident memory: what the process has for itself, and what it has mapped of files (its own program above all). */
  readonly memoryMib: number;
  /** The first of these alone. */
  readonly ownMib: number;
};

/** CPU time since its start, and resident memory now, of a process and all of its threads. */
export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the program, in parentheses, may hold spaces. `utime` and `stime` are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mib = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / KIB;
  return { cpuMs: (ticks * 1000) / TICKS_PER_SECOND, memoryMib: mib('VmRSS'), ownMib: mib('RssAnon') };
}
