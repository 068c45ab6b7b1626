import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { done } from '../installed-host.ts';

/** Where version 1's memory controller is mounted for these tests, if the machine has not given it to version 2. */
const OF_VERSION_1 = '/run/memory-groups';
const PREFIX = 'revertd-rows-';

export type GroupMemory = { readonly workingSet: number; readonly limit: number };

/** What the kernel says of a control group: its working set as cAdvisor counts it, and its limit, 0 if it has none. */
export function readGroup(folder: string): GroupMemory {
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const isVersion2 = existsSync(join(folder, 'memory.current'));
  const usage = Number(read(isVersion2 ? 'memory.current' : 'memory.usage_in_bytes'));
  const limit = Number(read(isVersion2 ? 'memory.max' : 'memory.limit_in_bytes'));
  const cache = isVersion2 ? /^inactive_file (\d+)$/m : /^total_inactive_file (\d+)$/m;
  const inactive = Number(cache.exec(read('memory.stat'))?.[1] ?? 0);
  return { workingSet: Math.max(0, usage - inactive), limit: Number.isFinite(limit) && limit < 2 ** 50 ? limit : 0 };
}

function isOfVersion2(): boolean {
  return readFileSync('/sys/fs/cgroup/cgroup.controllers', 'utf8').split(/\s/).includes('memory');
}

/** Once, before any unit is limited. The groups of version 1 are the machine's own: what a broken run left goes. */
export async function prepareGroups(): Promise<void> {
  if (isOfVersion2()) return;
  if (!existsSync(OF_VERSION_1)) {
    mkdirSync(OF_VERSION_1);
    await done(`mount -t cgroup -o memory memory ${OF_VERSION_1}`);
  }
  for (const name of readdirSync(OF_VERSION_1)) if (name.startsWith(PREFIX)) rmdirSync(join(OF_VERSION_1, name));
}

/**
 * The control group of a unit that may use only so much memory. systemd makes it from `MemoryMax=` where the memory
 * controller is version 2's; where version 1 has it, which systemd does not use then, it is made here.
 */
export async function limitMemory(unit: string, bytes: number): Promise<{ folder: string; joins: boolean }> {
  if (isOfVersion2()) {
    await done(`systemctl set-property --runtime ${unit} MemoryMax=${bytes}`);
    return { folder: join('/sys/fs/cgroup', await sliceOf(unit), unit), joins: false };
  }
  const folder = join(OF_VERSION_1, `${PREFIX}${unit}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'memory.limit_in_bytes'), String(bytes));
  return { folder, joins: true };
}

/** Once nothing runs in it any more. */
export function dropGroup(folder: string): void {
  if (folder.startsWith(OF_VERSION_1) && existsSync(folder)) rmdirSync(folder);
}

/** `a-b.slice` lies within `a.slice`: systemd.slice(5). */
async function sliceOf(unit: string): Promise<string> {
  const name = await done(`systemctl show --value --property=Slice ${unit}`);
  const parts = name.replace(/\.slice$/, '').split('-');
  return join('/', ...parts.map((_, index) => `${parts.slice(0, index + 1).join('-')}.slice`));
}
