import type { BigIntStats } from 'node:fs';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { bytesOf } from '../files/byte-path.ts';
import type { OpenRoot } from '../files/walk.ts';
import { COMPANIONS, companionName, lookAtName } from './database-file.ts';

export type Openers = {
  /** `1234 (memoryd)` */
  readonly processes: readonly string[];
  /** Processes that could not be looked into, for want of rights. */
  readonly unseen: number;
};

/**
 * Who has one of these files open, this process excepted: proc(5), `/proc/PID/fd`. A process of another user can only
 * be looked into by root, and one that has only mapped the file has no descriptor: it is the best that can be known.
 */
export async function openersOf(
  files: readonly { readonly path: string; readonly stats: BigIntStats }[],
): Promise<Openers> {
  const names = new Set(files.map(({ path }) => basename(path)));
  const wanted = new Set(files.map(({ stats }) => `${stats.dev}:${stats.ino}`));
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const processes: string[] = [];
  let unseen = 0;
  for (const pid of pids) {
    const fds = await readdir(`/proc/${pid}/fd`).catch((error: unknown) => (isForbidden(error) ? undefined : []));
    if (fds === undefined) unseen += 1;
    else if (await hasOpen(pid, fds, names, wanted)) processes.push(`${pid} (${await nameOf(pid)})`);
  }
  return { processes, unseen };
}

function isForbidden(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EACCES';
}

async function hasOpen(pid: string, fds: readonly string[], names: ReadonlySet<string>, wanted: ReadonlySet<string>) {
  for (const fd of fds) {
    const path = `/proc/${pid}/fd/${fd}`;
    // What a descriptor leads to is looked at only if its name fits: most are sockets and pipes.
    const link = await readlink(path).catch(() => '');
    if (!names.has(basename(link.replace(/ \(deleted\)$/, '')))) continue;
    const stats = await stat(path, { bigint: true }).catch(() => undefined);
    if (stats !== undefined && wanted.has(`${stats.dev}:${stats.ino}`)) return true;
  }
  return false;
}

async function nameOf(pid: string): Promise<string> {
  return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '?')).trim();
}

/** `; 12 (memoryd) has it open`, or nothing. */
export async function describeOpeners(root: OpenRoot): Promise<string> {
  const { processes } = await openersOfDatabase(root);
  return processes.length === 0 ? '' : `; it is open in ${processes.join(', ')}`;
}

/** Who has the database open, or what is beside it. */
export async function openersOfDatabase(root: OpenRoot): Promise<Openers> {
  const files = [];
  for (const name of [root.name, ...COMPANIONS.map((companion) => companionName(root, companion))]) {
    const stats = await lookAtName(root, name);
    if (stats !== undefined) files.push({ path: `${dirname(root.path)}/${bytesOf(name).toString()}`, stats });
  }
  return await openersOf(files);
}
