import { statfs } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Millis } from '../../../core/units.ts';
import { runProcess } from '../../../drivers/process.ts';
import type { Figure, Roots } from './figure.ts';
import { type Mount, readMounts, selectMounts } from './mounts.ts';

/** Counted in blocks, but for the files. */
export type Usage = {
  readonly bsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
};

export type AskUsage = (mount: Mount) => Promise<Usage>;

export type FilesystemReader = { readonly read: () => Promise<Figure[]> };

/** A file system that has not answered by then is left out until it has. */
const PATIENCE_MS: Millis = 1000;

/** Behind these stand servers that may be gone. A call that hangs in this process would hold one of its few I/O threads. */
const REMOTE = /^(nfs|cifs|smb|ceph|fuse|9p|afs|glusterfs|lustre|gfs|ocfs|beegfs)/;

export function createFilesystemReader(
  roots: Roots,
  paths: readonly string[] | undefined,
  ask: AskUsage = askUsage,
  patienceMs: Millis = PATIENCE_MS,
): FilesystemReader {
  const hanging = new Map<string, Promise<unknown>>();
  const usageOf = async (mount: Mount): Promise<Usage | undefined> => {
    if (hanging.has(mount.mountpoint)) return undefined;
    const asked = ask(mount).catch(() => undefined);
    hanging.set(
      mount.mountpoint,
      asked.then(() => hanging.delete(mount.mountpoint)),
    );
    return await Promise.race([asked, delay(patienceMs, undefined, { ref: false })]);
  };
  return {
    read: async () => {
      const mounts = selectMounts(await readMounts(roots), paths);
      const read = mounts.map(async (mount) => figuresOf(mount, await usageOf(mount)));
      return (await Promise.all(read)).flat();
    },
  };
}

async function askUsage({ mountpoint, fstype }: Mount): Promise<Usage> {
  return REMOTE.test(fstype) ? await askFromOutside(mountpoint) : await statfs(mountpoint);
}

/** Through a program of its own, which may hang instead of this one. */
async function askFromOutside(mountpoint: string): Promise<Usage> {
  const argv = ['stat', '--file-system', '--format=%s %b %f %a %c %d', '--', mountpoint];
  const plain = { redactor: () => ({ push: (piece: string) => piece, end: () => '' }) };
  const end = await runProcess({ argv, secrets: plain }, new AbortController().signal);
  if (end.kind !== 'exited' || end.code !== 0) throw new Error(`stat of ${mountpoint} failed`);
  const [bsize = 0, blocks = 0, bfree = 0, bavail = 0, files = 0, ffree = 0] = end.output.trim().split(' ').map(Number);
  return { bsize, blocks, bfree, bavail, files, ffree };
}

function figuresOf({ device, mountpoint, fstype, readonly }: Mount, usage: Usage | undefined): Figure[] {
  const labels = { device, mountpoint, fstype };
  const figure = (name: string, value: number): Figure => ({ name: `node_filesystem_${name}`, labels, value });
  if (usage === undefined) return [figure('device_error', 1)];
  const { bsize, blocks, bfree, bavail, files, ffree } = usage;
  return [
    figure('size_bytes', blocks * bsize),
    figure('free_bytes', bfree * bsize),
    figure('avail_bytes', bavail * bsize),
    figure('files', files),
    figure('files_free', ffree),
    figure('readonly', readonly ? 1 : 0),
    figure('device_error', 0),
  ];
}
