import { join } from 'node:path';
import { type Roots, readIfThere } from './figure.ts';

export type Mount = {
  readonly device: string;
  readonly mountpoint: string;
  readonly fstype: string;
  readonly readonly: boolean;
};

/** node_exporter's defaults: what is mounted there, or is of such a type, holds nobody's data. */
const LEFT_OUT_PLACES =
  /^\/(dev|proc|run\/credentials\/.+|sys|var\/lib\/docker\/.+|var\/lib\/containers\/storage\/.+)($|\/)/;
const LEFT_OUT_TYPES = new Set(
  (
    'autofs binfmt_misc bpf cgroup cgroup2 configfs debugfs devpts devtmpfs fusectl hugetlbfs iso9660 mqueue nsfs overlay ' +
    'proc procfs pstore rpc_pipefs securityfs selinuxfs squashfs sysfs tracefs'
  ).split(' '),
);

/** What is mounted for the first process, or, if that may not be read, for this one. Without repetitions. */
export async function readMounts({ proc }: Roots): Promise<Mount[]> {
  const text =
    (await readIfThere(join(proc, '1', 'mounts')).catch(() => undefined)) ?? (await readIfThere(join(proc, 'mounts')));
  if (text === undefined) throw new Error(`neither ${proc}/1/mounts nor ${proc}/mounts can be read`);
  const mounts = new Map<string, Mount>();
  for (const line of text.split('\n')) {
    const [device, mountpoint, fstype, options] = line.split(' ').map(unescapeOctal);
    if (device === undefined || mountpoint === undefined || fstype === undefined) continue;
    const readonly = (options ?? '').split(',').includes('ro');
    mounts.set(`${device}\n${mountpoint}\n${fstype}`, { device, mountpoint, fstype, readonly });
  }
  return [...mounts.values()];
}

/** Those that hold the paths; without paths, those that node_exporter shows. */
export function selectMounts(mounts: readonly Mount[], paths: readonly string[] | undefined): Mount[] {
  if (paths === undefined) {
    return mounts.filter(({ mountpoint, fstype }) => !LEFT_OUT_PLACES.test(mountpoint) && !LEFT_OUT_TYPES.has(fstype));
  }
  return [...new Set(paths.flatMap((path) => holding(mounts, path) ?? []))];
}

/** The deepest place that the path is at or below; what was mounted there last covers the rest. */
function holding(mounts: readonly Mount[], path: string): Mount | undefined {
  const above = mounts.filter(({ mountpoint }) => mountpoint === '/' || `${path}/`.startsWith(`${mountpoint}/`));
  return above.reduce<Mount | undefined>(
    (deepest, mount) => (mount.mountpoint.length >= (deepest?.mountpoint.length ?? 0) ? mount : deepest),
    undefined,
  );
}

/** Blanks, tabs, newlines and backslashes stand as octal numbers: getmntent(3). */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
