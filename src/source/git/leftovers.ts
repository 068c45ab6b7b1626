import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Millis } from '../../core/units.ts';
import type { SourceNotice } from '../policy-source.ts';
import { SourceError } from '../source-error.ts';
import { systemCode } from '../system-code.ts';
import { endProcess, gitProcessesIn, isAlive } from './git-processes.ts';

const DYING_MS: Millis = 1000;
const DYING_STEP_MS: Millis = 10;

export type LeftoverOptions = {
  readonly repository: string;
  /** How long a git command of ours may run at most. */
  readonly longestMs: Millis;
  readonly now: () => Millis;
  readonly tell: (notice: SourceNotice) => void;
};

/**
 * Clears away what killed processes left in a repository of our own, while the caller runs no git there: git processes of a
 * daemon that is dead, locks, and halves of files. Where the system cannot tell who works there (no /proc), a lock counts
 * as left behind once it is older than any command of ours could be.
 * @throws {SourceError} `busy` if a live daemon or command works there
 */
export async function clearLeftovers({ repository, longestMs, now, tell }: LeftoverOptions): Promise<void> {
  const canTell = await endOrphans(repository, tell);
  const { locks, halves } = await findLeftovers(repository);
  const stale = canTell ? locks : await olderThan(repository, locks, now() - longestMs);
  await removeAll(repository, canTell ? [...stale, ...halves] : stale);
  if (stale.length === 0) return;
  tell({ code: 'staleLockRemoved', message: `a killed git left ${stale.join(', ')} in ${repository}; removed` });
}

/** Ends what a dead daemon left running; false if the system cannot tell. */
async function endOrphans(repository: string, tell: (notice: SourceNotice) => void): Promise<boolean> {
  const processes = await gitProcessesIn(repository);
  if (processes === undefined) return false;
  const busy = processes.find(({ owner }) => owner !== process.pid && isAlive(owner));
  if (busy !== undefined) {
    throw new SourceError('busy', `process ${busy.owner} works in ${repository} at the same time`);
  }
  for (const { pid } of processes) {
    endProcess(pid);
    tell({ code: 'orphanEnded', message: `git process ${pid} in ${repository} had outlived its daemon; ended` });
  }
  await untilNobodyIn(repository);
  return true;
}

async function untilNobodyIn(repository: string): Promise<void> {
  for (let waitedMs = 0; ((await gitProcessesIn(repository)) ?? []).length > 0; waitedMs += DYING_STEP_MS) {
    if (waitedMs >= DYING_MS) throw new SourceError('busy', `a killed git does not end in ${repository}`);
    await pause(DYING_STEP_MS);
  }
}

/** Paths relative to the repository: locks, without whose removal git refuses to work, and halves, which cost space. */
export async function findLeftovers(repository: string) {
  const everywhere = ['.', 'objects', 'objects/pack'].map((folder) => entries(repository, folder, false));
  const deep = ['refs', 'objects/info'].map((folder) => entries(repository, folder, true));
  const paths = (await Promise.all([...everywhere, ...deep])).flat();
  return {
    locks: paths.filter((path) => path.endsWith('.lock')).sort(),
    halves: paths.filter((path) => /^objects\/pack\/(?:tmp_[^/]*|pack-[0-9a-f]+\.keep)$/.test(path)),
  };
}

async function removeAll(repository: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) await rm(join(repository, path), { recursive: true, force: true });
}

async function olderThan(repository: string, paths: readonly string[], instant: Millis): Promise<string[]> {
  const old: string[] = [];
  for (const path of paths) {
    if ((await stat(join(repository, path))).mtimeMs < instant) old.push(path);
  }
  return old;
}

async function entries(repository: string, folder: string, recursive: boolean): Promise<string[]> {
  try {
    return (await readdir(join(repository, folder), { recursive })).map((name) => join(folder, name));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
