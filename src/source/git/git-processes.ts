import { readdir, readFile, readlink } from 'node:fs/promises';
import { systemCode } from '../system-code.ts';
import { OWNER_VARIABLE } from './git-environment.ts';

/** A process that was started to work in a mirror, and the id of the daemon that did. */
export type GitProcess = { readonly pid: number; readonly owner: number };

/** The processes of this or an earlier daemon that stand in a folder; undefined where the system cannot tell (no /proc). */
export async function gitProcessesIn(folder: string): Promise<readonly GitProcess[] | undefined> {
  const pids = await readdir('/proc').catch(whenGone);
  if (pids === undefined) return undefined;
  const found: GitProcess[] = [];
  for (const pid of pids) {
    const owner = /^\d+$/.test(pid) ? await ownerOf(pid, folder) : undefined;
    if (owner !== undefined) found.push({ pid: Number(pid), owner });
  }
  return found;
}

async function ownerOf(pid: string, folder: string): Promise<number | undefined> {
  if ((await readlink(`/proc/${pid}/cwd`).catch(whenGone)) !== folder) return undefined;
  const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(whenGone);
  const mark = environment?.split('\0').find((variable) => variable.startsWith(`${OWNER_VARIABLE}=`));
  return mark === undefined ? undefined : Number(mark.slice(OWNER_VARIABLE.length + 1));
}

/** Whether a process with this id exists. */
export function isAlive(pid: number): boolean {
  return signalTo(pid, 0);
}

/** Kills a process; one that has ended already is no fault. */
export function endProcess(pid: number): void {
  signalTo(pid, 'SIGKILL');
}

function signalTo(pid: number, signal: 'SIGKILL' | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EPERM') return true;
    if (code === 'ESRCH') return false;
    throw error;
  }
}

/** Processes end while they are looked at, and those of other users keep their secrets. */
function whenGone(error: unknown): undefined {
  if (systemCode(error) === undefined) throw error;
  return undefined;
}
