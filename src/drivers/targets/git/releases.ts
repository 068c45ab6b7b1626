import { cp, lstat, mkdir, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** How many releases stay beside the one in use; going back to one of them needs no build. */
const KEPT = 3;

/**
 * Releases stand beside the folder that the service runs from, which is a link to one of them: `/opt/app` links to
 * `/opt/app.releases/COMMIT`. A link is replaced by one rename, so the service sees the old release or the new one.
 */
export function releaseFolder(to: string, commit: string): string {
  return join(`${to}.releases`, commit);
}

export async function isReleased(to: string, commit: string): Promise<boolean> {
  return await exists(releaseFolder(to, commit));
}

/** Copies what was built to where releases stand; it has its name only when it is whole. */
export async function stageRelease(built: string, to: string, commit: string): Promise<void> {
  const folder = releaseFolder(to, commit);
  const unfinished = join(dirname(folder), `.${commit}.unfinished`);
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(dirname(folder), { recursive: true });
  await cp(built, unfinished, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  await rename(unfinished, folder);
}

/** Makes `to` show this release. A folder that stood there before is kept among the releases. */
export async function publishRelease(to: string, commit: string): Promise<void> {
  const link = join(dirname(to), `.${basename(to)}.next`);
  await rm(link, { force: true });
  await symlink(releaseFolder(to, commit), link);
  const before = await lstat(to).catch(() => undefined);
  if (before !== undefined && !before.isSymbolicLink()) await rename(to, releaseFolder(to, `before-${Date.now()}`));
  await rename(link, to);
  await prune(to, commit);
}

/** Whether `to` shows this release. */
export async function isPublished(to: string, commit: string): Promise<boolean> {
  const shown = await readlink(to).catch(() => undefined);
  return shown === releaseFolder(to, commit);
}

async function prune(to: string, commit: string): Promise<void> {
  const folder = `${to}.releases`;
  const names = (await readdir(folder)).filter((name) => name !== commit && /^[0-9a-f]{40,64}$/.test(name));
  const dated = await Promise.all(names.map(async (name) => ({ name, at: (await lstat(join(folder, name))).ctimeMs })));
  const old = dated.sort((a, b) => b.at - a.at).slice(KEPT);
  await Promise.all(old.map(({ name }) => rm(join(folder, name), { recursive: true, force: true })));
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}
